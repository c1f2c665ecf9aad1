package draft

import (
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/tlsserver"
)

var _ = register(source{tlsserver.Probe, readTLS})

// readTLS takes the certificate that stands first in each chain: it is the
// server's own.
func readTLS(s *Seen, v evidence.View) {
	e := tlsserver.Probe.From(v)
	for _, l := range e.Listeners {
		at := s.at(TCP, l.Addr)
		for _, version := range l.Versions {
			if version.Seen > 0 {
				at.note("it took %s", version.Name)
			}
		}
		for _, chain := range l.Chains {
			if len(chain.Places) == 0 || chain.Places[0] >= len(e.Certificates) {
				continue
			}
			own := e.Certificates[chain.Places[0]]
			s.pin(l.Addr, own.SHA256)
			for _, name := range own.Names {
				at.note(`its certificate is for "%s"`, name)
			}
		}
	}
}
