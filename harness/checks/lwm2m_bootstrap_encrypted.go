package checks

import (
	"slices"
	"time"

	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/probes/lwm2mbench"
)

var lwm2mBootstrapEncrypted = register(check.Check{
	ID:     "lwm2m.bootstrap-encrypted",
	Title:  "The device bootstraps and registers at LwM2M servers inside DTLS or OSCORE alone",
	Remedy: "Give each device a key of its own, and use the security modes of LwM2M that encrypt for the bootstrap server too; never NoSec",
	Needs:  []probe.Any{lwm2mbench.Probe, declaration.Probe},
	Decide: decideLwM2MEncrypted,
})

func decideLwM2MEncrypted(in check.In) []check.Item {
	played := lwm2mRoles(in.DUT)
	if len(played) == 0 {
		return []check.Item{noLwM2M(in.DUT)}
	}
	var items []check.Item
	for _, r := range played {
		items = append(items, lwm2mAt(r, played))
	}
	return items
}

// noLwM2M is the item of a device that was set to connect to no server.
func noLwM2M(v evidence.View) check.Item {
	ref := declaration.Probe.At(v, "/lwm2m/used")
	if declaration.Probe.From(v).LwM2M.Used == evidence.No {
		return check.NotApplicable(evidence.Endpoint{}, msg.T("the device file says that the device is no client of LwM2M"), ref)
	}
	return check.Inconclusive(evidence.Endpoint{}, msg.T("the device file names no LwM2M server to which the device was set to connect"),
		msg.T("write used: no under ixit.lwm2m if the device is no client of LwM2M; else set it to register at an address of this machine, and write that as ixit.lwm2m.server"), ref)
}

// An lwm2mRole is a server that was played, with its place in the evidence.
type lwm2mRole struct {
	lwm2mbench.Role
	view  evidence.View
	place int
}

func lwm2mRoles(v evidence.View) []lwm2mRole {
	var all []lwm2mRole
	for i, r := range lwm2mbench.Probe.From(v).Roles {
		all = append(all, lwm2mRole{r, v, i})
	}
	return all
}

// lwm2mAt judges what the device said to one server.
func lwm2mAt(r lwm2mRole, all []lwm2mRole) check.Item {
	switch clear := r.InClear(); {
	case r.Listened != evidence.Yes:
		return check.Inconclusive(r.at(), msg.T("nobody could listen at {address}", "address", r.Addr),
			msg.T("give this machine that address, or set the device to connect to one that it has"), r.ref("listened"))
	case clear >= 2:
		return r.inClear(clear)
	case clear == 1:
		return check.Inconclusive(r.at(), msg.T("the device registered or bootstrapped in clear once, and came no second time"),
			msg.T("restart the device while the run goes on, or run with --effect disruptive so that its power is cut"), r.ref("dialogues"))
	case r.Inside() > 0 && r.Bare() > 0:
		return check.Inconclusive(r.at(), msg.T("the device registered or bootstrapped inside DTLS, and sent {n} messages in clear that did neither", "n", r.Bare()),
			msg.T("find out what the device sends there, and restart it while the run goes on"), r.ref("dialogues"))
	case r.Inside() > 0:
		return r.insideDTLS(all)
	}
	return r.notSeen()
}

func (r lwm2mRole) at() evidence.Endpoint { return evidence.Bench(string(r.Name)) }

// ref cites a field of the role.
func (r lwm2mRole) ref(field string) evidence.Ref {
	return lwm2mbench.Probe.At(r.view, "/roles/%d/%s", r.place, field)
}

// requests cites the requests that are meant, in their order.
func (r lwm2mRole) requests(meant func(lwm2mbench.Dialogue, lwm2mbench.Request) bool) []evidence.Ref {
	var refs []evidence.Ref
	for i, d := range r.Dialogues {
		for j, q := range d.Requests {
			if meant(d, q) {
				refs = append(refs, lwm2mbench.Probe.At(r.view, "/roles/%d/dialogues/%d/requests/%d", r.place, i, j))
			}
		}
	}
	return refs
}

