package cli

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/assay-iot/assay/harness/device"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/profile"
	"github.com/assay-iot/assay/profiles"
)

var _ = command(func(a *app) *cobra.Command {
	c := group(&cobra.Command{
		Use:     "device",
		Short:   "Examine device files",
		Example: "  assay device lint lock.yaml",
	})
	c.AddCommand(a.deviceLint())
	return c
})

func (a *app) deviceLint() *cobra.Command {
	var ids []string
	var format string
	c := &cobra.Command{
		Use:   "lint FILE",
		Short: "Say whether a device file can be used, and what it leaves open",
		Long: `Say whether a device file can be used, and what it leaves open, line by line.
Exit code 0: it can be used. 2: it cannot; file, line and what to do are named.`,
		Example: "  assay device lint lock.yaml\n  assay device lint lock.yaml --profile uk-psti-2023 --format json",
		Args:    exactly(1, "a device file"),
		RunE: func(_ *cobra.Command, args []string) error {
			list, err := loadProfiles(ids)
			if err != nil {
				return err
			}
			return a.lintDevice(args[0], list, format)
		},
	}
	profilesAskFlag(c, &ids)
	textOrJSON(c, &format)
	return c
}

// profilesAskFlag adds --profile to a command that asks what profiles ask.
func profilesAskFlag(c *cobra.Command, ids *[]string) {
	c.Flags().StringSliceVarP(ids, "profile", "p", nil, "`PROFILES` whose questions the file is to answer (default "+profiles.Default+")")
	complete(c, "profile", profiles.IDs())
}

// openPoint is one thing that a device file leaves open, as device lint prints
// it.
type openPoint struct {
	File string   `json:"file"`
	Line int      `json:"line"`
	What msg.Text `json:"what"`
	Next msg.Text `json:"next"`
}

func (a *app) lintDevice(path string, list []*profile.Profile, format string) error {
	f, err := device.Read(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return wrong(err, "name a device file; assay init ADDRESS writes a draft")
	case err != nil:
		return err
	}
	if _, err := f.ScopeOf(a.Now().UTC()); err != nil {
		return err
	}
	notes, err := openQuestions(f, list)
	if err != nil {
		return err
	}
	points := []openPoint{}
	for _, n := range notes {
		points = append(points, openPoint{path, n.Line, n.What, n.Next})
	}
	if format == "json" {
		err = a.json(points)
	} else {
		a.showPoints(points)
	}
	a.say("assay: %s can be used; open points: %d", path, len(points))
	return err
}

func (a *app) showPoints(points []openPoint) {
	for _, p := range points {
		a.lines("", "  ", fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.What))
		a.lines("  next: ", "    ", p.Next.String())
	}
}

// openQuestions returns what a run misses in a device file, by line: what every
// run looks for, and what the profiles ask. A credential that cannot be read is
// an error, as it is for a run.
func openQuestions(f *device.File, list []*profile.Profile) ([]device.Note, error) {
	notes := f.Lint()
	services := map[string]bool{}
	for _, c := range f.Credentials {
		services[c.Service] = true
	}
	for _, service := range slices.Sorted(maps.Keys(services)) {
		_, kept, err := f.Secrets(service)
		if err != nil {
			return nil, err
		}
		notes = append(notes, kept...)
	}
	shipped, err := loadProfiles(profiles.IDs())
	if err != nil {
		return nil, err
	}
	notes = slices.Concat(notes, unanswered(f, list), unasked(f, slices.Concat(list, shipped)))
	slices.SortStableFunc(notes, func(a, b device.Note) int { return cmp.Compare(a.Line, b.Line) })
	return notes, nil
}

// unanswered returns the features that the profiles ask for and the file does
// not answer. Where it answers none package device says so once.
func unanswered(f *device.File, list []*profile.Profile) []device.Note {
	var notes []device.Note
	asked := map[string]string{}
	for _, p := range list {
		maps.Copy(asked, p.Features)
	}
	for _, name := range slices.Sorted(maps.Keys(asked)) {
		if f.ICS.Features[name] == "" && len(f.ICS.Features) > 0 {
			notes = append(notes, device.Note{Line: f.Line("ics.features"), What: msg.T("feature {feature} is not answered: {question}", "feature", name, "question", asked[name]),
				Next: msg.T("answer yes or no under ics.features")})
		}
	}
	return notes
}

// unasked returns the answers that no known profile asks for: they are mistyped,
// or of no use.
func unasked(f *device.File, known []*profile.Profile) []device.Note {
	var notes []device.Note
	for _, name := range slices.Sorted(maps.Keys(f.ICS.Features)) {
		if !slices.ContainsFunc(known, func(p *profile.Profile) bool { return p.Features[name] != "" }) {
			notes = append(notes, device.Note{Line: f.Line("ics.features[" + name + "]"), What: msg.T("no profile asks for feature {feature}: the answer changes nothing", "feature", name),
				Next: msg.T("compare the name with what assay profile show lists")})
		}
	}
	for _, id := range slices.Sorted(maps.Keys(f.ICS.Provisions)) {
		has := func(p *profile.Profile) bool {
			return slices.ContainsFunc(p.Requirements, func(r profile.Requirement) bool { return r.ID == id })
		}
		if !slices.ContainsFunc(known, has) {
			notes = append(notes, device.Note{Line: f.Line("ics.provisions[" + id + "]"), What: msg.T("no profile has a provision {provision}: the answer changes nothing", "provision", id),
				Next: msg.T("compare the number with what assay profile show lists")})
		}
	}
	return notes
}
