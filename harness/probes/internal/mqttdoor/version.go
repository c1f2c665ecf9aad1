package mqttdoor

import "github.com/assay-iot/assay/harness/probes/internal/mqttwire"

// UnknownVersion reports whether a door says that the broker does not speak the
// version that it was asked in. Such a door does not exist.
func (a Answer) UnknownVersion() bool {
	if a.Outcome != OtherCode {
		return false
	}
	if a.Answers == V5 {
		return a.Code == int(mqttwire.UnsupportedProtocolVersion)
	}
	return a.Code == int(mqttwire.UnacceptableProtocolVersion)
}
