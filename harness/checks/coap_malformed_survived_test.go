package checks

import (
	"net/netip"
	"testing"
	"time"

	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/check/checktest"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/coapmalformed"
	"github.com/assay-iot/assay/harness/probes/coapread"
	"github.com/assay-iot/assay/harness/probes/services"
	"github.com/assay-iot/assay/harness/probes/tcpports"
	"github.com/assay-iot/assay/harness/probes/udpservices"
	"github.com/assay-iot/assay/harness/verdict"
)

// unshaken is a door that took n messages and served on.
func unshaken(n int, f ...func(*coapmalformed.Door)) coapmalformed.Door {
	d := coapmalformed.Door{
		Way:     coapmalformed.Way{Addr: netip.MustParseAddrPort("192.0.2.1:5683"), Transport: "udp"},
		Control: coapmalformed.Listing, Before: "answered", After: "answered", Corpus: 40,
		Witness: coapmalformed.Witness{Kind: coapmalformed.Counter, Path: []byte("/uptime"), Held: evidence.Yes},
	}
	for range n {
		d.Messages = append(d.Messages, coapmalformed.Message{Name: "x", Sent: coapmalformed.Whole, Reaction: coapmalformed.Ignored})
	}
	for _, change := range f {
		change(&d)
	}
	return d
}

func gazed(looks ...coapmalformed.Look) func(*coapmalformed.Door) {
	return func(d *coapmalformed.Door) { d.Looks, d.After = looks, "silent" }
}

// broken is a witness that was lost after each of these messages.
func broken(kind coapmalformed.WitnessKind, after ...coapmalformed.Name) func(*coapmalformed.Door) {
	return func(d *coapmalformed.Door) {
		d.Witness.Kind, d.Witness.Held = kind, evidence.No
		for _, name := range after {
			d.Witness.Drops = append(d.Witness.Drops, coapmalformed.Drop{After: name})
		}
	}
}

// besieged are the records of a device with a CoAP server that was assaulted.
func besieged(t *testing.T, doors ...coapmalformed.Door) []evidence.Record {
	t.Helper()
	var udp udpservices.Evidence
	for _, d := range doors {
		udp.Endpoints = append(udp.Endpoints, udpservices.Endpoint{Addr: d.Way.Addr, Protocol: udpservices.CoAP, State: udpservices.Answered})
	}
	return []evidence.Record{
		checktest.Record(t, coapmalformed.Probe, coapmalformed.Evidence{Corpus: 1, Doors: doors}),
		checktest.Record(t, udpservices.Probe, udp), checktest.Record(t, coapread.Probe, coapread.Evidence{}),
		checktest.Record(t, tcpports.Probe, surface()), checktest.Record(t, services.Probe, services.Evidence{}),
	}
}

func TestCoAPMalformedSurvived(t *testing.T) {
	const s, yes, no, unknown = time.Second, evidence.Yes, evidence.No, evidence.Unknown
	late := waited(50*s, no)
	late.First = yes
	witnessed := waited(31*s, unknown)
	witnessed.Witness = yes
	exhausted := waited(31*s, unknown)
	exhausted.First = unknown
	tests := []struct {
		name string
		seen coapmalformed.Door
		want verdict.Verdict
	}{
		{"served_on", unshaken(40), verdict.Pass},
		{"gone_for_both_addresses", unshaken(9, gazed(waited(31*s, no), waited(30*s, no))), verdict.Fail},
		{"gone_for_longer_than_a_ban", unshaken(9, gazed(waited(31*s, unknown), waited(901*s, unknown))), verdict.Fail},
		{"started_again_twice", unshaken(40, broken(coapmalformed.Counter, "a", "b", "b")), verdict.Fail},
		{"started_again_once", unshaken(40, broken(coapmalformed.Counter, "a")), verdict.Inconclusive},
		{"started_again_after_two_others", unshaken(40, broken(coapmalformed.Counter, "a", "b")), verdict.Inconclusive},
		{"started_again_at_the_end", unshaken(40, broken(coapmalformed.Counter, "", "")), verdict.Inconclusive},
		{"session_dropped_twice", unshaken(40, broken(coapmalformed.Idle, "a", "a")), verdict.Inconclusive},
		{"gone_once", unshaken(9, gazed(waited(31*s, no), late)), verdict.Inconclusive},
		{"silent_to_the_only_address", unshaken(9, gazed(waited(31*s, unknown), waited(100*s, unknown))), verdict.Inconclusive},
		{"serves_the_second_address", unshaken(9, gazed(waited(31*s, yes), waited(31*s, yes))), verdict.Inconclusive},
		{"serves_the_witness", unshaken(9, gazed(witnessed, witnessed)), verdict.Inconclusive},
		{"looks_too_short", unshaken(9, gazed(waited(29*s, no), waited(29*s, no))), verdict.Inconclusive},
		{"asked_too_often", unshaken(9, gazed(exhausted)), verdict.Inconclusive},
		{"no_witness", unshaken(40, func(d *coapmalformed.Door) { d.Witness = coapmalformed.Witness{Kind: coapmalformed.NoWitness} }), verdict.Inconclusive},
		{"quiet_witness", unshaken(40, func(d *coapmalformed.Door) { d.Witness.Kind, d.Witness.Held = coapmalformed.Observed, unknown }), verdict.Inconclusive},
		{"one_not_sent", unshaken(40, func(d *coapmalformed.Door) { d.Messages[3].Sent = coapmalformed.NotSent }), verdict.Inconclusive},
		{"too_few", unshaken(39), verdict.Inconclusive},
		{"no_control", coapmalformed.Door{Way: unshaken(0).Way, Control: coapmalformed.NoControl, Before: "silent", Corpus: 40}, verdict.Inconclusive},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			records := besieged(t, tt.seen)
			d := decided(t, coapMalformedSurvived, tt.want, records...)
			if len(d.Items) != 1 || d.Items[0].Key != "udp/5683#coap" {
				t.Errorf("items = %+v", d.Items)
			}
			onPart(t, coapMalformedSurvived, tt.want, records[0], records[1:]...)
		})
	}
	t.Run("no_server", func(t *testing.T) { decided(t, coapMalformedSurvived, verdict.NotApplicable, besieged(t)...) })
	t.Run("nothing", func(t *testing.T) { decided(t, coapMalformedSurvived, verdict.Inconclusive) })
}

// A profile may ask for more messages, a longer wait or a longer ban.
func TestCoAPMalformedParameters(t *testing.T) {
	gone := unshaken(9, gazed(waited(40*time.Second, evidence.Unknown), waited(950*time.Second, evidence.Unknown)))
	tests := []struct {
		name string
		seen coapmalformed.Door
		with check.With
		want verdict.Verdict
	}{
		{"packets", unshaken(40), check.With{"packets": 41}, verdict.Inconclusive},
		{"as_it_is", gone, nil, verdict.Fail},
		{"recover_s", gone, check.With{"recover_s": 60}, verdict.Inconclusive},
		{"ban_wait_s", gone, check.With{"ban_wait_s": 1000}, verdict.Inconclusive},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if d, _ := check.Judge(coapMalformedSurvived, tt.with, besieged(t, tt.seen)); d.Verdict != tt.want {
				t.Errorf("verdict = %s, want %s; items: %+v", d.Verdict, tt.want, d.Items)
			}
		})
	}
}
