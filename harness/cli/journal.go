package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/assay-iot/assay/harness"
	"github.com/assay-iot/assay/harness/evidence/bundle"
)

// journal begins a journal, or carries one on, with the user's keys.
func (a *app) journal(s *harness.Session, f *runFlags) (*bundle.Journal, bundle.KeySet, error) {
	if f.resume != "" {
		return a.resume(f.resume)
	}
	keys, err := a.keys()
	if err == nil {
		err = f.make()
	}
	if err != nil {
		return nil, keys, err
	}
	dir := filepath.Join(f.dir(), s.RunID()+".assay.d")
	j, err := bundle.Create(dir, bundle.Head{Run: s.RunID(), Tool: program()}, keys.Recipients())
	switch {
	case errors.Is(err, os.ErrExist):
		err = wrong(fmt.Errorf("a run of this device has just begun: %q exists", dir), "wait a second, or name another folder with --out")
	case err != nil:
		err = wrong(err, "name a folder that you may write to with --out")
	}
	return j, keys, err
}

// resume takes up a journal with the keys that it was begun with. It makes
// none: others could not read what the first part of the run has masked.
func (a *app) resume(dir string) (*bundle.Journal, bundle.KeySet, error) {
	var keys bundle.KeySet
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return nil, keys, wrong(fmt.Errorf("--resume %q is no folder", dir), "name the folder that ends in .assay.d")
	}
	own, err := a.keyDir()
	if err != nil {
		return nil, keys, err
	}
	if _, err := os.Stat(filepath.Join(own, bundle.SealingKey)); err != nil {
		return nil, keys, wrong(fmt.Errorf("the key that the run was begun with is not here: %w", err), "carry on as the user who began it, or set ASSAY_KEYS")
	}
	if keys, err = a.keys(); err != nil {
		return nil, keys, err
	}
	j, err := bundle.Resume(dir, keys.Sealing)
	if err != nil {
		return nil, keys, wrong(err, "a journal is carried on by the version of assay that began it; run again without --resume")
	}
	return j, keys, nil
}

// discard removes the journal of a run that has not begun. One that was carried
// on, or that holds a record, stays.
func (f *runFlags) discard(j *bundle.Journal) error {
	if f.resume != "" || len(j.Log()) > 0 {
		return nil
	}
	return errors.Join(j.Close(), os.RemoveAll(j.Dir()))
}
