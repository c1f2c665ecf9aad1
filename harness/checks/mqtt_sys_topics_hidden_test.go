package checks

import (
	"testing"
	"time"

	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/mqttpublish"
	"github.com/assay-iot/assay/harness/probes/mqttread"
	"github.com/assay-iot/assay/harness/verdict"
)

func TestMQTTSysTopicsHidden(t *testing.T) {
	clients, counter := sysSays(mqttread.ClientID, mqttread.PeerAddress), sysSays(mqttread.Counter)
	refused, hungUp := sysGrant(glance(), mqttread.Refused), sysGrant(glance(), mqttread.HungUp)
	cut := changedLook(hungUp, func(l *mqttread.Look) { l.Ended = mqttread.Cut })
	hasty := changedLook(glance(), func(l *mqttread.Look) { l.Waited = 14 * time.Second })
	const open = "i ii rr i"
	stranger := func(looks ...mqttread.Look) []mqttread.Reading {
		return []mqttread.Reading{reader(mqttread.Stranger, looks...)}
	}
	with := func(rest []mqttread.Reading, r mqttread.Reading) []mqttread.Reading { return append(rest, r) }
	tests := []struct {
		name, door string
		readings   []mqttread.Reading
		want       verdict.Verdict
		advised    bool
	}{
		{"not_let_in", sound, stranger(notIn(ansRefused)), verdict.Pass, false},
		{"not_let_in_hung_up", "i cc rr i", stranger(notIn(ansClosed)), verdict.Pass, false},
		{"not_let_in_and_no_log_in", "- rr rr -", stranger(notIn(ansRefused)), verdict.Inconclusive, false},
		{"silent", "i ss rr i", stranger(notIn(ansSilent)), verdict.Inconclusive, false},
		{"let_in_before_and_not_now", open, stranger(notIn(ansRefused)), verdict.Inconclusive, false},
		{"subscription_refused", open, stranger(refused), verdict.Pass, false},
		{"subscription_refused_twice", open, stranger(refused, refused), verdict.Pass, false},
		{"hangs_up_on_the_subscription_alone", open, stranger(hungUp), verdict.Pass, false},
		{"hangs_up_for_good", open, stranger(cut), verdict.Inconclusive, false},
		{"subscription_unanswered", open, stranger(sysGrant(glance(), mqttread.NoAnswer)), verdict.Inconclusive, false},
		{"granted_and_silent", open, stranger(glance()), verdict.Inconclusive, false},
		{"granted_and_silent_for_a_shorter_time", open, stranger(hasty), verdict.Inconclusive, false},
		{"counters", open, stranger(glance(counter), glance(counter)), verdict.Inconclusive, true},
		{"clients", open, stranger(glance(counter, clients), glance(clients)), verdict.Fail, false},
		{"clients_once", open, stranger(glance(clients), glance()), verdict.Inconclusive, false},
		{"clients_told_to_a_member", sound, with(stranger(notIn(ansRefused)), reader(mqttread.Member, glance(clients), glance(clients))), verdict.Fail, false},
		{"clients_told_to_a_member_once", sound, with(stranger(notIn(ansRefused)), reader(mqttread.Member, glance(clients), glance())), verdict.Inconclusive, false},
		{"counters_told_to_a_member", sound, with(stranger(notIn(ansRefused)), reader(mqttread.Member, glance(counter), glance(counter))), verdict.Pass, true},
		{"clients_told_to_who_may_read_everything", sound, with(stranger(notIn(ansRefused)), reader(mqttread.ReadsAll, glance(clients), glance(clients))), verdict.Pass, false},
		{"version_not_spoken", "o oo oo n", stranger(notIn(ansOld)), verdict.NotApplicable, false},
		{"nobody_looked", sound, nil, verdict.Inconclusive, false},
		{"no_look", sound, stranger(), verdict.Inconclusive, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			door, read := connected(t, takes(way5, tt.door)), readBy(t, tt.readings...)
			d := decided(t, mqttSysTopicsHidden, tt.want, append(brokerSurface(t), door, read)...)
			if got := !d.Items[0].Advisory.IsZero(); got != tt.advised {
				t.Errorf("advised = %t: %q", got, d.Items[0].Advisory)
			}
			onPart(t, mqttSysTopicsHidden, tt.want, read, append(brokerSurface(t), door)...)
			shortSurface(t, mqttSysTopicsHidden, tt.want, door, read)
		})
	}
	withoutBroker(t, mqttSysTopicsHidden, connected(t), readBy(t))
	decided(t, mqttSysTopicsHidden, verdict.Inconclusive, append(brokerSurface(t), connected(t, takes(way5, sound)))...)
}

// That nothing came means something only where a test message would have.
func TestRule3SilenceBelowSysNeedsACanary(t *testing.T) {
	heard := changed(func(x *mqttpublish.Exchange) { x.Stranger.HeardB = evidence.Yes })
	deaf := changed(func(x *mqttpublish.Exchange) { x.Stranger.HeardB = evidence.No })
	clients := sysSays(mqttread.ClientID)
	tests := []struct {
		name      string
		look      mqttread.Look
		exchanges []mqttpublish.Exchange
		want      verdict.Verdict
	}{
		{"canary_heard", glance(), []mqttpublish.Exchange{heard, heard}, verdict.Pass},
		{"canary_heard_once", glance(), []mqttpublish.Exchange{heard, deaf}, verdict.Inconclusive},
		{"one_exchange", glance(), []mqttpublish.Exchange{heard}, verdict.Inconclusive},
		{"canary_not_heard", glance(), []mqttpublish.Exchange{deaf, deaf}, verdict.Inconclusive},
		{"clients_all_the_same", glance(clients), []mqttpublish.Exchange{heard, heard}, verdict.Fail},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := reader(mqttread.Stranger, tt.look, tt.look)
			r.Way = way311
			decided(t, mqttSysTopicsHidden, tt.want, append(brokerSurface(t), connected(t, takes(way311, "i ii rr i")), readBy(t, r), published(t, tt.exchanges...))...)
		})
	}
}

func TestSysWaitIsTheProfiles(t *testing.T) {
	short := changedLook(glance(), func(l *mqttread.Look) { l.Waited = 5 * time.Second })
	heard := changed(func(x *mqttpublish.Exchange) { x.Stranger.HeardB = evidence.Yes })
	r := reader(mqttread.Stranger, short)
	r.Way = way311
	log := append(brokerSurface(t), connected(t, takes(way311, "i ii rr i")), readBy(t, r), published(t, heard, heard))
	for wait, want := range map[int]verdict.Verdict{5: verdict.Pass, 6: verdict.Inconclusive} {
		d, defects := check.Judge(mqttSysTopicsHidden, check.With{"wait_s": wait}, log)
		if d.Verdict != want || len(defects) > 0 {
			t.Errorf("wait_s %d: %s, %+v", wait, d.Verdict, defects)
		}
	}
}
