package checks

import (
	"testing"
	"time"

	"github.com/assay-iot/assay/harness/check/checktest"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/probes/mqttconnect"
	"github.com/assay-iot/assay/harness/probes/mqttread"
)

// glance is a look to the end, in which everything was granted and these
// messages came.
func glance(messages ...mqttread.Message) mqttread.Look {
	l := mqttread.Look{
		Connection: ansIn, Waited: 15 * time.Second, RetainedRead: evidence.Yes, Ended: mqttread.Left,
		Received: len(messages), Messages: messages,
	}
	for _, f := range []mqttread.Filter{mqttread.All, mqttread.Below, mqttread.Sys} {
		l.Subscriptions = append(l.Subscriptions, mqttread.Subscription{Filter: f, Grant: mqttread.Granted})
	}
	for _, m := range messages {
		if m.Retained == evidence.Yes {
			l.Retained++
		}
	}
	return l
}

// changedLook is a look that is different.
func changedLook(l mqttread.Look, f func(*mqttread.Look)) mqttread.Look {
	l.Subscriptions = append([]mqttread.Subscription{}, l.Subscriptions...)
	f(&l)
	return l
}

// sysGrant changes how the subscription below $SYS was taken.
func sysGrant(l mqttread.Look, g mqttread.Grant) mqttread.Look {
	return changedLook(l, func(l *mqttread.Look) { l.Subscriptions[2].Grant = g })
}

// notIn is a look of somebody who was turned away.
func notIn(how mqttconnect.Answer) mqttread.Look {
	return mqttread.Look{Connection: how, Ended: mqttread.NotLetIn}
}

// keptAs is a retained message.
func keptAs(topic, payload string, secrets ...evidence.SecretClass) mqttread.Message {
	m := mqttread.Message{Topic: evidence.Bytes(topic), Payload: evidence.Bytes(payload), Length: len(payload), Retained: evidence.Yes, Times: 1}
	for _, c := range secrets {
		m.Secrets = append(m.Secrets, mqttread.Found{Name: evidence.Bytes("pin"), Secret: evidence.Secret{Class: c, Length: 14}})
	}
	return m
}

// sysSays is a message below $SYS.
func sysSays(about ...mqttread.About) mqttread.Message {
	m := keptAs("$SYS/broker/x", "3")
	m.About = about
	return m
}

// reader is what somebody was told at the door of version 5.
func reader(who mqttread.Reader, looks ...mqttread.Look) mqttread.Reading {
	credential := map[mqttread.Reader]declaration.Name{mqttread.Member: "app", mqttread.ReadsAll: "admin"}[who]
	return mqttread.Reading{Way: way5, Reader: who, Credential: credential, Looks: looks}
}

// readBy is the record of a run with these readings.
func readBy(t *testing.T, readings ...mqttread.Reading) evidence.Record {
	t.Helper()
	return checktest.Record(t, mqttread.Probe, mqttread.Evidence{Patterns: 1, Readings: readings})
}
