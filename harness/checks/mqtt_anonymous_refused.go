package checks

import (
	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/mqttconnect"
)

var mqttAnonymousRefused = register(check.Check{
	ID:     "mqtt.anonymous-refused",
	Title:  "No MQTT listener lets in a client without credentials, in any version of the protocol",
	Remedy: "Require credentials on every listener and in every version of MQTT, also on listeners for local use",
	Needs:  append([]probe.Any{mqttconnect.Probe}, tcpSurface...),
	Decide: decideAnonymousRefused,
})

func decideAnonymousRefused(in check.In) []check.Item {
	var items []check.Item
	for _, e := range entries(in.DUT) {
		items = append(items, anonymousAt(e))
	}
	return withSurface(in.DUT, items)
}

// anonymousAt counts a refusal only between two good log-ins: otherwise the door
// may serve nobody at all. To be let in says nothing of what may be read.
func anonymousAt(e entry) check.Item {
	at, n := e.Way.Endpoint(), len(e.Anonymous)
	switch {
	case e.unspoken():
		return versionMissing(e.Way, e.ref("anonymous"))
	case e.admits(e.Anonymous) == letsIn:
		in := mqttconnect.Count(e.Anonymous, mqttconnect.Accepted)
		return check.Fail(at, msg.T("it let in {in} of {n} clients without credentials", "in", in, "n", n), e.ref("anonymous"))
	case e.admits(e.Anonymous) == keepsOut:
		return check.Pass(at, msg.T("it refused {n} clients without credentials, between two good log-ins", "n", n), append(e.controls(), e.ref("anonymous"))...)
	}
	return e.unsure(e.Anonymous, "anonymous")
}
