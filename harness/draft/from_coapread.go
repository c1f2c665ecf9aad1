package draft

import (
	"slices"
	"strings"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/coapread"
)

var _ = register(source{coapread.Probe, readResources})

// readResources names the resources that were found at each door. Who may read
// them is for the manufacturer to say.
func readResources(s *Seen, v evidence.View) {
	e := coapread.Probe.From(v)
	for _, visit := range e.Visits {
		if visit.Reader != coapread.Stranger {
			continue
		}
		network := TCP
		if visit.Door.Datagrams() {
			network = UDP
		}
		at := s.at(network, visit.Door.Addr)
		at.note("a stranger read %d of %d resources over %s", told(visit), len(e.Resources), visit.Door.Transport)
		for _, r := range e.Resources {
			at.resource(r.Path)
		}
	}
}

// told counts the resources that were read in every round.
func told(v coapread.Visit) (n int) {
	if len(v.Rounds) == 0 {
		return 0
	}
	for i := range v.Rounds[0].Reads {
		tells := func(r coapread.Round) bool { return i < len(r.Reads) && r.Reads[i].Tells() }
		if !slices.ContainsFunc(v.Rounds, func(r coapread.Round) bool { return !tells(r) }) {
			n++
		}
	}
	return n
}

// maxPath is how much of a path Bytes shows; what is longer is no name that
// could be declared.
const maxPath = 64

// resource offers a resource for declaration. What could not stand in a device
// file is only told of.
func (s *Service) resource(path evidence.Bytes) {
	fits := len(path) <= maxPath && strings.HasPrefix(string(path), "/") && !strings.ContainsAny(string(path), "?#") && !strings.Contains(path.String(), `\`)
	switch quoted := `"` + path.String() + `"`; {
	case !fits:
		s.note("it has a resource %s, which a device file cannot name", quoted)
	case path.String() != coapread.Core && !slices.Contains(s.Resources, quoted):
		s.Resources = append(s.Resources, quoted)
	}
}
