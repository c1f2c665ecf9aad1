package device

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/assay-iot/assay/harness/evidence"
)

// validateReferences sees to it that every credential that a service names is
// there.
func (f *File) validateReferences() error {
	known := map[string]bool{}
	for _, c := range f.Credentials {
		known[c.ID] = true
	}
	for i, s := range f.IXIT.SoftServ {
		if err := f.validateCoAP(entry("ixit.soft_serv", i)+".coap", s.CoAP, known); err != nil {
			return err
		}
		if s.MQTT == nil {
			continue
		}
		path := entry("ixit.soft_serv", i) + ".mqtt"
		seen := map[string]bool{}
		for j, id := range s.MQTT.Identities {
			at := entry(path+".identities", j) + ".credential"
			if err := firstOf(f.validID(at, id.Credential, seen), f.knownCredential(at, id.Credential, known)); err != nil {
				return err
			}
		}
		if all := s.MQTT.ReadsAll; all != "" {
			if err := f.knownCredential(path+".reads_all", all, known); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *File) knownCredential(path, id string, known map[string]bool) error {
	if !known[id] {
		return f.fault(path, "add it under \"credentials\"", "%q: there is no credential %q", path, id)
	}
	return nil
}

func (f *File) validateUnits() error {
	seen := map[string]bool{evidence.DUT: true}
	for i, u := range f.Units {
		path := entry("units", i)
		if err := f.validID(path+".name", u.Name, seen); err != nil {
			return err
		}
		if len(u.Addresses) == 0 && u.File == "" {
			return f.fault(path, "name its addresses, or its own device file", "%q has neither addresses nor a file", path)
		}
	}
	return nil
}

// validateAnswers sees to it that every answer says who gave it and when: that
// is what makes it worth more than a declaration.
func (f *File) validateAnswers() error {
	seen := map[[3]string]bool{}
	for i, a := range f.Answers {
		path := entry("answers", i)
		if err := f.needs(path, "question", a.Question, "answer", string(a.Answer), "who", a.Who); err != nil {
			return err
		}
		once := [3]string{a.Question, a.Who, a.When.String()}
		switch {
		case a.When.IsZero():
			return f.fault(path+".when", "", "%q is missing", path+".when")
		case seen[once]:
			return f.fault(path+".question", "keep the answer that holds", "question %q is answered twice by %q on one day", a.Question, a.Who)
		}
		seen[once] = true
		for j := range a.Attachments {
			if err := f.normalHash(entry(path+".attachments", j)+".sha256", &a.Attachments[j].SHA256); err != nil {
				return err
			}
		}
	}
	return nil
}

// A named is a file that the device file names.
type named struct {
	path   string // in the device file
	file   string
	sha256 string // that it must have, or empty
}

// files returns all files that f names.
func (f *File) files() []named {
	var all []named
	add := func(path, file, sha256 string) {
		if file != "" {
			all = append(all, named{path, file, sha256})
		}
	}
	for path, list := range map[string][]string{"trust.anchors": f.Trust.Anchors, "firmware": f.Firmware, "captures": f.Captures} {
		for i, file := range list {
			all = append(all, named{entry(path, i), file, ""})
		}
	}
	add("trust.test_ca", f.Trust.TestCA, "")
	for i, c := range f.Credentials {
		add(entry("credentials", i)+".password.file", c.Password.File, "")
	}
	for i, u := range f.Units {
		add(entry("units", i)+".file", u.File, "")
	}
	for i, a := range f.Answers {
		for j, at := range a.Attachments {
			add(entry(entry("answers", i)+".attachments", j)+".file", at.File, at.SHA256)
		}
	}
	slices.SortFunc(all, func(a, b named) int { return strings.Compare(a.path, b.path) })
	return all
}

// validatePaths refuses names that lead out of the folder of the device file:
// a file from elsewhere must not choose what is read on this machine.
func (f *File) validatePaths() error {
	for _, n := range f.files() {
		if !filepath.IsLocal(filepath.FromSlash(n.file)) || strings.Contains(n.file, `\`) {
			return f.fault(n.path, "put the file beside the device file", "%q is not inside the folder of the device file", n.file)
		}
	}
	return nil
}
