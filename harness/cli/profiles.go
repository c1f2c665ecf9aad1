package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/assay-iot/assay/harness/checks"
	"github.com/assay-iot/assay/harness/profile"
	"github.com/assay-iot/assay/profiles"
)

// profileFlag adds --profile with completion of the profiles that come with the
// program.
func profileFlag(c *cobra.Command, ids *[]string, unset string) {
	c.Flags().StringSliceVarP(ids, "profile", "p", nil, "`PROFILES` to judge by, IDs or files, by commas (default "+unset+")")
	err := c.RegisterFlagCompletionFunc("profile", cobra.FixedCompletions(profiles.IDs(), cobra.ShellCompDirectiveDefault))
	if err != nil {
		panic(err) // the flag exists: it was added above
	}
}

// loadProfiles reads the profiles that the user named, the default one if none.
func loadProfiles(ids []string) ([]*profile.Profile, error) {
	if len(ids) == 0 {
		ids = []string{profiles.Default}
	}
	var list []*profile.Profile
	for _, id := range ids {
		p, err := loadProfile(id)
		if err != nil {
			return nil, err
		}
		twice := func(other *profile.Profile) bool { return other.ID == p.ID }
		if slices.ContainsFunc(list, twice) {
			return nil, wrong(fmt.Errorf("profile %q is named twice", p.ID), "name it once")
		}
		list = append(list, p)
	}
	return list, nil
}

// loadProfile reads a profile that comes with the program, by its ID, or one of
// the user's own, by its file name.
func loadProfile(id string) (*profile.Profile, error) {
	if slices.Contains(profiles.IDs(), id) {
		return profile.Load(profiles.FS(), profiles.File(id), checks.ByID())
	}
	if filepath.Ext(id) != profiles.Ext {
		return nil, wrong(fmt.Errorf("no profile has the ID %q", id), "there are %s; a file of your own ends in %s", strings.Join(profiles.IDs(), ", "), profiles.Ext)
	}
	if _, err := os.Stat(id); err != nil {
		return nil, wrong(err, "name a profile file, or one of %s", strings.Join(profiles.IDs(), ", "))
	}
	return profile.Load(os.DirFS(filepath.Dir(id)), filepath.Base(id), checks.ByID())
}
