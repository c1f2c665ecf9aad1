package checks

import (
	"strings"
	"testing"

	"github.com/assay-iot/assay/harness/check/checktest"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/probes/mqttpublish"
	"github.com/assay-iot/assay/harness/probes/mqttread"
	"github.com/assay-iot/assay/harness/verdict"
)

func topics(names ...string) []mqttpublish.Topic {
	var list []mqttpublish.Topic
	for _, n := range names {
		list = append(list, mqttpublish.Topic{Name: evidence.Bytes(n), Count: 1})
	}
	return list
}

// reads is a reading with a look for each list of topics.
func reads(who mqttread.Reader, credential string, looks ...[]string) mqttread.Reading {
	r := mqttread.Reading{Way: way311, Reader: who, Credential: declaration.Name(credential)}
	for _, names := range looks {
		l := mqttread.Look{Connection: ansIn}
		for _, n := range names {
			l.Messages = append(l.Messages, mqttread.Message{Topic: evidence.Bytes(n), Times: 1})
		}
		r.Looks = append(r.Looks, l)
	}
	return r
}

func TestMQTTWildcardRefused(t *testing.T) {
	good := apart()
	heardB := changed(func(x *mqttpublish.Exchange) { x.ReaderA.HeardB = evidence.Yes })
	theirs := changed(func(x *mqttpublish.Exchange) { x.ReaderA.Heard = topics("door/app/x", "door/lock/pin") })
	ours := changed(func(x *mqttpublish.Exchange) {
		x.ReaderA.Heard = topics("door/app/x", "door/app/shared", "door/status", "garage/x")
	})
	strangerHears := func(names ...string) mqttpublish.Exchange {
		return changed(func(x *mqttpublish.Exchange) { strangerIn(x); x.Stranger.Heard = topics(names...) })
	}
	notAsked := changed(func(x *mqttpublish.Exchange) { x.ReaderA.Below = mqttpublish.Silent })
	gone := changed(func(x *mqttpublish.Exchange) { x.ReaderA.HeardB, x.ReaderA.Alive = evidence.Unknown, evidence.Unknown })
	refusedFilters := changed(func(x *mqttpublish.Exchange) {
		x.ReaderA.All, x.ReaderA.Below = mqttpublish.Refused, mqttpublish.Refused
	})
	tests := []struct {
		name string
		seen []mqttpublish.Exchange
		read []mqttread.Reading
		want verdict.Verdict
	}{
		{"nothing_of_others", []mqttpublish.Exchange{good, ours}, nil, verdict.Pass},
		{"filters_refused", []mqttpublish.Exchange{refusedFilters, refusedFilters}, nil, verdict.Pass},
		{"stranger_hears_what_is_public", []mqttpublish.Exchange{strangerHears("door/status"), strangerHears("door/status", "$SYS/x")}, nil, verdict.Pass},
		{"a_hears_b", []mqttpublish.Exchange{heardB, heardB}, nil, verdict.Fail},
		{"a_hears_topics_of_b", []mqttpublish.Exchange{theirs, theirs}, nil, verdict.Fail},
		{"stranger_hears_b", []mqttpublish.Exchange{strangerHears("door/lock/x"), strangerHears("door/lock/y")}, nil, verdict.Fail},
		{"stranger_hears_what_is_nobodys", []mqttpublish.Exchange{strangerHears("garage/x"), strangerHears("garage/x")}, nil, verdict.Fail},
		{"flapping_twice_in_three", []mqttpublish.Exchange{heardB, good, heardB}, nil, verdict.Fail},
		{"one_off", []mqttpublish.Exchange{heardB, good, good}, nil, verdict.Inconclusive},
		{"reader_gone", []mqttpublish.Exchange{good, gone}, nil, verdict.Inconclusive},
		{"filter_not_answered", []mqttpublish.Exchange{good, notAsked}, nil, verdict.Inconclusive},
		{"stranger_silent", []mqttpublish.Exchange{good, changed(func(x *mqttpublish.Exchange) { x.Stranger.Connection = ansSilent })}, nil, verdict.Inconclusive},
		{"stranger_gone", []mqttpublish.Exchange{good, changed(func(x *mqttpublish.Exchange) { strangerIn(x); x.Stranger.HeardB = evidence.Unknown })}, nil, verdict.Inconclusive},
		{"one_exchange", []mqttpublish.Exchange{good}, nil, verdict.Inconclusive},
		{"control_lost", []mqttpublish.Exchange{good, changed(func(x *mqttpublish.Exchange) { x.AToA.Arrived = evidence.No })}, nil, verdict.Inconclusive},
		{"version_not_spoken", []mqttpublish.Exchange{earlyEnd(ansOld), earlyEnd(ansOld)}, nil, verdict.NotApplicable},
		{"no_two_identities", nil, nil, verdict.Inconclusive},
		{"read_by_a_stranger", []mqttpublish.Exchange{good, good}, []mqttread.Reading{reads(mqttread.Stranger, "", []string{"door/lock/x"}, []string{"door/lock/x"})}, verdict.Fail},
		{"read_by_a_stranger_once", []mqttpublish.Exchange{good, good}, []mqttread.Reading{reads(mqttread.Stranger, "", []string{"door/lock/x"}, nil)}, verdict.Inconclusive},
		{"read_by_a_member", nil, []mqttread.Reading{reads(mqttread.Member, "app", []string{"door/lock/x"}, []string{"door/lock/x"})}, verdict.Fail},
		{"read_by_its_owner", []mqttpublish.Exchange{good, good}, []mqttread.Reading{reads(mqttread.Member, "lock", []string{"door/lock/x"}, []string{"door/lock/x"})}, verdict.Pass},
		{"read_by_who_may_read_all", []mqttpublish.Exchange{good, good}, []mqttread.Reading{reads(mqttread.ReadsAll, "admin", []string{"door/lock/x"}, []string{"door/lock/x"})}, verdict.Pass},
		{"read_what_the_broker_says_of_itself", []mqttpublish.Exchange{good, good}, []mqttread.Reading{reads(mqttread.Stranger, "", []string{"$SYS/x"}, []string{"$SYS/x"})}, verdict.Pass},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := published(t, tt.seen...)
			rest := append(brokerSurface(t), checktest.Record(t, declaration.Probe, said()), checktest.Record(t, mqttread.Probe, mqttread.Evidence{Readings: tt.read}))
			decided(t, mqttWildcardRefused, tt.want, append(rest, r)...)
			onPart(t, mqttWildcardRefused, tt.want, r, rest...)
		})
	}
	withoutBroker(t, mqttWildcardRefused, checktest.Record(t, mqttpublish.Probe, mqttpublish.Evidence{}), checktest.Record(t, declaration.Probe, said()))
}

