package device

import (
	"fmt"
	"maps"
	"net"
	"regexp"
	"slices"
	"strings"
)

// validate reports the first thing in f that is of the right type and still
// cannot be meant.
func (f *File) validate() error {
	for _, part := range []func() error{
		f.validateDevice, f.validateAddresses, f.validateConsent, f.validateICS, f.validateServices,
		f.validateTrust, f.validateCredentials, f.validateReferences, f.validateLwM2M, f.validateUnits, f.validateAnswers, f.validatePaths,
	} {
		if err := part(); err != nil {
			return err
		}
	}
	return nil
}

// idForm keeps names short and fit for file names.
var idForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

const idHint = "up to 64 letters, digits, dots, hyphens and underscores, a letter or digit first"

// validID sees to it that an ID is there, has the form of one, and is new.
func (f *File) validID(path, id string, seen map[string]bool) error {
	switch {
	case id == "":
		return f.fault(path, "", "%q is missing", path)
	case !idForm.MatchString(id):
		return f.fault(path, idHint, "%q: %q is no name", path, id)
	case seen[id]:
		return f.fault(path, "give each entry a name of its own", "%q: %q stands twice", path, id)
	}
	seen[id] = true
	return nil
}

// needs reports the first of the named values under path that is empty, given
// in turn as name and value.
func (f *File) needs(path string, namesAndValues ...string) error {
	for pair := range slices.Chunk(namesAndValues, 2) {
		if strings.TrimSpace(pair[1]) == "" {
			return f.fault(join(path, pair[0]), "", "%q is missing", join(path, pair[0]))
		}
	}
	return nil
}

// bytesOfMAC is the length of an Ethernet address; net.ParseMAC takes longer
// ones as well.
const bytesOfMAC = 6

func (f *File) validateDevice() error {
	if err := f.validID("device.id", f.Device.ID, map[string]bool{}); err != nil || f.Device.MAC == "" {
		return err
	}
	mac, err := net.ParseMAC(f.Device.MAC)
	if err != nil || len(mac) != bytesOfMAC {
		return f.fault("device.mac", "", "%q is no MAC address", f.Device.MAC)
	}
	f.Device.MAC = mac.String()
	return nil
}

func (f *File) validateConsent() error {
	if f.Consent == nil {
		return nil
	}
	if err := f.needs("consent", "who", f.Consent.Who, "what", f.Consent.What, "effect", f.Consent.Effect); err != nil {
		return err
	}
	if f.Consent.Until.IsZero() {
		return f.fault("consent.until", "say when the consent ends", "%q is missing", "consent.until")
	}
	if !slices.Contains(effects, f.Consent.Effect) {
		return f.fault("consent.effect", "", "effect %q is none of %q", f.Consent.Effect, effects)
	}
	return nil
}

// maxName bounds names that a profile or another program chose.
const maxName = 100

func (f *File) validateICS() error {
	for _, name := range slices.Sorted(maps.Keys(f.ICS.Features)) {
		if len(name) > maxName || strings.TrimSpace(name) != name {
			return f.fault(entry("ics.features", name), "", "%q is no name of a feature", name)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(f.ICS.Provisions)) {
		path := entry("ics.provisions", id)
		switch {
		case len(id) > maxName || strings.TrimSpace(id) != id:
			return f.fault(path, "", "%q is no number of a provision", id)
		case f.ICS.Provisions[id].Support == "":
			return f.fault(path, "leave the provision out if it is not answered", "%q is missing", path+".support")
		}
	}
	return nil
}

// protocolForm is how protocols are named.
var protocolForm = regexp.MustCompile(`^[a-z0-9][a-z0-9+./-]{0,31}$`)

// secured holds the names that say TLS as well, and the protocol inside it.
var secured = map[string]string{"https": "http", "mqtts": "mqtt", "wss": "http", "ftps": "ftp"}

func (f *File) validateServices() error {
	seen := map[string]bool{}
	for i, s := range f.IXIT.SoftServ {
		path := entry("ixit.soft_serv", i)
		inside := secured[s.Protocol]
		ports := func(list string, p []uint16) error { return f.validPorts(path+list, p) }
		switch {
		case s.Status != "" && s.Status != "enabled" && s.Status != "disabled":
			return f.fault(path+".status", "", "status %q is neither %q nor %q", s.Status, "enabled", "disabled")
		case inside != "":
			return f.fault(path+".protocol", fmt.Sprintf("write {protocol: %s, tls: yes}", inside), "protocol %q says two things", s.Protocol)
		case s.Protocol != "" && !protocolForm.MatchString(s.Protocol):
			return f.fault(path+".protocol", "", "%q is no name of a protocol, such as %q", s.Protocol, "mqtt")
		}
		if err := firstOf(f.validID(path+".id", s.ID, seen), ports(".tcp", s.TCP), ports(".udp", s.UDP)); err != nil {
			return err
		}
	}
	return nil
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (f *File) validPorts(path string, ports []uint16) error {
	for i, p := range ports {
		if slices.Contains(ports[:i], p) {
			return f.fault(entry(path, i), "", "port %d stands twice", p)
		}
	}
	return nil
}

// sha256Form also takes the colons and capitals that other tools write.
var sha256Form = regexp.MustCompile(`^([0-9A-Fa-f]{64}|([0-9A-Fa-f]{2}:){31}[0-9A-Fa-f]{2})$`)

const hashHint = "64 hexadecimal digits, as sha256sum writes them"

// normalHash writes a SHA-256 in lower case without colons.
func (f *File) normalHash(path string, h *string) error {
	if !sha256Form.MatchString(*h) {
		return f.fault(path, hashHint, "%q: %q is no SHA-256", path, *h)
	}
	*h = strings.ToLower(strings.ReplaceAll(*h, ":", ""))
	return nil
}

func (f *File) validateTrust() error {
	for i := range f.Trust.Pins {
		if err := f.normalHash(entry("trust.pins", i), &f.Trust.Pins[i]); err != nil {
			return err
		}
	}
	return nil
}

var envForm = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func (f *File) validateCredentials() error {
	seen := map[string]bool{}
	for i, c := range f.Credentials {
		path := entry("credentials", i)
		if err := firstOf(f.validID(path+".id", c.ID, seen), f.needs(path, "service", c.Service)); err != nil {
			return err
		}
		from := c.Password
		switch {
		case !protocolForm.MatchString(c.Service):
			return f.fault(path+".service", "", "%q is no name of a protocol, such as %q", c.Service, "mqtt")
		case (from.File == "") == (from.Env == ""):
			return f.fault(path+".password", "write {file: NAME} or {env: NAME}", "%q names not one source but none or two", path+".password")
		case from.Env != "" && !envForm.MatchString(from.Env):
			return f.fault(path+".password.env", "a name of capitals and underscores", "it is no name of an environment variable")
		case c.Encoding != "" && c.Encoding != Hex:
			return f.fault(path+".encoding", "leave it out, or write hex", "%q is no encoding of a secret", c.Encoding)
		}
	}
	return nil
}
