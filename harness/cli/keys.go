package cli

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/assay-iot/assay/harness/evidence/bundle"
)

// keyDir is where the user's keys are kept.
func (a *app) keyDir() (string, error) {
	if dir := a.Getenv("ASSAY_KEYS"); dir != "" {
		return dir, nil
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", wrong(fmt.Errorf("no place for keys: %w", err), "set ASSAY_KEYS to a directory")
	}
	return filepath.Join(dir, "assay"), nil
}

// keys are the user's, made at first use and named when they are.
func (a *app) keys() (bundle.KeySet, error) {
	dir, err := a.keyDir()
	if err != nil {
		return bundle.KeySet{}, err
	}
	keys, err := bundle.Keys(dir)
	for _, created := range keys.Created {
		a.say("assay: made a key: %s", created)
	}
	if err != nil {
		return keys, wrong(err, "repair it, or set ASSAY_KEYS to a directory of your own")
	}
	return keys, nil
}
