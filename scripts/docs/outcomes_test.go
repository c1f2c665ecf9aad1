package main

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

const example = `package checks

// Way is how.
type Way string

// The ways.
const (
	Plain Way = "plain" // in clear
	Other Way = "other"
)

var soundCheck = register(check.Check{ID: "area.sound", Decide: decideSound})

var otherCheck = register(check.Check{ID: "area.other", Decide: func(in check.In) []check.Item { return []check.Item{check.Pass(at, msg.T("alone"))} }})

func decideSound(in check.In) []check.Item { return []check.Item{judge(entry{}), entry{}.say(), why()} }

type entry struct{}
type cousin struct{}

func judge(e entry) check.Item {
	if e.bad {
		return check.Fail(at, msg.T("it was {how}", "how", e.how), ref)
	}
	return judge(e)
}

func (entry) say() check.Item { return check.Inconclusive(at, msg.T("it was silent"), msg.T("run again")) }

func (cousin) say() check.Item { return check.Pass(at, msg.T("never reached")) }

func why() check.Item { text := msg.T("made apart"); return check.Advise(item, text) }

func unused() check.Item { return check.Pass(at, msg.T("never reached either")) }
`

func examplePkg(t *testing.T) *pkg {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "x", "x.go"), []byte(example), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := newSource(dir).read(module + "x")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Of a check that is said which its own functions say, methods of the right type
// included, and nothing of others.
func TestOutcomes(t *testing.T) {
	p := examplePkg(t)
	got := p.outcomes("area.sound")
	want := outcomes{"Fail": {{"it was {how}", ""}}, "Inconclusive": {{"it was silent", "run again"}}, besides: {{"made apart", ""}}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := p.outcomes("area.other"); !reflect.DeepEqual(got, outcomes{"Pass": {{"alone", ""}}}) {
		t.Errorf("got %v", got)
	}
	if got := p.outcomes("area.nothing"); len(got) > 0 {
		t.Errorf("got %v", got)
	}
}

func TestWords(t *testing.T) {
	p := examplePkg(t)
	if p.docs["Way"] != "Way is how." || p.types["cousin"] == nil {
		t.Errorf("docs = %v", p.docs)
	}
}

func TestSize(t *testing.T) {
	for n, want := range map[int64]string{0: "0 KiB", 1: "1 KiB", 1024: "1 KiB", 1025: "2 KiB", 1 << 20: "1 MiB"} {
		if got := size(n); got != want {
			t.Errorf("size(%d) = %q, want %q", n, got, want)
		}
	}
}
