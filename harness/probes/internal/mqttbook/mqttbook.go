// Package mqttbook hands on what mqtt-connect learned to the probes that come
// after it: a declared log-in that was accepted there costs nothing any more, one
// that was refused is not risked again, and a broker that was found behind an
// HTTP listener has doors there too.
package mqttbook

import (
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/internal/mqttdoor"
	"github.com/assay-iot/assay/harness/probes/mqttconnect"
	"github.com/assay-iot/assay/harness/probes/services"
)

// Open returns the book of a run.
func Open(in probe.Input) mqttdoor.Book {
	seen := mqttconnect.Probe.From(in.Evidence)
	return mqttdoor.NewBook(in.Logins.For("mqtt"), func(l probe.Login) mqttdoor.Standing { return seen.Standing(l.ID) })
}

// Doors returns every door of every broker: those of MQTT listeners, in the
// order of services, then those over WebSocket.
func Doors(v evidence.View) []mqttdoor.Door {
	doors := mqttdoor.Doors(services.Probe.From(v))
	for _, d := range mqttconnect.Probe.From(v).Doors {
		if d.Way.Path != "" {
			doors = append(doors, d.Way)
		}
	}
	return doors
}