// inClear is the item of a device that came in clear twice.
func (r lwm2mRole) inClear(n int) check.Item {
	key, secrets := false, 0
	refs := r.requests(func(d lwm2mbench.Dialogue, q lwm2mbench.Request) bool {
		clear := d.Channel == lwm2mbench.Clear && q.Kind.OfLwM2M()
		if clear {
			key, secrets = key || q.Key == evidence.Yes, secrets+len(q.Secrets)
		}
		return clear
	})
	switch {
	case key:
		return check.Fail(r.at(), msg.T("the device sent {n} requests to register or bootstrap in clear, and its declared key with them", "n", n), refs...)
	case secrets > 0:
		return check.Fail(r.at(), msg.T("the device sent {n} requests to register or bootstrap in clear, and {secrets} secrets with them", "n", n, "secrets", secrets), refs...)
	}
	return check.Fail(r.at(), msg.T("the device sent {n} requests to register or bootstrap in clear", "n", n), refs...)
}

// insideDTLS is the item of a device that came inside DTLS alone. A bootstrap is
// never whole here, because nothing is written to the device: it passes with the
// registration that the device makes with what it has.
func (r lwm2mRole) insideDTLS(all []lwm2mRole) check.Item {
	inside := func(d lwm2mbench.Dialogue, q lwm2mbench.Request) bool {
		return d.Channel == lwm2mbench.DTLS && q.Accepted()
	}
	refs := r.requests(inside)
	if r.Name == lwm2mbench.Server {
		return check.Pass(r.at(), msg.T("the device registered inside DTLS, {n} times, and sent nothing in clear", "n", r.Inside()), refs...)
	}
	registered := func(other lwm2mRole) bool {
		return other.Name == lwm2mbench.Server && other.InClear() == 0 && other.Inside() > 0
	}
	i := slices.IndexFunc(all, registered)
	if i < 0 {
		return check.Inconclusive(r.at(), msg.T("the device asked for a bootstrap inside DTLS, which came to no end because nothing was written, and no registration was seen"),
			msg.T("set the device to register at an address of this machine too, and write that as ixit.lwm2m.server"), refs...)
	}
	return check.Pass(r.at(), msg.T("the device asked for a bootstrap inside DTLS, {n} times, registered inside DTLS too, and sent nothing in clear", "n", r.Inside()),
		append(refs, all[i].requests(inside)...)...)
}

// notSeen is the item of a device that neither registered nor bootstrapped.
func (r lwm2mRole) notSeen() check.Item {
	protected := r.requests(func(_ lwm2mbench.Dialogue, q lwm2mbench.Request) bool { return q.OSCORE == evidence.Yes })
	unknown := slices.IndexFunc(r.Dialogues, func(d lwm2mbench.Dialogue) bool { return d.Handshake.Known == evidence.No })
	hands := 0
	for _, d := range r.Dialogues {
		if d.Channel == lwm2mbench.DTLS && d.Handshake.Outcome != lwm2mbench.Opened {
			hands++
		}
	}
	switch {
	case len(protected) > 0:
		return check.Inconclusive(r.at(), msg.T("the device sent {n} requests inside OSCORE, which only its own server can answer", "n", len(protected)),
			msg.T("let the device register at its own server, and capture that"), protected...)
	case unknown >= 0:
		return check.Inconclusive(r.at(), msg.T("the device began a handshake as {identity}, whose key is not declared", "identity", r.Dialogues[unknown].Handshake.Identity),
			msg.T("add a credential with service lwm2m and that user, and name it in ixit.lwm2m.credential"), r.ref("dialogues"))
	case hands > 0:
		return check.Inconclusive(r.at(), msg.T("the device began {n} handshakes, and completed none with the declared pre-shared key", "n", hands),
			msg.T("put the LwM2M credential of the device file right; a device that wants a certificate of its server cannot be tested here yet"), r.ref("dialogues"))
	case len(r.Dialogues) > 0:
		return check.Inconclusive(r.at(), msg.T("the device connected, and neither registered nor asked for a bootstrap"),
			msg.T("restart the device while the run goes on"), r.ref("dialogues"))
	}
	return check.Inconclusive(r.at(), msg.T("nothing came from the device within {time}", "time", r.Lasted.Round(time.Second)),
		msg.T("see to it that the device is set to {server}, and switch it on while the run goes on", "server", string(r.Declared)), r.ref("dialogues"))
}
