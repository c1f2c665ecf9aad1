package checks

import (
	"net/netip"
	"testing"

	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/check/checktest"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/coapread"
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/probes/services"
	"github.com/assay-iot/assay/harness/probes/tcpports"
	"github.com/assay-iot/assay/harness/probes/udpservices"
	"github.com/assay-iot/assay/harness/verdict"
)

var (
	coapClear = coapread.Door{Addr: netip.AddrPortFrom(host, 5683), Transport: coapread.UDP}
	coapDTLS  = coapread.Door{Addr: netip.AddrPortFrom(host, 5684), Transport: coapread.DTLS}
)

// coapPaths are the resources of the device, after the listing.
var coapPaths = []string{coapread.Core, "/temp", "/owner"}

// took is how a question was taken: one letter each.
func tookBy(letter rune) coapread.Asked {
	x := coapread.Exchange{Method: "GET", Outcome: coapread.Answered, Format: -1, Tries: 1, Request: 50, Response: 60, Truncated: evidence.No, Observe: evidence.No, OSCORE: evidence.No}
	a := coapread.Asked{Times: 1}
	codes := map[rune]coapread.Code{'t': "2.05", 'e': "2.05", 'r': "4.01", 'f': "4.03", '4': "4.04", '5': "4.05", 'b': "5.00", 'o': "2.05"}
	x.Code = codes[letter]
	switch letter {
	case 't':
		x.Payload = evidence.Bytes("21.5")
	case 'o':
		x.Payload, x.OSCORE = evidence.Bytes("...."), evidence.Yes
	case 'n', 's':
		x.Outcome, a.Times, a.Controls, a.Kept, x.Response = coapread.Silent, 3, 4, 4, 0
		if letter == 's' {
			a.Kept = 1
		}
	case 'x':
		x.Outcome, x.Response = coapread.Reset, 32
	case 'c':
		x.Outcome, x.Response = coapread.Closed, 0
	}
	a.Exchange = x
	return a
}

// readsOf is one round of readings: a letter for each resource, and before them
// how the reader was let in: "+" or, by an alert, "!", or by silence, "?".
func readsOf(script string) coapread.Round {
	pong := coapread.Exchange{Method: "ping", Outcome: coapread.Reset, Format: -1}
	r := coapread.Round{Entry: coapread.Answer{Outcome: coapread.Opened}, Before: pong, After: pong}
	for _, letter := range script {
		switch letter {
		case '+':
		case '!':
			r.Entry.Outcome = coapread.Refused
		case '?':
			r.Entry.Outcome = coapread.Silent
		case '-': // the last control is lost
			r.After.Outcome = coapread.Silent
		default:
			read := coapread.Read{Get: tookBy(letter), Non: tookBy(letter)}
			read.Length = len(read.Get.Exchange.Payload)
			r.Reads = append(r.Reads, read)
		}
	}
	return r
}

// visited is a visit with these rounds, whose reader was told all links.
func visited(d coapread.Door, who coapread.Reader, rounds ...string) coapread.Visit {
	v := coapread.Visit{Door: d, Reader: who, Listing: coapread.Listing{Exchange: tookBy('t').Exchange, Parsed: evidence.Yes, Links: 2}}
	if who == coapread.Holder {
		v.Credential = "app"
	}
	for _, script := range rounds {
		v.Rounds = append(v.Rounds, readsOf(script))
	}
	return v
}

// inClear is what a stranger was told in clear, and behindDTLS what one and the
// holder were told at the other door.
func inClear(rounds ...string) coapread.Visit {
	return visited(coapClear, coapread.Stranger, rounds...)
}

func behindDTLS(holder ...string) []coapread.Visit {
	return []coapread.Visit{visited(coapDTLS, coapread.Stranger, "!", "!"), visited(coapDTLS, coapread.Holder, holder...)}
}

// unlisted changes how the listing was taken.
func unlisted(v coapread.Visit, letter rune) coapread.Visit {
	v.Listing = coapread.Listing{Exchange: tookBy(letter).Exchange, Parsed: evidence.Unknown}
	if letter == 't' { // all came, and could not be read
		v.Listing.Parsed = evidence.No
	}
	return v
}

// readCoAP is the record of these visits.
func readCoAP(t *testing.T, visits ...coapread.Visit) evidence.Record {
	t.Helper()
	e := coapread.Evidence{Patterns: 1, Visits: visits}
	for _, p := range coapPaths {
		e.Resources = append(e.Resources, coapread.Resource{Path: []byte(p), Declared: evidence.Yes, Listed: evidence.Yes})
	}
	return checktest.Record(t, coapread.Probe, e)
}

// udpSurface are the records of a device without open TCP ports, and with these
// ones over UDP.
func udpSurface(t *testing.T, endpoints ...udpservices.Endpoint) []evidence.Record {
	t.Helper()
	return []evidence.Record{
		checktest.Record(t, tcpports.Probe, surface()), checktest.Record(t, services.Probe, services.Evidence{}),
		checktest.Record(t, udpservices.Probe, udpservices.Evidence{Endpoints: endpoints}),
	}
}

