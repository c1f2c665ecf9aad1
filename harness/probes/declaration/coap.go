package declaration

import (
	"slices"

	"github.com/assay-iot/assay/harness/evidence"
)

// CoAPAt returns what the device file says of the CoAP server on a port, over
// UDP or TCP. A port that nobody declared is taken for another one of the first
// server that is declared: a server that is protected on one port and open on
// another one is what is looked for.
func (e Evidence) CoAPAt(udp evidence.Tri, port uint16) CoAP {
	var first CoAP
	for _, s := range e.Services {
		ports := s.TCP
		if udp == evidence.Yes {
			ports = s.UDP
		}
		switch {
		case !s.CoAP.declared() || s.Enabled == evidence.No:
		case slices.Contains(ports, port):
			return s.CoAP
		case !first.declared():
			first = s.CoAP
		}
	}
	return first
}

// declared reports whether the device file says anything of who may do what.
func (c CoAP) declared() bool {
	return len(c.Resources) > 0 || c.Credential != "" || c.OSCORE != evidence.Unknown
}

// Of returns what is declared of a path, and whether anything is.
func (c CoAP) Of(path string) (Resource, bool) {
	i := slices.IndexFunc(c.Resources, func(r Resource) bool { return string(r.Path) == path })
	if i < 0 {
		return Resource{}, false
	}
	return c.Resources[i], true
}
