package cli

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/assay-iot/assay/harness/checks"
	"github.com/assay-iot/assay/harness/profile"
	"github.com/assay-iot/assay/profiles"
)

var _ = command(func(a *app) *cobra.Command {
	c := group(&cobra.Command{
		Use:   "profile",
		Short: "Show and examine profiles of requirements",
		Example: `  assay profile list
  assay profile show uk-psti-2023
  assay profile lint my-profile.yaml
  assay profile coverage`,
	})
	c.AddCommand(a.profileList(), a.profileShow(), a.profileLint(), a.profileCoverage())
	return c
})

func (a *app) profileList() *cobra.Command {
	var format string
	c := &cobra.Command{
		Use: "list", Short: "List the profiles that come with assay", Args: noArgs,
		Example: "  assay profile list\n  assay profile list --format json",
		RunE: func(*cobra.Command, []string) error {
			list, err := loadProfiles(profiles.IDs())
			if err != nil {
				return err
			}
			if format == "json" {
				return a.json(list)
			}
			rows := [][]string{{"ID", "REQUIREMENTS", "TITLE"}}
			for _, p := range list {
				rows = append(rows, []string{p.ID, strconv.Itoa(len(p.Requirements)), p.Title})
			}
			a.table(rows)
			return nil
		},
	}
	textOrJSON(c, &format)
	return c
}

func (a *app) profileShow() *cobra.Command {
	var format string
	c := &cobra.Command{
		Use: "show ID|FILE", Short: "Show the requirements of a profile and what decides them", Args: exactly(1, "a profile"),
		Example:           "  assay profile show etsi-en-303-645-v3.1.3\n  assay profile show my-profile.yaml --format json",
		ValidArgsFunction: cobra.FixedCompletions(profiles.IDs(), cobra.ShellCompDirectiveDefault),
		RunE: func(_ *cobra.Command, args []string) error {
			p, err := loadProfile(args[0])
			if err != nil {
				return err
			}
			if format == "json" {
				return a.json(p)
			}
			a.showProfile(p)
			return nil
		},
	}
	textOrJSON(c, &format)
	return c
}

func (a *app) showProfile(p *profile.Profile) {
	fmt.Fprintln(a.Out, p.ID)
	a.lines("", "", p.Title)
	a.lines("", "", fmt.Sprintf("Version %s. %s", p.Version, p.Source.Document))
	for _, r := range p.Requirements {
		fmt.Fprintln(a.Out)
		a.lines("", "  ", fmt.Sprintf("%s (%s, %s)", r.ID, r.Level, r.Verified.Status))
		a.lines("  ", "  ", r.Text)
		if len(r.AppliesIf) > 0 {
			a.lines("  applies if: ", "    ", strings.Join(r.AppliesIf, ", "))
		}
		for _, m := range r.Mappings() {
			if m.Check != profile.Inspection {
				a.lines(fmt.Sprintf("  %-7s ", m.Can), "          ", m.Key())
			}
		}
		if r.Manual != "" {
			a.lines("  a person looks at: ", "    ", r.Manual)
		}
	}
}

func (a *app) profileLint() *cobra.Command {
	var format string
	c := &cobra.Command{
		Use: "lint ID|FILE...", Short: "Look for what makes a profile claim more than evidence can bear",
		Long: `Look for what makes a profile claim more than evidence can bear. Exit code 0:
nothing was found. 1: something was; the profile should not be used as it is.`,
		Example: "  assay profile lint my-profile.yaml\n  assay profile lint etsi-en-303-645-v3.1.3",
		Args:    atLeast(1, "a profile or several"),
		RunE: func(_ *cobra.Command, args []string) error {
			findings, err := lint(args)
			if err != nil {
				return err
			}
			return a.showFindings(findings, format)
		},
	}
	textOrJSON(c, &format)
	return c
}

func lint(ids []string) ([]profile.Finding, error) {
	facts, err := profile.ParseFacts(profiles.EvidenceCodes(), profiles.CheckPowers())
	if err != nil {
		return nil, err
	}
	findings := []profile.Finding{}
	for _, id := range ids {
		p, err := loadProfile(id)
		if err != nil {
			return nil, err
		}
		findings = append(findings, profile.Lint(p, checks.ByID(), facts)...)
	}
	return findings, nil
}

func (a *app) showFindings(findings []profile.Finding, format string) error {
	if format == "json" {
		if err := a.json(findings); err != nil {
			return err
		}
	} else {
		for _, f := range findings {
			a.lines("", "  ", f.String())
		}
	}
	a.say("assay: findings: %d", len(findings))
	if len(findings) > 0 {
		return exitFailed
	}
	return nil
}

func (a *app) profileCoverage() *cobra.Command {
	var format string
	c := &cobra.Command{
		Use: "coverage [ID|FILE...]", Short: "Count what test, inspection and declaration can decide",
		Example: "  assay profile coverage\n  assay profile coverage uk-psti-2023 --format json",
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				args = profiles.IDs()
			}
			list, err := loadProfiles(args)
			if err != nil {
				return err
			}
			covers := map[string]profile.Cover{}
			for _, p := range list {
				covers[p.ID] = profile.Coverage(p, checks.ByID())
			}
			if format == "json" {
				return a.json(covers)
			}
			a.showCoverage(list, covers)
			return nil
		},
	}
	textOrJSON(c, &format)
	return c
}

func (a *app) showCoverage(list []*profile.Profile, covers map[string]profile.Cover) {
	rows := [][]string{{"PROFILE", "ALL", "TEST", "INSPECTION", "DECLARATION", "REFUTED", "NOBODY"}}
	for _, p := range list {
		t, row := covers[p.ID].Total, []string{p.ID}
		for _, n := range []int{len(p.Requirements), t.Tested, t.Inspected, t.Declared, t.OnlyRefuted, t.Nobody} {
			row = append(row, strconv.Itoa(n))
		}
		rows = append(rows, row)
	}
	a.table(rows)
	fmt.Fprintln(a.Out)
	a.lines("", "", "Each requirement counts once, under the strongest that can decide it; REFUTED are those that nothing decides and of which a test can show a violation. Of all of them a test can show a violation of:")
	for _, p := range list {
		a.lines("  ", "    ", fmt.Sprintf("%s: %d of %d", p.ID, covers[p.ID].Total.Refutable, len(p.Requirements)))
	}
}
