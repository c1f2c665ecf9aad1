package checks

import (
	"strings"
	"testing"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/mqttread"
	"github.com/assay-iot/assay/harness/verdict"
)

func TestMQTTRetainedWithoutSecrets(t *testing.T) {
	status, pin, token := keptAs("door/status", `{"start":4}`), keptAs("door/owner", `{"pin":"**"}`, "pin"), keptAs("door/owner", "**", "token")
	live := pin
	live.Retained = evidence.No
	named := keptAs("door/help", `{"pin":"set in the app"}`)
	named.Named = 1
	unread := changedLook(glance(status), func(l *mqttread.Look) { l.RetainedRead = evidence.Unknown })
	cut := changedLook(glance(status), func(l *mqttread.Look) { l.Ended = mqttread.Cut })
	narrow := changedLook(glance(status), func(l *mqttread.Look) { l.Subscriptions[0].Grant = mqttread.Refused })
	admin := func(looks ...mqttread.Look) []mqttread.Reading {
		return []mqttread.Reading{reader(mqttread.Stranger, notIn(ansRefused)), reader(mqttread.ReadsAll, looks...)}
	}
	others := func(who mqttread.Reader, looks ...mqttread.Look) []mqttread.Reading {
		return append(admin(glance(status), glance(status)), reader(who, looks...))
	}
	tests := []struct {
		name     string
		readings []mqttread.Reading
		want     verdict.Verdict
		advised  bool
	}{
		{"no_secret", admin(glance(status), glance(status)), verdict.Pass, false},
		{"nothing_retained", admin(glance()), verdict.NotApplicable, false},
		{"secret", admin(glance(status, pin), glance(pin, status)), verdict.Fail, false},
		{"secret_once", admin(glance(status, pin), glance(status)), verdict.Inconclusive, false},
		{"another_secret_the_second_time", admin(glance(pin), glance(token)), verdict.Inconclusive, false},
		{"secret_in_a_message_that_is_not_kept", admin(glance(status, live), glance(status, live)), verdict.Pass, false},
		{"names_alone", admin(glance(named), glance(named)), verdict.Pass, true},
		{"secret_told_to_a_stranger", others(mqttread.Stranger, glance(pin), glance(pin)), verdict.Fail, false},
		{"secret_told_to_a_member", others(mqttread.Member, glance(pin), glance(pin)), verdict.Fail, false},
		{"secret_told_to_a_member_once", others(mqttread.Member, glance(pin), glance()), verdict.Inconclusive, false},
		{"read_once", admin(glance(status)), verdict.Inconclusive, false},
		{"not_read_to_the_end", admin(glance(status), unread), verdict.Inconclusive, false},
		{"hung_up", admin(cut), verdict.Inconclusive, false},
		{"rights_partial", admin(narrow, narrow), verdict.Inconclusive, false},
		{"log_in_refused", admin(notIn(ansRefused)), verdict.Inconclusive, false},
		{"budget_spent", admin(notIn(answersBy['b'])), verdict.Inconclusive, false},
		{"nobody_may_read_everything", []mqttread.Reading{reader(mqttread.Member, glance(status), glance(status))}, verdict.Inconclusive, false},
		{"nobody_read", nil, verdict.Inconclusive, false},
		{"no_look", admin(), verdict.Inconclusive, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			door, read := connected(t, takes(way5, sound)), readBy(t, tt.readings...)
			d := decided(t, mqttRetainedWithoutSecrets, tt.want, append(brokerSurface(t), door, read)...)
			if got := !d.Items[0].Advisory.IsZero(); got != tt.advised {
				t.Errorf("advised = %t: %q", got, d.Items[0].Advisory)
			}
			onPart(t, mqttRetainedWithoutSecrets, tt.want, read, append(brokerSurface(t), door)...)
			shortSurface(t, mqttRetainedWithoutSecrets, tt.want, door, read)
			decided(t, mqttRetainedWithoutSecrets, verdict.Inconclusive, append(brokerSurface(t), door)...)
		})
	}
	withoutBroker(t, mqttRetainedWithoutSecrets, connected(t), readBy(t))
}

func TestRetainedInAVersionThatIsNotSpoken(t *testing.T) {
	read := readBy(t, reader(mqttread.Stranger, notIn(ansOld)), reader(mqttread.ReadsAll, notIn(ansOld)))
	decided(t, mqttRetainedWithoutSecrets, verdict.NotApplicable, append(brokerSurface(t), connected(t, takes(way5, "o oo oo n")), read)...)
}

// The secret itself is nowhere in the text, and the topic is shown escaped.
func TestSecretsAreNotShown(t *testing.T) {
	m := keptAs("door/\x1b[2Jowner", `{"pin":"**************"}`, "pin")
	d := decided(t, mqttRetainedWithoutSecrets, verdict.Fail, append(brokerSurface(t), connected(t, takes(way5, sound)),
		readBy(t, reader(mqttread.ReadsAll, glance(m), glance(m))))...)
	if why := d.Items[0].Why.String(); !strings.Contains(why, `door/\x1b[2Jowner carried a secret of class pin`) {
		t.Errorf("why = %q", why)
	}
}
