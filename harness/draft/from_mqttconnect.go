package draft

import (
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/mqttconnect"
)

var _ = register(source{mqttconnect.Probe, readBroker})

// readBroker says whom a broker let in. It is what was seen, and declares
// nothing.
func readBroker(s *Seen, v evidence.View) {
	e := mqttconnect.Probe.From(v)
	for _, d := range e.Doors {
		at := s.at(TCP, d.Way.Addr)
		over := ""
		if d.Way.Path != "" {
			over = " over WebSocket"
		}
		asked := len(d.Anonymous) - mqttconnect.Count(d.Anonymous, mqttconnect.NotTried)
		at.note("MQTT %s%s let in %d of %d clients without a log-in", d.Way.Version, over, mqttconnect.Count(d.Anonymous, mqttconnect.Accepted), asked)
	}
}
