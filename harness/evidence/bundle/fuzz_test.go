package bundle

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzOpen wants of any file either a bundle, all of which can be read, or an
// error.
func FuzzOpen(f *testing.F) {
	f.Add(read(f, packed(f, newIdentity(f), 2, signerOf(1))))
	f.Add(read(f, packed(f, newIdentity(f), 0, nil)))
	f.Add(read(f, fixture))
	f.Add([]byte("PK\x03\x04"))
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := checkBytes(data)
		if err != nil {
			return
		}
		if len(b.Log()) != b.manifest.Records || len(b.hashes) != b.manifest.Records || b.digest != digest(data) {
			t.Errorf("%d records, %d hashes, want %d", len(b.Log()), len(b.hashes), b.manifest.Records)
		}
		for _, a := range b.Members() {
			if got := data[b.offsets[a.Member]:][:a.Length]; digest(got) != a.SHA256 {
				t.Errorf("member %q is not what the manifest says", a.Member)
			}
		}
	})
}

// FuzzManifest reaches behind the checksums.
func FuzzManifest(f *testing.F) {
	raw := read(f, fixture)
	b, err := checkBytes(raw)
	require.NoError(f, err)
	f.Add(b.manifest.encode())
	f.Add([]byte(`{"schema":"assay-bundle/1","members":[{}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := parseManifest(data)
		if err == nil && !bytes.Equal(m.encode(), data) {
			t.Error("two manifests with one meaning")
		}
	})
}

// FuzzRecordLine: what is read is what would be written.
func FuzzRecordLine(f *testing.F) {
	f.Add(bytes.TrimSuffix(recordLine(mustJSON(f, record(1, "x"))), []byte("\n")))
	f.Add([]byte(hashField))
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, _, err := parseRecordLine(data); err == nil {
			raw := json.RawMessage(data[recordAt : len(data)-1])
			if string(recordLine(raw)) != string(data)+"\n" {
				t.Errorf("read %q", data)
			}
		}
	})
}

// FuzzResume gives any file as a journal.
func FuzzResume(f *testing.F) {
	id := newIdentity(f)
	j, dir := begin(f, id)
	fill(f, j, 1)
	require.NoError(f, j.Close())
	raw := read(f, filepath.Join(dir, journalName))
	f.Add(raw)
	f.Add(raw[:len(raw)/2])
	f.Add([]byte("{}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		dir := filepath.Join(t.TempDir(), "d")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, journalName), data, 0o600); err != nil {
			t.Fatal(err)
		}
		if j, err := Resume(dir); err == nil {
			j.Close()
		}
	})
}

// FuzzReplay gives lines of any content with right sums: each line of the input
// is a kind, a space and the data.
func FuzzReplay(f *testing.F) {
	f.Add("head {\"format\":\"assay-journal/1\",\"run\":\"r\",\"tool\":\"t\",\"recipients\":[\"age1\"],\"compare_key\":\"AA==\"}\n" +
		"record {\"record\":{\"seq\":1,\"unit\":\"dut\",\"probe\":\"p\"},\"open\":[{\"member\":\"transcript/000001\"}]}\n" +
		"before {\"unit\":\"dut\",\"probe\":\"p\",\"step\":\"s\"}\n" +
		"done {\"unit\":\"dut\",\"probe\":\"p\",\"step\":\"s\",\"evidence\":{}}\n" +
		"login {\"unit\":\"dut\",\"service\":\"s\",\"account\":\"a\"}\n" +
		"member {\"member\":\"run.json\",\"sha256\":\"\",\"length_bytes\":-1}\n" +
		"sealed {\"member\":\"transcript/000001\",\"offset\":1,\"length_bytes\":1,\"age\":\"AA==\"}\n" +
		"end {\"records\":1,\"sealed\":{\"member\":\"sealed.age\"}}")
	f.Fuzz(func(t *testing.T, lines string) {
		var all bytes.Buffer
		var at chain
		for l := range strings.SplitSeq(lines, "\n") {
			kind, data, _ := strings.Cut(l, " ")
			text, next, err := at.encode(kind, json.RawMessage(data))
			if err != nil {
				return
			}
			all.Write(text)
			at = next
		}
		s, end, whole, err := replay(&all)
		if err == nil && (end.seq != at.seq || whole == 0 || len(s.log) != len(s.records)) {
			t.Errorf("%d of %d lines", end.seq, at.seq)
		}
	})
}
