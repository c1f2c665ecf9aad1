package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// Version is set when a release is linked.
var Version = "devel"

// program is the name and version of this program as it stands in results.
func program() string { return "assay " + Version }

var _ = command(func(a *app) *cobra.Command {
	var format string
	c := &cobra.Command{
		Use:     "version",
		Short:   "Show the version of assay",
		Example: "  assay version\n  assay version --format json",
		Args:    noArgs,
		RunE: func(*cobra.Command, []string) error {
			if format == "json" {
				return a.json(map[string]string{"version": Version, "commit": commit(), "go": runtime.Version(), "platform": runtime.GOOS + "/" + runtime.GOARCH})
			}
			_, err := fmt.Fprintln(a.Out, program())
			return err
		},
	}
	textOrJSON(c, &format)
	return c
})

// commit is the version control revision that the program was built from, empty
// if the build does not say.
func commit() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value
		}
	}
	return ""
}
