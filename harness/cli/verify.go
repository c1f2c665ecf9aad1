package cli

import (
	"crypto/ed25519"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/assay-iot/assay/harness/evidence/bundle"
)

var _ = command(func(a *app) *cobra.Command {
	var keys []string
	var format string
	c := &cobra.Command{
		Use:   "verify BUNDLE",
		Short: "Find out whether a bundle is as it was sealed, and by whom",
		Long: `Find out whether a bundle is as it was sealed, byte for byte, and who signed it.
Exit code 0: intact. 1: broken. A key of your own is trusted; trust others with
--key.`,
		Example: `  assay verify lock.assay
  assay verify lock.assay --key lab-berlin.pub`,
		Args: exactly(1, "a bundle"),
		RunE: func(_ *cobra.Command, args []string) error {
			trusted, err := a.trustedKeys(keys)
			if err != nil {
				return err
			}
			report, err := bundle.Verify(args[0], trusted)
			if err != nil {
				return wrong(err, "name a bundle that assay run has written")
			}
			return a.showVerified(args[0], report, format)
		},
	}
	c.Flags().StringSliceVar(&keys, "key", nil, "PEM `FILE` with the public key of somebody whose bundles you trust")
	textOrJSON(c, &format)
	return c
})

// trustedKeys are those that the user names, and the user's own if there is one.
func (a *app) trustedKeys(paths []string) ([]ed25519.PublicKey, error) {
	var trusted []ed25519.PublicKey
	for _, path := range paths {
		key, err := bundle.ReadPublicKey(path)
		if err != nil {
			return nil, wrong(fmt.Errorf("--key: %w", err), "give the signing.pub of whoever sealed it")
		}
		trusted = append(trusted, key)
	}
	if dir, err := a.keyDir(); err == nil {
		if own, err := bundle.ReadPublicKey(filepath.Join(dir, bundle.SigningPub)); err == nil {
			trusted = append(trusted, own)
		}
	}
	return trusted, nil
}

// verified is what verify --format json prints.
type verified struct {
	Schema  string `json:"schema"` // unstable until the first release
	Intact  bool   `json:"intact"`
	Why     string `json:"why"`
	Run     string `json:"run"`
	Records int    `json:"records"`
	SHA256  string `json:"sha256"`
	Key     string `json:"key"` // fingerprint of the signer, empty if unsigned or broken
	Trusted bool   `json:"trusted"`
}

func (a *app) showVerified(path string, r bundle.Report, format string) error {
	v := verified{
		Schema: "assay-verify/0", Intact: r.Broken == nil, Why: r.Text().String(), Run: r.Head.Run,
		Records: r.Records, SHA256: string(r.Digest), Trusted: r.Trusted,
	}
	if r.Key != nil {
		v.Key = bundle.Fingerprint(r.Key)
	}
	if format == "json" {
		if err := a.json(v); err != nil {
			return err
		}
	} else {
		a.lines(oneLine(path)+": ", "  ", v.Why)
	}
	if !v.Intact {
		return exitFailed
	}
	return nil
}
