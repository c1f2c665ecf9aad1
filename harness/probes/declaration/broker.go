package declaration

import (
	"slices"

	"github.com/assay-iot/assay/harness/evidence"
)

// Broker returns what the device file says of the broker on a TCP port. A port
// that nobody declared is taken for another one of the first broker that is
// declared: only what is observed there says whether it is.
func (e Evidence) Broker(port uint16) MQTT {
	var first MQTT
	for _, s := range e.Services {
		switch {
		case !s.MQTT.declared() || s.Enabled == evidence.No:
		case slices.Contains(s.TCP, port):
			return s.MQTT
		case !first.declared():
			first = s.MQTT
		}
	}
	return first
}

// declared reports whether the device file says anything of who may do what.
func (m MQTT) declared() bool {
	return len(m.Identities) > 0 || len(m.PublicTopics) > 0 || m.ReadsAll != ""
}
