package cli

import (
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/assay-iot/assay/harness/result"
)

var _ = command(func(a *app) *cobra.Command {
	var f outputFlags
	c := &cobra.Command{
		Use:   "report BUNDLE|RESULT",
		Short: "Write a stored result in another format",
		Long: `Write a result in another format. A RESULT is the JSON that --format json has
written; a BUNDLE is judged first, as assay judge does. A result of another
schema, or one that was changed so that its parts no longer agree with their
form, is refused. Exit code 0: the report was written, whatever it says; the
exit code of assay judge is the verdict.`,
		Example: `  assay report lock.assay --format markdown
  assay report lock.json --format markdown,terminal --out reports`,
		Args: exactly(1, "a bundle or a result"),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := f.check(); err != nil {
				return err
			}
			r, err := stored(args[0])
			if err != nil {
				return err
			}
			return a.reported(r, &f, baseName(args[0]))
		},
	}
	f.add(c, "the reports (default: one report goes to standard output)")
	return c
})

// stored reads a result, or judges a bundle.
func stored(path string) (result.Result, error) {
	begins, err := beginning(path)
	switch {
	case err != nil:
		return result.Result{}, wrong(err, "name a bundle, or a result that was written with --format json")
	case begins == '{':
		return readResult(path)
	}
	return judged(path, nil, "")
}

// baseName is the name of a file without its folder and its extension.
func baseName(path string) string {
	return strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
}
