package cli

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/assay-iot/assay/harness"
	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/checks"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/identity"
	"github.com/assay-iot/assay/harness/profile"
	"github.com/assay-iot/assay/profiles"
)

var _ = command(func(a *app) *cobra.Command {
	c := group(&cobra.Command{
		Use:     "check",
		Short:   "Show what the checks assert and what they need",
		Example: "  assay check list\n  assay check show mqtt.anonymous-refused",
	})
	c.AddCommand(a.checkList(), a.checkShow())
	return c
})

// described is a check as check list and check show print it.
type described struct {
	ID     string   `json:"id"`
	Title  string   `json:"title"`
	Remedy string   `json:"remedy"`
	Needs  []string `json:"needs"`
	OneOf  []string `json:"one_of"`
	Uses   []string `json:"uses"`
	Units  int      `json:"units"`
	With   any      `json:"with"`   // parameters and their defaults
	Effect string   `json:"effect"` // that its probes need
	Mapped []string `json:"mapped"` // PROFILE:REQUIREMENT of the shipped profiles
}

func describe(c check.Check, mapping []*profile.Profile) described {
	return described{
		ID: c.ID, Title: c.Title, Remedy: c.Remedy, Units: max(1, c.Units), With: c.Params,
		Needs: probeNames(c.Needs), OneOf: probeNames(c.OneOf), Uses: probeNames(c.Uses),
		Effect: effectOf(c).String(), Mapped: mapped(c.ID, mapping),
	}
}

// effectOf is the most that the probes do which a check cannot do without. The
// watch over the device's identity belongs to every run.
func effectOf(c check.Check) probe.Effect {
	most := probe.Passive
	for _, p := range harness.Plan([]check.Check{{Needs: c.Needs}}) {
		if info := p.Info(); info.Name != identity.Probe.Name {
			most = max(most, info.Effect)
		}
	}
	return most
}

// mapped names the requirements that rest on a check.
func mapped(id string, list []*profile.Profile) []string {
	names := []string{}
	for _, p := range list {
		for _, r := range p.Requirements {
			for _, m := range r.Mappings() {
				if m.Check == id {
					names = append(names, fmt.Sprintf("%s:%s (%s)", p.ID, r.ID, m.Can))
				}
			}
		}
	}
	return names
}

func probeNames(list []probe.Any) []string {
	names := []string{}
	for _, p := range list {
		names = append(names, p.Info().Name)
	}
	return names
}

func (a *app) checkList() *cobra.Command {
	var format string
	c := &cobra.Command{
		Use: "list", Short: "List the checks", Args: noArgs,
		Example: "  assay check list\n  assay check list --format json",
		RunE: func(*cobra.Command, []string) error {
			mapping, err := loadProfiles(profiles.IDs())
			if err != nil {
				return err
			}
			var list []described
			rows := [][]string{{"ID", "EFFECT", "ASSERTS"}}
			for _, c := range checks.All() {
				d := describe(c, mapping)
				list = append(list, d)
				rows = append(rows, []string{d.ID, d.Effect, d.Title})
			}
			if format == "json" {
				return a.json(list)
			}
			a.table(rows)
			return nil
		},
	}
	textOrJSON(c, &format)
	return c
}

func (a *app) checkShow() *cobra.Command {
	var format string
	var ids []string
	for _, c := range checks.All() {
		ids = append(ids, c.ID)
	}
	c := &cobra.Command{
		Use: "show ID", Short: "Show one check", Args: exactly(1, "the ID of a check"),
		Example:           "  assay check show exposure.telnet-absent\n  assay check show exposure.telnet-absent --format json",
		ValidArgsFunction: cobra.FixedCompletions(ids, cobra.ShellCompDirectiveNoFileComp),
		RunE: func(_ *cobra.Command, args []string) error {
			c, ok := checks.ByID()[args[0]]
			if !ok {
				return wrong(fmt.Errorf("no check has the ID %q", args[0]), "assay check list names them")
			}
			mapping, err := loadProfiles(profiles.IDs())
			if err != nil {
				return err
			}
			if format == "json" {
				return a.json(describe(c, mapping))
			}
			a.showCheck(describe(c, mapping))
			return nil
		},
	}
	textOrJSON(c, &format)
	return c
}

func (a *app) showCheck(d described) {
	fmt.Fprintln(a.Out, d.ID)
	a.lines("  ", "  ", d.Title)
	rows := [][]string{
		{"  remedy", d.Remedy}, {"  probes", strings.Join(d.Needs, ", ")}, {"  one of", strings.Join(d.OneOf, ", ")},
		{"  optional", strings.Join(d.Uses, ", ")}, {"  effect", d.Effect},
	}
	if d.Units > 1 {
		rows = append(rows, []string{"  units", strconv.Itoa(d.Units) + " distinct ones"})
	}
	if d.With != nil {
		rows = append(rows, []string{"  with", fmt.Sprintf("%+v", d.With)})
	}
	label := "  mapped by"
	for _, name := range d.Mapped {
		rows, label = append(rows, []string{label, name}), ""
	}
	var filled [][]string
	for _, row := range rows {
		if row[1] != "" {
			filled = append(filled, row)
		}
	}
	a.table(filled)
}
