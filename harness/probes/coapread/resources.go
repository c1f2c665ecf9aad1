package coapread

import (
	"slices"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/probes/internal/coapdoor"
)

// found are the resources that are known so far.
type found struct {
	list    []Resource
	unasked map[string]struct{} // that are too many, or have too long a path
}

// declared begins with the listing and what the device file names.
func declared(said declaration.Evidence) *found {
	f := &found{unasked: map[string]struct{}{}}
	f.at(Core)
	for _, s := range said.Services {
		for _, r := range s.CoAP.Resources {
			if to := f.at(string(r.Path)); to != nil {
				to.Declared = evidence.Yes
			}
		}
	}
	return f
}

// add takes up a link of a listing.
func (f *found) add(l coapdoor.Link) {
	r := f.at(string(l.Path))
	if r == nil {
		return
	}
	r.Listed = evidence.Yes
	if r.Observable != evidence.Yes {
		r.Observable = l.Observable
	}
	if len(r.Type) == 0 {
		r.Type = l.Type
	}
}

// at returns the resource at a path, nil if it is not asked for.
func (f *found) at(path string) *Resource {
	i := slices.IndexFunc(f.list, func(r Resource) bool { return string(r.Path) == path })
	switch {
	case i >= 0:
		return &f.list[i]
	case len(path) > maxPath || len(f.list) >= maxResources:
		f.unasked[path] = struct{}{}
		return nil
	}
	f.list = append(f.list, Resource{Path: []byte(path), Declared: evidence.No, Listed: evidence.No, Observable: evidence.Unknown})
	return &f.list[len(f.list)-1]
}
