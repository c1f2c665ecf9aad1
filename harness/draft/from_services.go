package draft

import (
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/services"
)

var _ = register(source{services.Probe, readServices})

func readServices(s *Seen, v evidence.View) {
	for _, found := range services.Probe.From(v).Services {
		at := s.at(TCP, found.Addr)
		if len(found.Answer) > 0 {
			at.note(`it answered "%s"`, found.Answer)
		}
		switch {
		case found.Protocol == services.Unidentified:
			at.note("no dialogue was understood")
		case found.Seen < 2:
			at.note("it spoke %s in 1 of 2 dialogues", found.Protocol)
		default:
			at.Protocol, at.TLS = string(found.Protocol), found.TLS
		}
	}
}
