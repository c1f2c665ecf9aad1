package main

import (
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"strings"

	"github.com/assay-iot/assay/harness"
	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/checks"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/identity"
	"github.com/assay-iot/assay/harness/profile"
	"github.com/assay-iot/assay/profiles"
)

const checksHead = `
## Checks

The ID names the assertion that holds on a good device. *Effect* is the least ` + "`--effect`" + ` that brings all the evidence that the check needs.

A check is inconclusive, whatever else is said below, if what it needs brought no evidence; from evidence that is not whole only a fail stands. What stands in braces is filled in from the evidence.
`

func writeChecks(w io.Writer, src *source) error {
	fmt.Fprint(w, checksHead, "\n| check | asserts | effect |\n| --- | --- | --- |\n")
	for _, c := range checks.All() {
		fmt.Fprintf(w, "| [`%s`](#%s) | %s | %s |\n", c.ID, anchor(c.ID), cell(c.Title), effect(c))
	}
	mapped, err := mappings()
	if err != nil {
		return err
	}
	p, err := src.read(reflect.TypeOf(check.Check{}).PkgPath() + "s")
	if err != nil {
		return err
	}
	for _, c := range checks.All() {
		if err := writeCheck(w, src, c, p.outcomes(c.ID), mapped[c.ID]); err != nil {
			return fmt.Errorf("check %q: %w", c.ID, err)
		}
	}
	return nil
}

func writeCheck(w io.Writer, src *source, c check.Check, says outcomes, mapped []string) error {
	fmt.Fprintf(w, "\n### `%s`\n\n%s.\n\n", c.ID, c.Title)
	for _, line := range []struct{ label, text string }{
		{"Needs", effects(c.Needs)}, {"Needs one of", effects(c.OneOf)}, {"Uses, if there", effects(c.Uses)}, {"Mapped by", strings.Join(mapped, "; ")},
		{"On a fail", c.Remedy},
	} {
		if line.text != "" {
			fmt.Fprintf(w, "- **%s:** %s\n", line.label, line.text)
		}
	}
	if c.Units > 1 {
		fmt.Fprintf(w, "- **Compares units:** at least %d\n", c.Units)
	}
	if err := writeParams(w, src, c); err != nil {
		return err
	}
	for _, o := range []struct{ label, call string }{
		{"Passes", "Pass"}, {"Fails", "Fail"}, {"Does not apply", "NotApplicable"}, {"Advises", "Advise"}, {"Stays inconclusive", "Inconclusive"},
		{"Says besides", besides},
	} {
		writeSentences(w, o.label, says[o.call])
	}
	return nil
}

func writeSentences(w io.Writer, label string, list []sentence) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(w, "- **%s:**\n", label)
	for _, s := range list {
		fmt.Fprintf(w, "  - %s", strings.ReplaceAll(s.why, "<", "\\<"))
		if s.next != "" {
			fmt.Fprintf(w, " → %s", s.next)
		}
		fmt.Fprintln(w)
	}
}

// writeParams writes what a profile can set by "with".
func writeParams(w io.Writer, src *source, c check.Check) error {
	if c.Params == nil {
		return nil
	}
	fields, err := src.fields(reflect.TypeOf(c.Params), "yaml")
	if err != nil || len(fields) == 0 {
		return err
	}
	fmt.Fprint(w, "- **Parameters:**\n")
	for _, f := range fields {
		value, err := defaultOf(c.Params, f.name)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "  - `%s`, by default `%s`: %s\n", f.name, value, f.doc)
	}
	return nil
}

// defaultOf returns the value of the field of params that a profile sets by
// name.
func defaultOf(params any, name string) (string, error) {
	v := reflect.ValueOf(params)
	for f := range v.Type().Fields() {
		if tag, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); tag == name {
			b, err := json.Marshal(v.FieldByIndex(f.Index).Interface())
			return string(b), err
		}
	}
	return "", fmt.Errorf("no parameter %q", name)
}

func effects(list []probe.Any) string {
	var all []string
	for _, p := range list {
		i := p.Info()
		all = append(all, fmt.Sprintf("[`%s`](#%s) (%s)", i.Name, i.Name, i.Effect))
	}
	return strings.Join(all, ", ")
}

// effect is the strongest of the probes that a check needs. The watch over the
// device's identity runs always and does not count.
func effect(c check.Check) probe.Effect {
	most := probe.Passive
	for _, p := range harness.Plan([]check.Check{{Needs: c.Needs, OneOf: c.OneOf}}) {
		if i := p.Info(); i.Name != identity.Probe.Name {
			most = max(most, i.Effect)
		}
	}
	return most
}

// mappings returns, for each check, what the shipped profiles use it for.
func mappings() (map[string][]string, error) {
	all := map[string][]string{}
	for _, id := range profiles.IDs() {
		p, err := profile.Load(profiles.FS(), profiles.File(id), checks.ByID())
		if err != nil {
			return nil, err
		}
		for _, r := range p.Requirements {
			for _, m := range r.Mappings() {
				if m.Check != profile.Inspection {
					all[m.Check] = append(all[m.Check], fmt.Sprintf("`%s` %s (%s)", p.ID, r.ID, m.Can))
				}
			}
		}
	}
	return all, nil
}
