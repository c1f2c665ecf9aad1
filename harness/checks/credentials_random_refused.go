package checks

import (
	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/mqttconnect"
	"github.com/assay-iot/assay/harness/probes/services"
)

var credentialsRandomRefused = register(check.Check{
	ID:     "credentials.random-refused",
	Title:  "A random user and password are refused wherever there is a log-in",
	Remedy: "Compare the password with the one that is stored for the user, on every service and in every version of its protocol",
	Needs:  append([]probe.Any{mqttconnect.Probe}, tcpSurface...),
	Decide: decideRandomRefused,
})

func decideRandomRefused(in check.In) []check.Item {
	items := unseen(in.DUT)
	for _, e := range entries(in.DUT) {
		items = append(items, randomAt(e))
	}
	for _, p := range []services.Protocol{services.HTTP, services.SSH, services.Telnet} {
		for _, l := range listeners(in.DUT, p) {
			items = append(items, check.Inconclusive(evidence.TCP(l.Addr), msg.T("a service that speaks {protocol} answered, and whether it has a log-in was not looked at", "protocol", string(p)),
				msg.T("try a random user and password on it by hand"), l.ref("protocol")))
		}
	}
	if len(items) > 0 {
		return items
	}
	return []check.Item{check.NotApplicable(evidence.Endpoint{}, msg.T("no service with a log-in answered"), seenAll(in.DUT)...)}
}

// randomAt judges one door of a broker. Where nobody needs credentials, a random
// pair says nothing; that is the check for access without any.
func randomAt(e entry) check.Item {
	at, n := e.Way.Endpoint(), len(e.Random)
	stranger, random := e.admits(e.Anonymous), e.admits(e.Random)
	switch {
	case e.unspoken():
		return versionMissing(e.Way, e.ref("random"))
	case stranger == letsIn:
		return check.NotApplicable(at, msg.T("it let in clients without credentials"), e.ref("anonymous"))
	case random == letsIn && !turnedAway(e.Anonymous):
		return e.unsure(e.Anonymous, "anonymous")
	case random == letsIn:
		in := mqttconnect.Count(e.Random, mqttconnect.Accepted)
		return check.Fail(at, msg.T("it let in {in} of {n} random pairs of user and password, and nobody without", "in", in, "n", n), e.ref("random"), e.ref("anonymous"))
	case random == keepsOut && turnedAway(e.Anonymous):
		return check.Pass(at, msg.T("it refused {n} random pairs of user and password, between two good log-ins", "n", n), append(e.controls(), e.ref("random"))...)
	case random == keepsOut:
		return e.unsure(e.Anonymous, "anonymous")
	}
	return e.unsure(e.Random, "random")
}
