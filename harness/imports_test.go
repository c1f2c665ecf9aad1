package harness

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/assay-iot/assay/"

// mayImport says what each package may import of ours. What is left of the colon
// stands for the packages below it as well, unless they have a line of their
// own; what is right of it does so only with "/..." at its end.
var mayImport = map[string][]string{
	"harness/verdict":                           {},
	"harness/msg":                               {},
	"harness/evidence":                          {"harness/msg"},
	"harness/evidence/bundle":                   {"harness/msg", "harness/evidence"},
	"harness/defaults":                          {},
	"harness/roots":                             {},
	"harness/device":                            {"harness/msg", "harness/evidence"},
	"harness/result":                            {"harness/verdict", "harness/msg", "harness/evidence"},
	"harness/transport":                         {"harness/evidence", "harness/device"},
	"harness/bench":                             {"harness/transport"},
	"harness/probe":                             {"harness/verdict", "harness/msg", "harness/evidence", "harness/device", "harness/transport"},
	"harness/probes/internal/mqttlab":           {"harness/...", "devices"},        // used by tests alone
	"harness/probes/internal/dtlsdoor/dtlstest": {"harness/...", "internal/peers"}, // likewise
	"harness/probes/internal/coapdoor/coaptest": {"harness/...", "internal/peers"}, // likewise
	"harness/probes":                            {"harness/verdict", "harness/defaults", "harness/roots", "harness/evidence", "harness/device", "harness/transport", "harness/probe", "harness/probes/..."},
	"harness/check":                             {"harness/verdict", "harness/msg", "harness/evidence", "harness/result", "harness/probe"},
	"harness/check/checktest":                   {"harness/msg", "harness/evidence", "harness/result", "harness/probe", "harness/check"},
	"harness/checks":                            {"harness/msg", "harness/evidence", "harness/probe", "harness/probes/...", "harness/check"},
	"harness/profile":                           {"harness/verdict", "harness/msg", "harness/evidence", "harness/result", "harness/check"},
	"harness/draft":                             {"harness/evidence", "harness/probe", "harness/probes/...", "harness/profile"},
	"harness/lab":                               {"harness/...", "devices"},
	"harness/cli":                               {"harness/...", "devices", "profiles", "reports"},
	"harness":                                   {"harness/..."},
	"profiles":                                  {},
	"reports":                                   {"harness/result", "harness/verdict", "harness/evidence", "harness/msg"},
	"devices":                                   {"harness/device", "harness/verdict", "internal/legacytls"},
	"internal/legacytls":                        {},
	"internal/peers":                            {},
	"scripts":                                   {"harness/...", "profiles"},
}

func TestImportDirection(t *testing.T) {
	seen := 0
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		seen++
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		from := filepath.ToSlash(filepath.Dir(strings.TrimPrefix(path, "../")))
		if from == "." { // main.go
			return nil
		}
		for _, imp := range f.Imports {
			to, _ := strconv.Unquote(imp.Path.Value)
			if ours, ok := strings.CutPrefix(to, module); ok && !allowed(from, ours) {
				t.Errorf("%s imports %s", path, ours)
			}
		}
		return nil
	})
	if err != nil || seen < 30 {
		t.Fatalf("read %d files: %v", seen, err)
	}
}

func allowed(from, to string) bool {
	matches := func(rule string) bool {
		dir, below := strings.CutSuffix(rule, "/...")
		return to == dir || below && strings.HasPrefix(to, dir+"/")
	}
	for dir := from; dir != "."; dir = filepath.Dir(dir) {
		if rules, ok := mayImport[dir]; ok {
			return slices.ContainsFunc(rules, matches)
		}
	}
	return false
}

func TestAllowed(t *testing.T) {
	for _, bad := range [][2]string{
		{"harness/checks", "harness/transport"}, {"harness/check", "harness/checks"}, {"reports", "harness/check"},
		{"devices", "harness/probes/tcpports"}, {"harness/probes/services", "harness/checks"}, {"harness/evidence", "harness/evidence/bundle"}, {"harness/verdict", "harness/evidence"}, {"new", "harness/result"},
	} {
		if allowed(bad[0], bad[1]) {
			t.Errorf("%s may import %s", bad[0], bad[1])
		}
	}
}
