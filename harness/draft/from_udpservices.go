package draft

import (
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/udpservices"
)

var _ = register(source{udpservices.Probe, readDatagrams})

// readDatagrams takes what answered. A port that did not says nothing: most
// protocols are silent to what they do not know.
func readDatagrams(s *Seen, v evidence.View) {
	for _, e := range udpservices.Probe.From(v).Endpoints {
		if e.State != udpservices.Answered {
			continue
		}
		at := s.at(UDP, e.Addr)
		for _, a := range e.Asked {
			if len(a.Answer) > 0 {
				at.note(`to a question in %s it answered "%s"`, a.Question, a.Answer)
			}
		}
		switch e.Protocol {
		case udpservices.Unidentified:
			at.note("no answer was understood")
		case udpservices.DTLS:
			at.TLS = evidence.Yes
			at.note("it spoke DTLS; what is inside was not to be seen")
		default:
			at.Protocol, at.TLS = string(e.Protocol), evidence.No
		}
	}
}
