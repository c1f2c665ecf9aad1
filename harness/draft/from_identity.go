package draft

import (
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/identity"
)

var _ = register(source{identity.Probe, readIdentity})

// readIdentity takes the last look: the first one may have come before the
// system knew the hardware address.
func readIdentity(s *Seen, v evidence.View) {
	look := identity.Probe.From(v).End
	for _, h := range look.Hardware {
		s.MAC = string(h.MAC)
	}
	for _, k := range look.Keys {
		switch k.Kind {
		case identity.Certificate:
			s.pin(k.Addr, k.SHA256)
		case identity.HostKey:
			s.at(TCP, k.Addr).note("its host key has the SHA-256 %s", k.SHA256)
		}
	}
}
