package checks

import (
	"testing"

	"github.com/assay-iot/assay/harness/check/checktest"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/mqttconnect"
	"github.com/assay-iot/assay/harness/probes/mqttpublish"
	"github.com/assay-iot/assay/harness/verdict"
)

// apart is an exchange in which everything arrived that had to and nothing
// else, and a stranger was kept out.
func apart() mqttpublish.Exchange {
	in := mqttpublish.Client{Connection: ansIn, Own: mqttpublish.Granted}
	sent := mqttpublish.Canary{Sent: mqttpublish.Acknowledged, Code: -1}
	there, not := sent, sent
	there.Arrived, not.Arrived = evidence.Yes, evidence.No
	return mqttpublish.Exchange{
		A: in, B: in, AToA: there, BToB: there, BToBAgain: there, AToB: not,
		ReaderA: mqttpublish.Reader{
			Connection: ansIn, Own: mqttpublish.Granted, All: mqttpublish.Granted, Below: mqttpublish.Granted, Alive: evidence.Yes, HeardB: evidence.No,
		},
		Stranger:    mqttpublish.Reader{Connection: ansRefused, Own: mqttpublish.NotAsked, All: mqttpublish.NotAsked, Below: mqttpublish.NotAsked},
		StrangerToB: mqttpublish.Canary{Sent: mqttpublish.NotSent, Code: -1},
	}
}

// changed is apart with one thing different.
func changed(f func(*mqttpublish.Exchange)) mqttpublish.Exchange {
	x := apart()
	f(&x)
	return x
}

// strangerIn is an exchange in which a stranger was let in and did no harm.
func strangerIn(x *mqttpublish.Exchange) {
	x.Stranger = x.ReaderA
	x.Stranger.Own = mqttpublish.NotAsked
	x.StrangerToB = x.AToB
}

func crossed(x *mqttpublish.Exchange) { x.AToB.Arrived = evidence.Yes }

// earlyEnd is an exchange that ended with B's log-in.
func earlyEnd(b mqttconnect.Answer) mqttpublish.Exchange {
	no := mqttpublish.Client{Connection: ansNot, Own: mqttpublish.NotAsked}
	return mqttpublish.Exchange{
		A: no, B: mqttpublish.Client{Connection: b, Own: mqttpublish.NotAsked},
		ReaderA: mqttpublish.Reader{Connection: ansNot}, Stranger: mqttpublish.Reader{Connection: ansNot},
	}
}

func published(t *testing.T, exchanges ...mqttpublish.Exchange) evidence.Record {
	t.Helper()
	d := mqttpublish.Doorway{Door: way311, A: "app", B: "lock", Exchanges: exchanges}
	if len(exchanges) == 0 {
		d.B = ""
	}
	return checktest.Record(t, mqttpublish.Probe, mqttpublish.Evidence{Doors: []mqttpublish.Doorway{d}})
}

func TestMQTTCrossPublishRefused(t *testing.T) {
	good, cross := apart(), changed(crossed)
	lost := changed(func(x *mqttpublish.Exchange) { x.BToBAgain.Arrived = evidence.Unknown })
	unseen := changed(func(x *mqttpublish.Exchange) { x.AToB.Arrived = evidence.Unknown })
	byStranger := changed(func(x *mqttpublish.Exchange) { strangerIn(x); x.StrangerToB.Arrived = evidence.Yes })
	tests := []struct {
		name string
		seen []mqttpublish.Exchange
		want verdict.Verdict
	}{
		{"kept_apart", []mqttpublish.Exchange{good, good}, verdict.Pass},
		{"stranger_hung_up_on", []mqttpublish.Exchange{changed(func(x *mqttpublish.Exchange) { x.Stranger.Connection = ansClosed }), good}, verdict.Pass},
		{"stranger_let_in_and_harmless", []mqttpublish.Exchange{changed(strangerIn), changed(strangerIn)}, verdict.Pass},
		{"a_reaches_b", []mqttpublish.Exchange{cross, cross}, verdict.Fail},
		{"a_reaches_b_with_lost_controls", []mqttpublish.Exchange{cross, changed(func(x *mqttpublish.Exchange) { crossed(x); x.AToA.Arrived = evidence.Unknown })}, verdict.Fail},
		{"stranger_reaches_b", []mqttpublish.Exchange{byStranger, byStranger}, verdict.Fail},
		{"flapping_twice_in_three", []mqttpublish.Exchange{cross, good, cross}, verdict.Fail},
		{"one_off_in_three", []mqttpublish.Exchange{cross, good, good}, verdict.Inconclusive},
		{"one_exchange", []mqttpublish.Exchange{good}, verdict.Inconclusive},
		{"control_lost", []mqttpublish.Exchange{good, lost}, verdict.Inconclusive},
		{"not_seen", []mqttpublish.Exchange{good, unseen}, verdict.Inconclusive},
		{"stranger_silent", []mqttpublish.Exchange{good, changed(func(x *mqttpublish.Exchange) { x.Stranger.Connection = ansSilent })}, verdict.Inconclusive},
		{"stranger_not_tried", []mqttpublish.Exchange{good, changed(func(x *mqttpublish.Exchange) { x.Stranger.Connection = ansNot })}, verdict.Inconclusive},
		{"b_not_let_in", []mqttpublish.Exchange{earlyEnd(ansRefused)}, verdict.Inconclusive},
		{"a_not_let_in", []mqttpublish.Exchange{changed(func(x *mqttpublish.Exchange) { x.A.Connection = ansRefused })}, verdict.Inconclusive},
		{"version_not_spoken", []mqttpublish.Exchange{earlyEnd(ansOld), earlyEnd(ansOld)}, verdict.NotApplicable},
		{"no_two_identities", nil, verdict.Inconclusive},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := published(t, tt.seen...)
			decided(t, mqttCrossPublishRefused, tt.want, append(brokerSurface(t), r)...)
			onPart(t, mqttCrossPublishRefused, tt.want, r, brokerSurface(t)...)
		})
	}
	withoutBroker(t, mqttCrossPublishRefused, checktest.Record(t, mqttpublish.Probe, mqttpublish.Evidence{}))
}

// Each door has an item of its own.
func TestCrossPublishDoorByDoor(t *testing.T) {
	good, bad := []mqttpublish.Exchange{apart(), apart()}, []mqttpublish.Exchange{changed(crossed), changed(crossed)}
	r := checktest.Record(t, mqttpublish.Probe, mqttpublish.Evidence{Doors: []mqttpublish.Doorway{
		{Door: way311, A: "app", B: "lock", Exchanges: good}, {Door: way5, A: "app", B: "lock", Exchanges: bad},
	}})
	d := decided(t, mqttCrossPublishRefused, verdict.Fail, append(brokerSurface(t), r)...)
	at := verdictsAt(d)
	if at["tcp/8883#mqtt-311"] != verdict.Pass || at["tcp/8883#mqtt-5"] != verdict.Fail {
		t.Errorf("verdicts = %v", at)
	}
}
