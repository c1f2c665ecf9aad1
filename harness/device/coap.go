package device

import (
	"strings"

	"github.com/assay-iot/assay/harness/msg"
)

// CoAP says who may do what on a CoAP server of the device.
type CoAP struct {
	// Credential is the ID of the log-in that may read, observe and write all
	// that is listed; its user is the PSK identity, its password the key.
	Credential string         `yaml:"credential"`
	OSCORE     Answered       `yaml:"oscore"` // whether messages are protected by OSCORE (RFC 8613)
	Resources  []CoAPResource `yaml:"resources"`
}

// CoAPResource is one resource of a CoAP server.
type CoAPResource struct {
	Path       string   `yaml:"path"`       // absolute, such as "/setpoint"
	Public     Answered `yaml:"public"`     // yes: anybody may read it; no: only who has authenticated
	Observable Answered `yaml:"observable"` // whether it sends notifications (RFC 7641)
	// TestValues are payloads that may be written for a test, because no harm
	// comes of them: two, so that one differs from what is there. What was
	// there is put back.
	TestValues []string `yaml:"test_values"`
}

// validateCoAP sees to it that paths are usable and the credential exists.
func (f *File) validateCoAP(path string, c *CoAP, known map[string]bool) error {
	if c == nil {
		return nil
	}
	if c.Credential != "" {
		if err := f.knownCredential(path+".credential", c.Credential, known); err != nil {
			return err
		}
	}
	seen := map[string]bool{}
	for i, r := range c.Resources {
		at := entry(path+".resources", i)
		switch {
		case !strings.HasPrefix(r.Path, "/") || strings.ContainsAny(r.Path, "?#"):
			return f.fault(at+".path", "write it as in /setpoint, without query", "%q: %q is not a path of CoAP", at+".path", r.Path)
		case seen[r.Path]:
			return f.fault(at+".path", "name each resource once", "%q is listed twice", r.Path)
		case len(r.TestValues) == 1:
			return f.fault(at+".test_values", "give two values: one of them differs from what is there", "%q holds one value", at+".test_values")
		}
		seen[r.Path] = true
	}
	return nil
}

// lintCoAP asks for what only the maker knows of a CoAP server.
func lintCoAP(path string, s Service, add addNote) {
	var c CoAP
	if s.CoAP != nil {
		c = *s.CoAP
	}
	add(path, len(c.Resources) == 0, msg.T("CoAP service {service} lists no resource: what answers without a log-in cannot be told from what should not", "service", s.ID),
		msg.T("list its resources under coap.resources, each with public: yes or no"))
	add(path+".credential", c.Credential == "", msg.T("CoAP service {service} names no log-in: that a resource is protected cannot be told from one that is broken", "service", s.ID),
		msg.T("add a credential with service coap, its user the PSK identity, and name it in coap.credential"))
	for i, r := range c.Resources {
		add(entry(path+".resources", i), r.Public == "", msg.T("resource {path} does not say whether it is public", "path", r.Path),
			msg.T("add public, yes or no"))
	}
}
