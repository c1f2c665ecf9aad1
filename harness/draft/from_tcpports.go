package draft

import (
	"fmt"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/tcpports"
)

var _ = register(source{tcpports.Probe, readPorts})

// readPorts takes a port that opened once for what it is: a guess.
func readPorts(s *Seen, v evidence.View) {
	e := tcpports.Probe.From(v)
	search := fmt.Sprintf("%d of %d TCP ports were looked at", e.Tried, tcpports.All)
	if e.Tried == tcpports.All && e.Left() == 0 {
		search += ", and two looks agreed on each"
	}
	s.Search = append(s.Search, search)
	for _, p := range e.Open {
		if p.Seen < 2 {
			s.Gaps = append(s.Gaps, fmt.Sprintf("%s took a connection in 1 of 2 looks; run init again", evidence.TCP(p.Addr).Key))
			continue
		}
		s.at(TCP, p.Addr)
	}
}