// What is only read can fail, and never passes.
func TestWildcardFromReadingAlone(t *testing.T) {
	for name, tt := range map[string]struct {
		looks [][]string
		want  verdict.Verdict
	}{
		"nothing_heard":  {[][]string{nil, nil}, verdict.Inconclusive},
		"heard_of_lock":  {[][]string{{"door/lock/x"}, {"door/lock/x"}}, verdict.Fail},
		"heard_it_once":  {[][]string{{"door/lock/x"}, nil}, verdict.Inconclusive},
		"heard_a_status": {[][]string{{"door/status"}, {"door/status"}}, verdict.Inconclusive},
	} {
		t.Run(name, func(t *testing.T) {
			r := checktest.Record(t, mqttread.Probe, mqttread.Evidence{Readings: []mqttread.Reading{reads(mqttread.Stranger, "", tt.looks...)}})
			d := decided(t, mqttWildcardRefused, tt.want, append(brokerSurface(t), checktest.Record(t, declaration.Probe, said()), r)...)
			if tt.want == verdict.Inconclusive && name != "heard_it_once" && !strings.Contains(d.Items[0].Next.String(), "--effect intrusive") {
				t.Errorf("next = %s", d.Items[0].Next)
			}
		})
	}
}

// A door that the device file does not name is one of the declared broker.
func TestWildcardAtAnotherDoor(t *testing.T) {
	x := changed(func(x *mqttpublish.Exchange) { x.ReaderA.Heard = topics("door/lock/pin") })
	other := way311
	other.Addr = odd
	r := checktest.Record(t, mqttpublish.Probe, mqttpublish.Evidence{Doors: []mqttpublish.Doorway{{Door: other, A: "app", B: "lock", Exchanges: []mqttpublish.Exchange{x, x}}}})
	decided(t, mqttWildcardRefused, verdict.Fail, append(brokerSurface(t), checktest.Record(t, declaration.Probe, said()), r)...)
}
