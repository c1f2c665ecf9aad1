package cli

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/assay-iot/assay/harness"
)

var _ = command(func(a *app) *cobra.Command {
	var f orderFlags
	var format string
	c := &cobra.Command{
		Use:   "plan DEVICE.yaml|ADDRESS",
		Short: "Show what a run would do, without sending anything",
		Long: `Show what a run would do: each probe with the most that it takes, and which
requirements can be decided with what is at hand. Nothing is sent.`,
		Example: `  assay plan lock.yaml
  assay plan lock.yaml --effect intrusive --profile uk-psti-2023
  assay plan 192.168.1.20 --quick --format json`,
		Args: exactly(1, "a device file or an address"),
		RunE: func(_ *cobra.Command, args []string) error {
			s, err := a.session(args[0], &f)
			if err != nil {
				return err
			}
			if format == "json" {
				return a.json(s.Preview())
			}
			a.showPlan(s.Preview())
			return nil
		},
	}
	f.add(c)
	textOrJSON(c, &format)
	return c
})

func (a *app) showPlan(p harness.Preview) {
	a.lines("", "  ", fmt.Sprintf("%s: %d TCP ports each, pace %s, effect %s at most", join(p.Addresses), p.Ports, p.Pace, p.Effect))
	fmt.Fprintln(a.Out)
	allowed := slices.DeleteFunc(slices.Clone(p.Probes), func(pr harness.PlannedProbe) bool { return !pr.Allowed })
	a.showBounds(allowed)
	var refused []string
	for _, pr := range p.Probes {
		if name := fmt.Sprintf("%s (%s)", pr.Probe, pr.Effect); !pr.Allowed && !slices.Contains(refused, name) {
			refused = append(refused, name)
		}
	}
	if len(refused) > 0 {
		fmt.Fprintln(a.Out)
		a.lines("", "  ", "Not allowed, and so not run: "+strings.Join(refused, ", ")+". Allow them with --effect.")
	}
	a.showReach(p)
}

// showBounds says what each probe takes at most.
func (a *app) showBounds(list []harness.PlannedProbe) {
	rows := [][]string{{"PROBE", "EFFECT", "AT MOST", "CONNECTIONS", "LOG-INS", "BYTES"}}
	units := slices.ContainsFunc(list, func(pr harness.PlannedProbe) bool { return pr.Unit != list[0].Unit })
	for _, pr := range list {
		name := pr.Probe
		if units {
			name = pr.Unit + " " + name
		}
		rows = append(rows, []string{
			name, pr.Effect, seconds(pr.Bound.Time), strconv.Itoa(pr.Bound.Connections), strconv.Itoa(pr.Bound.Logins), size(pr.Bound.Bytes),
		})
	}
	a.table(rows)
}

// showReach counts what can be decided, and names what cannot.
func (a *app) showReach(p harness.Preview) {
	can, lacking := 0, map[string]int{}
	var order []string
	for _, r := range p.Requirements {
		if r.CanDecide {
			can++
			continue
		}
		lacks := r.Lacks.String()
		if _, asks := r.Lacks.Args["question"]; asks {
			lacks = "a person's answer in the device file"
		}
		if lacking[lacks] == 0 {
			order = append(order, lacks)
		}
		lacking[lacks]++
	}
	fmt.Fprintln(a.Out)
	a.lines("", "", fmt.Sprintf("%d of %d requirements can be decided with what is at hand.", can, len(p.Requirements)))
	if len(order) == 0 {
		return
	}
	fmt.Fprintln(a.Out, "The others need:")
	for _, lacks := range order {
		a.lines(fmt.Sprintf("  %3d  ", lacking[lacks]), "       ", lacks)
	}
}