var (
	udpCoAP   = udpservices.Endpoint{Addr: coapClear.Addr, Protocol: udpservices.CoAP, State: udpservices.Answered}
	udpDTLS   = udpservices.Endpoint{Addr: coapDTLS.Addr, Protocol: udpservices.DTLS, State: udpservices.Answered}
	udpClosed = udpservices.Endpoint{Addr: coapClear.Addr, Protocol: udpservices.Unidentified, State: udpservices.Closed}
	udpOdd    = udpservices.Endpoint{Addr: netip.AddrPortFrom(host, 9999), Protocol: udpservices.Unidentified, State: udpservices.Answered}
)

// coapBoth is the surface of a device with both doors, coapOnly that of one of
// which nothing is known but its visits.
func coapBoth(t *testing.T) []evidence.Record { return udpSurface(t, udpCoAP, udpDTLS) }

// coapSays is a device file: /temp is for everybody, /owner is not.
func coapSays(temp, owner evidence.Tri) declaration.Evidence {
	s := declaration.Service{ID: "coap", Enabled: evidence.Yes, Protocol: "coap", UDP: []uint16{5683, 5684}}
	s.CoAP = declaration.CoAP{Credential: "app", Resources: []declaration.Resource{{Path: "/temp", Public: temp}, {Path: "/owner", Public: owner}}}
	return declared(s)
}

// everyCoAPSurface expects that only a fail stands where the surface was not
// seen, or where a part of the evidence is missing, and what is said of a device
// without CoAP.
func everyCoAPSurface(t *testing.T, c check.Check, want verdict.Verdict, record evidence.Record, rest ...evidence.Record) {
	t.Helper()
	unsure := verdict.Inconclusive
	if want == verdict.Fail {
		unsure = verdict.Fail
	}
	decided(t, c, unsure, append(append(udpSurface(t, udpCoAP, udpDTLS, udpOdd), record), rest...)...)
	onPart(t, c, want, record, append(coapBoth(t), rest...)...)
	decided(t, c, verdict.Inconclusive, append(coapBoth(t), rest...)...)
}

// withoutCoAP expects what a check says where no CoAP is spoken.
func withoutCoAP(t *testing.T, c check.Check, rest ...evidence.Record) {
	t.Helper()
	t.Run("no_server", func(t *testing.T) {
		decided(t, c, verdict.NotApplicable, append(append(udpSurface(t, udpClosed), readCoAP(t)), rest...)...)
	})
	t.Run("no_server_but_an_unknown_port", func(t *testing.T) {
		decided(t, c, verdict.Inconclusive, append(append(udpSurface(t, udpOdd), readCoAP(t)), rest...)...)
	})
	t.Run("no_server_but_an_unknown_TCP_port", func(t *testing.T) {
		tcp := append(bareSurface(t, true), checktest.Record(t, udpservices.Probe, udpservices.Evidence{Endpoints: []udpservices.Endpoint{udpOdd}}))
		decided(t, c, verdict.Inconclusive, append(append(tcp, readCoAP(t)), rest...)...)
	})
	t.Run("nothing", func(t *testing.T) { decided(t, c, verdict.Inconclusive) })
}

func TestRule3WhatWasRefusedInCoAP(t *testing.T) {
	tests := []struct {
		name   string
		rounds []string
		want   reception
	}{
		{"told", []string{"+tt", "+tt"}, toldIt},
		{"told_once", []string{"+tt", "+tr"}, toldOnce},
		{"told_in_two_of_three", []string{"+tt", "+tr", "+tt"}, toldIt},
		{"one_round", []string{"+tr"}, oddAnswer},
		{"without_a_payload", []string{"+te", "+te"}, toldNothing},
		{"unauthorised", []string{"+tr", "+tr"}, keptFrom},
		{"forbidden", []string{"+tf", "+tf"}, keptFrom},
		{"not_found", []string{"+t4", "+t4"}, keptFrom},
		{"no_such_method", []string{"+t5", "+t5"}, keptFrom},
		{"rejected", []string{"+tx", "+tx"}, keptFrom},
		{"hung_up", []string{"+tc", "+tc"}, keptFrom},
		{"hung_up_and_gone", []string{"+tc-", "+tc-"}, oddAnswer},
		{"not_answered", []string{"+tn", "+tn"}, noAnswer},
		{"refused_and_not_answered", []string{"+tr", "+tn"}, noAnswer},
		{"silent", []string{"+ts", "+ts"}, oddAnswer},
		{"broken", []string{"+tb", "+tb"}, oddAnswer},
		{"oscore", []string{"+to", "+to"}, oddAnswer},
		{"not_asked", []string{"+t", "+t"}, oddAnswer},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := (coapVisit{Visit: inClear(tt.rounds...)}).took(1); got != tt.want {
				t.Errorf("took = %s, want %s", got, tt.want)
			}
		})
	}
}

// Every path has a name of its own, and none is hostile.
func TestCoAPSubject(t *testing.T) {
	for path, want := range map[string]string{"/a/b?x=1": "/a/b?x=1", "/\x1b[2J": `/\x1b[2J`, "/\u202e": `/\u202e`, "/\xff": `/\xff`} {
		if got := coapSubject(evidence.Bytes(path)); got != want {
			t.Errorf("coapSubject(%q) = %s, want %s", path, got, want)
		}
	}
}
