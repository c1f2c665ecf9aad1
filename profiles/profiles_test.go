package profiles

import (
	"io/fs"
	"slices"
	"strings"
	"testing"
)

func TestIDs(t *testing.T) {
	ids := IDs()
	if !slices.Contains(ids, Default) || !slices.IsSorted(ids) {
		t.Errorf("IDs = %q", ids)
	}
	for _, id := range ids {
		b, err := fs.ReadFile(FS(), File(id))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(b), "\nid: "+id+"\n") {
			t.Errorf("file %q holds another ID", File(id))
		}
	}
}

func TestTables(t *testing.T) {
	for name, b := range map[string][]byte{"evidence codes": EvidenceCodes(), "powers of checks": CheckPowers()} {
		if lines := strings.Count(string(b), "\n"); lines < 10 {
			t.Errorf("%s: %d lines", name, lines)
		}
	}
	EvidenceCodes()[0] = '!'
	if EvidenceCodes()[0] == '!' {
		t.Error("one reader changes what the next one reads")
	}
}
