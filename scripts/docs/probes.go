package main

import (
	"cmp"
	"fmt"
	"io"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/assay-iot/assay/harness"
	"github.com/assay-iot/assay/harness/checks"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/capture"
	"github.com/assay-iot/assay/harness/probes/health"
	"github.com/assay-iot/assay/harness/transport"
)

const probesHead = `
## Probes

A probe observes and never judges. *Basis* is what a verdict on its evidence alone rests on. *At most* is what one run takes for one address at pace ` + "`normal`" + ` with all TCP ports, as long as it is not known how many are open; ` + "`assay plan`" + ` says it for a device.
`

var kinds = map[probe.Kind]string{probe.Watch: "watch", probe.Run: "run", probe.Procedure: "procedure"}

func writeProbes(w io.Writer, src *source) error {
	fmt.Fprint(w, probesHead, "\n| probe | kind | effect | basis | finds out |\n| --- | --- | --- | --- | --- |\n")
	all := slices.SortedFunc(slices.Values(harness.Plan(checks.All(), capture.Probe, health.Probe)), func(a, b probe.Any) int {
		return cmp.Compare(a.Info().Name, b.Info().Name)
	})
	for _, p := range all {
		i := p.Info()
		fmt.Fprintf(w, "| [`%s`](#%s) | %s | %s | %s | %s |\n", i.Name, i.Name, kinds[i.Kind], i.Effect, i.Basis, cell(i.Doc))
	}
	bounds, err := planned()
	if err != nil {
		return err
	}
	for _, p := range all {
		if err := writeProbe(w, src, p.Info(), bounds); err != nil {
			return fmt.Errorf("probe %q: %w", p.Info().Name, err)
		}
	}
	return nil
}

func writeProbe(w io.Writer, src *source, i probe.Info, bounds map[string]probe.Bound) error {
	fmt.Fprintf(w, "\n### `%s`\n\nFinds out: %s. Version %d of its evidence.\n\n", i.Name, i.Doc, i.Version)
	if len(i.Needs) > 0 {
		fmt.Fprintf(w, "- **Needs:** %s\n", names(i.Needs))
	}
	if b, ok := bounds[i.Name]; ok {
		fmt.Fprintf(w, "- **At most:** %s, %d connections, %d log-ins, %s received\n", b.Time.Round(time.Second), b.Connections, b.Logins, size(b.Bytes))
	}
	structs, words := stored(i.Evidence)
	for _, t := range structs {
		if err := writeStruct(w, src, t); err != nil {
			return err
		}
	}
	for _, t := range words {
		if err := writeWords(w, src, t); err != nil {
			return err
		}
	}
	return nil
}

// size writes a number of bytes for people.
func size(n int64) string {
	if n >= 1<<20 {
		return fmt.Sprintf("%d MiB", n>>20)
	}
	return fmt.Sprintf("%d KiB", (n+1<<10-1)>>10)
}

// address is one of those that stand for any in documents (RFC 1918 makes it
// local, so that a plan for it can be made).
var address = netip.AddrFrom4([4]byte{192, 168, 1, 20})

// planned returns the bounds of all probes for one device of which only the
// address is known.
func planned() (map[string]probe.Bound, error) {
	o := harness.Order{Address: address, Checks: checks.ByID(), Effect: probe.Disruptive, Consent: "nobody: it is not carried out", Pace: transport.Normal}
	for id := range o.Checks {
		o.Selection.Also = append(o.Selection.Also, id)
	}
	s, err := o.Prepare()
	if err != nil {
		return nil, err
	}
	bounds := map[string]probe.Bound{}
	for _, p := range s.Preview().Probes {
		bounds[p.Probe] = p.Bound
	}
	return bounds, nil
}

// stored returns the struct types that evidence is made of, the outermost first,
// and its closed sets of words.
func stored(t reflect.Type) (structs, words []reflect.Type) {
	ours := func(t reflect.Type) bool {
		return strings.HasPrefix(t.PkgPath(), module+"harness/probes/") && t.Name() != ""
	}
	var walk func(reflect.Type)
	walk = func(t reflect.Type) {
		switch {
		case t.Kind() == reflect.Slice:
			walk(t.Elem())
		case t.Kind() == reflect.String && ours(t) && !slices.Contains(words, t):
			words = append(words, t)
		case t.Kind() == reflect.Struct && ours(t) && !slices.Contains(structs, t):
			structs = append(structs, t)
			for f := range t.Fields() {
				walk(f.Type)
			}
		}
	}
	walk(t)
	return structs, words
}

func writeStruct(w io.Writer, src *source, t reflect.Type) error {
	doc, err := src.doc(t)
	if err != nil {
		return err
	}
	fields, err := src.fields(t, "json")
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "\n`%s`: %s\n\n", t.Name(), doc)
	if len(fields) == 0 {
		return nil
	}
	fmt.Fprint(w, "| field | type | meaning |\n| --- | --- | --- |\n")
	for _, f := range fields {
		fmt.Fprintf(w, "| `%s` | %s | %s |\n", f.name, typeName(f.typ), cell(f.doc))
	}
	return nil
}

func writeWords(w io.Writer, src *source, t reflect.Type) error {
	list, err := src.words(t)
	if err != nil || len(list) == 0 {
		return err
	}
	fmt.Fprintf(w, "\n`%s` is one of:", t.Name())
	for i, word := range list {
		end := ","
		if i == len(list)-1 {
			end = "."
		}
		if word.doc != "" {
			word.doc = " (" + strings.TrimSuffix(cell(word.doc), ".") + ")"
		}
		fmt.Fprintf(w, " `%s`%s%s", word.value, word.doc, end)
	}
	fmt.Fprintln(w)
	return nil
}

// typeName names a type as its readers know it.
func typeName(t reflect.Type) string {
	if t.Kind() == reflect.Slice && t.Name() == "" {
		return "list of " + typeName(t.Elem())
	}
	if t.Name() == "" {
		return t.Kind().String()
	}
	return t.Name()
}
