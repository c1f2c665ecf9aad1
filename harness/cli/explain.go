package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/assay-iot/assay/harness"
	"github.com/assay-iot/assay/harness/evidence/bundle"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/result"
)

var _ = command(func(a *app) *cobra.Command {
	var ids []string
	var format string
	c := &cobra.Command{
		Use:   "explain BUNDLE REQUIREMENT|CHECK",
		Short: "Walk back from a verdict to the bytes that it rests on",
		Long: `Walk back from a verdict to the bytes that it rests on: from the requirement to
its checks, from each check to what it looked at, and from there to the field of
the record and to the bytes that the device sent.`,
		Example: `  assay explain lock.assay 5.5-5
  assay explain lock.assay mqtt.anonymous-refused
  assay explain lock.assay "S1.1(2)" --profile uk-psti-2023`,
		Args: exactly(2, "a bundle, and a requirement or a check"),
		RunE: func(_ *cobra.Command, args []string) error {
			e, err := explain(args[0], args[1], ids)
			if err != nil {
				return err
			}
			if format == "json" {
				return a.json(e)
			}
			a.showTrails(e)
			return nil
		},
	}
	profileFlag(c, &ids, "those of the run")
	textOrJSON(c, &format)
	return c
})

// explained is what explain --format json prints.
type explained struct {
	Schema       string               `json:"schema"` // unstable until the first release
	Requirements []result.Requirement `json:"requirements"`
	Trails       []harness.Trail      `json:"trails"`
}

func explain(path, what string, ids []string) (explained, error) {
	b, err := openBundle(path)
	if err != nil {
		return explained{}, err
	}
	defer b.Close() //nolint:errcheck // it was only read
	r, err := judgeBundle(b, ids, "")
	if err != nil {
		return explained{}, err
	}
	e := explained{Schema: "assay-explain/0", Requirements: named(r, what), Trails: []harness.Trail{}}
	if err := e.follow(r, what, b); err != nil {
		return e, fmt.Errorf("bundle %q: %w", path, err)
	}
	if len(e.Requirements)+len(e.Trails) == 0 {
		return e, wrong(fmt.Errorf("no requirement and no check of the result is called %q", what), "assay report %s --format markdown lists them", path)
	}
	return e, nil
}

// named returns the requirements that have the ID, of whatever profile.
func named(r result.Result, id string) []result.Requirement {
	list := []result.Requirement{}
	for _, q := range r.Requirements {
		if q.ID == id || q.Profile+":"+q.ID == id {
			list = append(list, q)
		}
	}
	return list
}

// follow walks back from the decisions of a check, or from those that the
// requirements rest on.
func (e *explained) follow(r result.Result, what string, b *bundle.Bundle) error {
	for _, d := range r.Decisions {
		restsOn := func(q result.Requirement) bool { return slices.Contains(q.Checks, d.Key()) }
		if d.Check != what && !slices.ContainsFunc(e.Requirements, restsOn) {
			continue
		}
		trail, err := harness.Explain(d, b)
		if err != nil {
			return err
		}
		e.Trails = append(e.Trails, trail)
	}
	return nil
}

func (a *app) showTrails(e explained) {
	for i, q := range e.Requirements {
		if i > 0 {
			fmt.Fprintln(a.Out)
		}
		a.lines("", "  ", fmt.Sprintf("%s %s (%s): %s", q.Profile, q.ID, q.Level, spoken(string(q.Verdict))))
		a.lines("  ", "  ", q.Text)
		a.labelled(2, "why", q.Why)
		a.labelled(2, "next", q.Next)
	}
	for i, t := range e.Trails {
		if i+len(e.Requirements) > 0 {
			fmt.Fprintln(a.Out)
		}
		a.lines("", "  ", t.Decision.Key()+": "+spoken(string(t.Decision.Verdict)))
		a.lines("  ", "  ", t.Decision.Title.String())
		for i, item := range t.Decision.Items {
			a.showItem(item, t.Items[i])
		}
		a.labelled(2, "remedy", t.Decision.Remedy)
	}
}

func (a *app) showItem(item result.Item, trail harness.ItemTrail) {
	where := item.Endpoint
	if where == "" {
		where = "the device"
	}
	a.lines("  ", "    ", fmt.Sprintf("%s at %s: %s", spoken(string(item.Verdict)), where, item.Why))
	a.labelled(4, "advisory", item.Advisory)
	a.labelled(4, "next", item.Next)
	for _, c := range trail.Cited {
		a.lines("    ", "      ", fmt.Sprintf("record %d, %s%s = %s", c.Record, c.Ref.Probe, c.Ref.Pointer, clip(string(c.Value))))
		if c.Span.Length > 0 {
			a.lines("      ", "        ", fmt.Sprintf("%s, bytes %d to %d: %s", c.Span.Member, c.Span.Offset, c.Span.Offset+c.Span.Length-1, clip(c.Bytes.String())))
		}
	}
}

// labelled writes a text after its name, if there is one.
func (a *app) labelled(indent int, name string, text msg.Text) {
	if !text.IsZero() {
		a.lines(strings.Repeat(" ", indent)+name+": ", strings.Repeat(" ", indent+2), text.String())
	}
}

// spoken writes one of our own names for people.
func spoken(name string) string { return strings.ReplaceAll(name, "_", " ") }

// maxShown is how much of one value of the evidence is shown, in bytes.
const maxShown = 160

// clip shortens what a device sent.
func clip(s string) string {
	if len(s) <= maxShown {
		return s
	}
	return strings.ToValidUTF8(s[:maxShown], "") + "…"
}
