package checks

import (
	"bytes"
	"net/netip"
	"slices"
	"strconv"

	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/probes/mutualtls"
	"github.com/assay-iot/assay/harness/probes/services"
	"github.com/assay-iot/assay/harness/probes/tcpports"
)

var tlsMutualAuthenticationRequired = register(check.Check{
	ID:     "tls.mutual-authentication-required",
	Title:  "Endpoints that are declared as mutual TLS refuse clients without a good certificate",
	Remedy: "Demand a client certificate in the TLS handshake, and verify it against the authority that issues them",
	Needs:  append([]probe.Any{mutualtls.Probe, declaration.Probe}, tcpSurface...),
	Decide: decideMutualAuthenticationRequired,
})

func decideMutualAuthenticationRequired(in check.In) []check.Item {
	v := in.DUT
	said := declaration.Probe.From(v)
	if said.Listed != evidence.Yes {
		return []check.Item{check.Inconclusive(evidence.Endpoint{}, msg.T("no list of services is declared"),
			msg.T("declare the services in the device file under ixit.soft_serv, with client_certificate: yes where they demand one"), declaration.Probe.At(v, "/services_listed"))}
	}
	var items []check.Item
	var seen []netip.AddrPort
	for i, row := range said.Services {
		if row.ClientCertificate != evidence.Yes || row.Enabled == evidence.No {
			continue
		}
		claim := declaration.Probe.At(v, "/services/%d/client_certificate", i)
		found := false
		for _, g := range guestsAt(v, row.TCP) {
			if found = true; !slices.Contains(seen, g.Addr) {
				seen, items = append(seen, g.Addr), append(items, g.judge(claim))
			}
		}
		if !found {
			items = append(items, check.Inconclusive(evidence.Endpoint{}.Subject(string(row.ID)), msg.T("no port of the declared service spoke TLS"),
				msg.T("see to it that the service runs, put its ports right in the device file, and run again"), claim))
		}
	}
	if len(items) == 0 {
		return []check.Item{check.NotApplicable(evidence.Endpoint{}, msg.T("no service is declared to demand a client certificate"), declaration.Probe.At(v, "/services"))}
	}
	return items
}

// A guest is a listener that was visited as a stranger, with its place in the
// evidence.
type guest struct {
	mutualtls.Listener
	view  evidence.View
	place int
}

// guestsAt returns the listeners on some ports, in the order of the evidence.
func guestsAt(v evidence.View, ports []uint16) []guest {
	var found []guest
	host := tcpports.Probe.From(v).Host
	for i, l := range mutualtls.Probe.From(v).Listeners {
		if slices.Contains(ports, l.Addr.Port()) && !slices.Contains(host, l.Addr) {
			found = append(found, guest{l, v, i})
		}
	}
	return found
}

// A welcome is how far a client came.
type welcome int

const (
	unclearWelcome welcome = iota
	keptAtTheDoor          // by TLS, or by what HTTP says of certificates
	wantedPassword         // it was understood, and turned away for want of a password
	servedGuest
)

// judge holds how strangers were taken against how the holder of the declared
// certificate was.
func (g guest) judge(claim evidence.Ref) check.Item {
	at := evidence.TCP(g.Addr)
	refs := []evidence.Ref{mutualtls.Probe.At(g.view, "/listeners/%d/tries", g.place), claim}
	without, selfMade, good := g.received(mutualtls.Nothing), g.received(mutualtls.SelfMade), g.received(mutualtls.Declared)
	strangers := slices.Concat(without, selfMade)
	away := func(r welcome) bool { return r == keptAtTheDoor || r == wantedPassword && allOf(good, servedGuest) }
	control := len(good) >= 2 && !slices.ContainsFunc(good, func(r welcome) bool { return r != servedGuest && r != wantedPassword })
	switch {
	case howMany(without, servedGuest) >= 2:
		return check.Fail(at, msg.T("it served clients without a certificate, in two exchanges"), refs...)
	case howMany(selfMade, servedGuest) >= 2:
		return check.Fail(at, msg.T("it served clients with a certificate that the harness had made itself, in two exchanges"), refs...)
	case len(without) < 2 || len(selfMade) < 2 || slices.ContainsFunc(strangers, func(r welcome) bool { return !away(r) }):
		return check.Inconclusive(at, msg.T("clients without a good certificate were taken differently, or in a way that shows nothing"), msg.T("look by hand whether they are served"), refs...)
	case g.Credential == "":
		return check.Inconclusive(at, msg.T("it turned strangers away, and no good certificate showed that it serves anyone"),
			msg.T("give one in the device file: a credential of the service {service}, whose file holds certificate and key", "service", mutualtls.Service), refs...)
	case !control:
		return check.Inconclusive(at, msg.T("it turned strangers away, and the declared certificate {id} as well", "id", string(g.Credential)),
			msg.T("put the certificate of the device file right, and run again"), refs...)
	}
	return check.Pass(at, msg.T("it turned away clients without a certificate and with a self-made one, twice each, between two requests with {id} that it answered", "id", string(g.Credential)), refs...)
}

// received says how the clients were taken that showed the same.
func (g guest) received(s mutualtls.Shown) []welcome {
	var list []welcome
	for _, t := range g.Of(s) {
		list = append(list, welcomeOf(t, g.Protocol))
	}
	return list
}

func howMany(list []welcome, r welcome) int {
	n := 0
	for _, have := range list {
		if have == r {
			n++
		}
	}
	return n
}

func allOf(list []welcome, r welcome) bool { return len(list) > 0 && howMany(list, r) == len(list) }

// welcomeOf reads an answer. A web server may finish the handshake and say only
// then that it wanted a certificate.
func welcomeOf(t mutualtls.Try, p services.Protocol) welcome {
	switch {
	case t.Refused():
		return keptAtTheDoor
	case !t.Answered():
		return unclearWelcome
	case p == services.HTTP:
		return ofHTTP(t.Answer)
	case p == services.MQTT:
		return ofMQTT(t.Answer)
	}
	return unclearWelcome
}

// ofHTTP reads the status line. What sends the client elsewhere or fails shows
// nothing.
func ofHTTP(answer []byte) welcome {
	version, rest, _ := bytes.Cut(answer, []byte(" "))
	if !bytes.HasPrefix(version, []byte("HTTP/1.")) || len(rest) < 3 {
		return unclearWelcome
	}
	switch status, err := strconv.Atoi(string(rest[:3])); {
	case err != nil:
		return unclearWelcome
	case status >= 200 && status < 300 || status == 404:
		return servedGuest
	case slices.Contains([]int{400, 403, 495, 496}, status): // 495 and 496 are what nginx calls a bad certificate and none
		return keptAtTheDoor
	case status == 401:
		return wantedPassword
	}
	return unclearWelcome
}

// ofMQTT reads the code of a CONNACK of MQTT 3.1.1.
func ofMQTT(answer []byte) welcome {
	switch {
	case !bytes.HasPrefix(answer, []byte{0x20, 2}) || len(answer) < 4:
		return unclearWelcome
	case answer[3] == 0:
		return servedGuest
	}
	return wantedPassword
}
