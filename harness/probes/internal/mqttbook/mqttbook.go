// Package mqttbook hands the declared log-ins of a broker from mqtt-connect on
// to the probes that come after it: what was accepted there costs nothing any
// more, and what was refused there is not risked again.
package mqttbook

import (
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/internal/mqttdoor"
	"github.com/assay-iot/assay/harness/probes/mqttconnect"
)

// Open returns the book of a run.
func Open(in probe.Input) mqttdoor.Book {
	seen := mqttconnect.Probe.From(in.Evidence)
	return mqttdoor.NewBook(in.Logins.For("mqtt"), func(l probe.Login) mqttdoor.Standing { return seen.Standing(l.ID) })
}
