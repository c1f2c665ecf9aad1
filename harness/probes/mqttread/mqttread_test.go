package mqttread

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/probes/internal/mqttdoor"
	"github.com/assay-iot/assay/harness/probes/internal/mqttdoor/doortest"
	"github.com/assay-iot/assay/harness/probes/mqttconnect"
	"github.com/assay-iot/assay/harness/transport"
	"github.com/assay-iot/assay/internal/peers"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	app   = probe.Login{ID: "app", User: "app", Password: "correct-password"}
	admin = probe.Login{ID: "admin", User: "admin", Password: "greatest-password"}
	users = map[string]string{app.User: app.Password, admin.User: admin.Password}
)

const (
	status = `{"firmware":"2.3.1","start":4}`
	pin    = "7Q4K-92XD-LM5R"
	owner  = `{"user":"owner","pin":"` + pin + `"}`
)

// hasty is for brokers of this test, which answer at once.
var hasty = manner{answer: time.Second, sys: 3 * time.Second, live: time.Second, quiet: 300 * time.Millisecond}

// said declares who may read everything.
var said = declaration.Evidence{Given: evidence.Yes, Services: []declaration.Service{
	{ID: "broker", MQTT: declaration.MQTT{ReadsAll: "admin"}},
}}

// doorsOf are both doors of a listener, with a log-in that was accepted there.
func doorsOf(at netip.AddrPort, secure evidence.Tri) mqttconnect.Evidence {
	var e mqttconnect.Evidence
	for _, v := range []mqttconnect.Version{mqttconnect.V311, mqttconnect.V5} {
		e.Doors = append(e.Doors, mqttconnect.Door{
			Way: Way{Addr: at, TLS: secure, Version: v}, Credential: "app",
			Before: Answer{Outcome: mqttconnect.Accepted}, After: Answer{Outcome: mqttconnect.Accepted},
		})
	}
	return e
}

// collect runs the probe and reads the evidence back as a judge would.
func collect(t *testing.T, b *doortest.Bench, doors mqttconnect.Evidence, said declaration.Evidence) (Evidence, json.RawMessage, error) {
	t.Helper()
	return collectIn(t, t.Context(), b, doors, said)
}

func collectIn(t *testing.T, ctx context.Context, b *doortest.Bench, doors mqttconnect.Evidence, said declaration.Evidence) (Evidence, json.RawMessage, error) {
	t.Helper()
	in := b.Input
	in.Evidence = evidence.NewView(evidence.DUT, map[string]evidence.Page{
		mqttconnect.Probe.Name: {Value: doors}, declaration.Probe.Name: {Value: said},
	})
	quick := *Probe
	quick.Run = func(ctx context.Context, in probe.Input) (Evidence, error) { return readAll(ctx, in, hasty) }
	end, err := quick.Begin(ctx, in)
	require.NoError(t, err)
	data, failed := end(ctx)
	page, err := Probe.Open(evidence.Record{Version: Probe.Version, Data: data})
	require.NoError(t, err)
	return page.Value.(Evidence), data, failed
}

// only returns the readings of one reader.
func only(e Evidence, who Reader) []Reading {
	var list []Reading
	for _, r := range e.Readings {
		if r.Reader == who {
			list = append(list, r)
		}
	}
	return list
}

// told is the topics of a look, in order.
func told(l Look) string {
	var topics []string
	for _, m := range l.Messages {
		topics = append(topics, string(m.Topic))
	}
	return strings.Join(topics, " ")
}

// grantsOf writes how the filters were taken.
func grantsOf(l Look) string {
	var all []string
	for _, s := range l.Subscriptions {
		all = append(all, string(s.Grant))
	}
	return strings.Join(all, " ")
}

// hardened is a broker that tells each user what it may know.
func hardened(user, topic string) bool {
	switch user {
	case "admin":
		return !strings.HasPrefix(topic, "$SYS")
	case "app":
		return topic == "#" || topic == "+/#" || topic == "door/status"
	}
	return false
}

func TestReaders(t *testing.T) {
	t.Parallel()
	broker := doortest.NewBroker(t, doortest.Rules{Users: users, Reads: hardened, Retained: map[string]string{"door/status": status, "door/lock/owner": owner}})
	bench := doortest.New(t, app, admin)
	begun := time.Now()
	e, data, err := collect(t, bench, doorsOf(broker.Addr, evidence.No), said)
	require.NoError(t, err)
	assert.Less(t, time.Since(begun), 5*time.Second, "all read side by side, and nobody is waited for in vain")
	require.Len(t, e.Readings, 6)
	for _, r := range only(e, Stranger) {
		require.Len(t, r.Looks, 1)
		assert.Equal(t, mqttdoor.Refused, r.Looks[0].Connection.Outcome)
		assert.Equal(t, NotLetIn, r.Looks[0].Ended)
		assert.Equal(t, "not_asked not_asked not_asked", grantsOf(r.Looks[0]))
		assert.Zero(t, r.Looks[0].Waited)
	}
	for _, r := range only(e, Member) {
		require.Len(t, r.Looks, 2)
		for _, l := range r.Looks {
			assert.Equal(t, "granted granted refused", grantsOf(l))
			assert.Equal(t, "door/status", told(l))
			assert.Equal(t, evidence.Yes, l.RetainedRead)
			assert.Equal(t, Left, l.Ended)
			assert.Empty(t, l.Messages[0].Secrets)
			assert.Equal(t, evidence.Yes, l.Messages[0].Retained)
			assert.Equal(t, 1, l.Retained)
			assert.Contains(t, bench.Member(l.Messages[0].Span.Member), status)
		}
	}
	for _, r := range only(e, ReadsAll) {
		require.Len(t, r.Looks, 2)
		for i, l := range r.Looks {
			assert.Equal(t, evidence.Yes, l.RetainedRead)
			assert.Equal(t, 2, l.Retained)
			assert.True(t, r.Again(i, func(m Message) bool { return len(m.Secrets) == 1 }))
			for _, m := range l.Messages {
				if string(m.Topic) == "door/lock/owner" {
					assert.Equal(t, `{"user":"owner","pin":"**************"}`, string(m.Payload))
					assert.Equal(t, evidence.SecretClass("pin"), m.Secrets[0].Secret.Class)
					assert.Equal(t, "pin", string(m.Secrets[0].Name))
					assert.Equal(t, len(pin), m.Secrets[0].Secret.Length)
					assert.NotContains(t, bench.Member(m.Span.Member)[m.Span.Offset:m.Span.Offset+m.Span.Length], pin)
				}
			}
		}
	}
	assert.False(t, strings.Contains(string(data), pin))
	assert.False(t, strings.Contains(bench.Transcript(), pin))
	assert.False(t, strings.Contains(bench.Transcript(), app.Password))
	assert.Equal(t, []string{"admin"}, bench.Charged(), "app was accepted before, and admin pays once")
	assert.Eventually(t, func() bool { return broker.Clients() == 0 && broker.Subscriptions() == 0 }, time.Second, time.Millisecond)
	assert.Equal(t, 2, broker.Retained())
}

// Inside TLS as well, a secret is masked that was only found in what was read.
func TestSecretsInsideTLS(t *testing.T) {
	t.Parallel()
	cert := peers.NewAuthority(t).Issue(t, "device")
	broker := doortest.NewBroker(t, doortest.Rules{
		Anonymous: doortest.Everybody, Reads: doortest.Everything, Retained: map[string]string{"door/lock/owner": owner},
		TLS: &tls.Config{Certificates: []tls.Certificate{cert.TLS}},
	})
	bench := doortest.New(t)
	e, data, err := collect(t, bench, doorsOf(broker.Addr, evidence.Yes), declaration.Evidence{})
	require.NoError(t, err)
	require.Len(t, e.Readings, 2, "nobody has a log-in")
	assert.Len(t, e.Readings[0].Looks[0].Messages[0].Secrets, 1)
	assert.False(t, strings.Contains(bench.Transcript(), pin))
	assert.True(t, strings.Contains(bench.Transcript(), `"pin":"**************"`))
	assert.False(t, strings.Contains(string(data), pin))
}

// What a stranger is told below $SYS is waited for, and what is granted but
// says nothing is waited for to the end.
func TestSysTopics(t *testing.T) {
	tests := []struct {
		name     string
		retained map[string]string
		want     string // what the first message is about
		atLeast  time.Duration
		most     time.Duration
	}{
		{"silent", nil, "[]", hasty.sys, hasty.sys + 2*time.Second},
		{"counters", map[string]string{"$SYS/broker/clients/total": "3"}, "[counter]", hasty.sys, 2 * hasty.sys},
		{"clients", map[string]string{"$SYS/broker/clients/list": "bolt-1 lock 192.0.2.7\n", "door/status": status}, "[peer_address]", 0, 5 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			broker := doortest.NewBroker(t, doortest.Rules{Anonymous: doortest.Everybody, Reads: doortest.Everything, Retained: tt.retained})
			begun := time.Now()
			e, _, err := collect(t, doortest.New(t), doorsOf(broker.Addr, evidence.No), declaration.Evidence{})
			require.NoError(t, err)
			assert.Less(t, time.Since(begun), tt.most)
			for _, r := range e.Readings {
				l := r.Looks[0]
				assert.Equal(t, Granted, l.Of(Sys).Grant)
				assert.GreaterOrEqual(t, l.Waited, tt.atLeast)
				got := []About{}
				for _, m := range l.Messages {
					if isSys(string(m.Topic)) {
						got = append(got, m.About...)
					}
				}
				assert.Equal(t, tt.want, fmt.Sprint(got))
			}
		})
	}
}

// Who is let in and may subscribe to nothing is not waited for.
func TestNothingGranted(t *testing.T) {
	t.Parallel()
	broker := doortest.NewBroker(t, doortest.Rules{Anonymous: doortest.Everybody})
	begun := time.Now()
	e, _, err := collect(t, doortest.New(t), doorsOf(broker.Addr, evidence.No), declaration.Evidence{})
	require.NoError(t, err)
	assert.Less(t, time.Since(begun), 3*time.Second)
	for _, r := range e.Readings {
		assert.Equal(t, "refused refused refused", grantsOf(r.Looks[0]))
		assert.Equal(t, Left, r.Looks[0].Ended)
		assert.Equal(t, evidence.Unknown, r.Looks[0].RetainedRead)
		assert.Len(t, r.Looks, 1)
	}
}

// A message that is not kept by the broker is heard if it comes in time.
func TestLiveMessages(t *testing.T) {
	t.Parallel()
	broker := doortest.NewBroker(t, doortest.Rules{Anonymous: doortest.Everybody, Reads: func(_, topic string) bool { return !strings.HasPrefix(topic, "$") }})
	stop := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			case <-time.After(200 * time.Millisecond):
				assert.NoError(t, broker.Publish("door/opened", fmt.Sprint(n)))
			}
		}
	}()
	e, _, err := collect(t, doortest.New(t), doorsOf(broker.Addr, evidence.No), declaration.Evidence{})
	close(stop)
	<-done
	require.NoError(t, err)
	for _, r := range e.Readings {
		require.Len(t, r.Looks, 2)
		for _, l := range r.Looks {
			require.NotEmpty(t, l.Messages)
			assert.Equal(t, evidence.No, l.Messages[0].Retained)
			assert.Equal(t, "door/opened", string(l.Messages[0].Topic))
		}
	}
}

func TestManyMessages(t *testing.T) {
	t.Parallel()
	kept := map[string]string{}
	for i := range 200 {
		kept[fmt.Sprintf("a/%03d", i)] = strings.Repeat("x", 2*maxPayload)
	}
	for i := range 100 {
		kept[fmt.Sprintf("b/%03d", i)] = fmt.Sprintf(`{"pin":"7Q4K-92XD-LMRV%03d"}`, i)
	}
	broker := doortest.NewBroker(t, doortest.Rules{Anonymous: doortest.Everybody, Retained: kept, Reads: func(_, topic string) bool { return !strings.HasPrefix(topic, "$") }})
	bench := doortest.New(t)
	e, _, err := collect(t, bench, doorsOf(broker.Addr, evidence.No), declaration.Evidence{})
	require.NoError(t, err)
	for _, r := range e.Readings {
		l := r.Looks[0]
		assert.Equal(t, 300, l.Retained, "%s, %s, %d", l.Ended, l.RetainedRead, l.Received)
		assert.LessOrEqual(t, len(l.Messages), maxMessages+maxTelling)
		assert.GreaterOrEqual(t, len(l.Messages), maxMessages)
		assert.Equal(t, 300, len(l.Messages)+l.Unkept)
		for _, m := range l.Messages {
			assert.LessOrEqual(t, len(m.Payload), maxPayload)
		}
	}
	assert.False(t, strings.Contains(bench.Transcript(), "7Q4K-92XD"))
}

func TestOurOwnTroubleIsNamed(t *testing.T) {
	t.Parallel()
	e, _, err := collect(t, doortest.New(t), doorsOf(netip.MustParseAddrPort("192.0.2.1:1883"), evidence.No), declaration.Evidence{})
	var partial *probe.Partial
	require.ErrorAs(t, err, &partial)
	assert.ErrorIs(t, err, transport.ErrScope)
	assert.Equal(t, []string{"tcp/192.0.2.1:1883#mqtt-311 as stranger", "tcp/192.0.2.1:1883#mqtt-5 as stranger"}, partial.Missing)
	assert.Empty(t, e.Readings)

	broker := doortest.NewBroker(t, doortest.Rules{Anonymous: doortest.Everybody, Reads: doortest.Everything})
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(300*time.Millisecond, cancel)
	begun := time.Now()
	_, _, err = collectIn(t, ctx, doortest.New(t), doorsOf(broker.Addr, evidence.No), declaration.Evidence{})
	require.ErrorAs(t, err, &partial)
	assert.Len(t, partial.Missing, 2)
	assert.Less(t, time.Since(begun), 3*time.Second)
}

func TestMoreDoorsThanASmallDeviceHas(t *testing.T) {
	t.Parallel()
	at := peers.Closer(t)
	var doors mqttconnect.Evidence
	for range maxDoors {
		doors.Doors = append(doors.Doors, doorsOf(at, evidence.No).Doors...)
	}
	e, _, err := collect(t, doortest.New(t), doors, declaration.Evidence{})
	var partial *probe.Partial
	require.ErrorAs(t, err, &partial)
	assert.Equal(t, []string{"16 more doors"}, partial.Missing)
	assert.Len(t, e.Readings, maxDoors)
}

func TestRealBroker(t *testing.T) {
	t.Parallel()
	at := peers.Mosquitto(t, peers.MosquittoConfig{
		Users:     users,
		Listeners: []peers.MosquittoListener{{Anonymous: true}},
		ACL:       []string{"topic read door/#", "user admin", "topic read #"},
	}).Addr
	e, _, err := collect(t, doortest.New(t, app, admin), doorsOf(at, evidence.No), said)
	require.NoError(t, err)
	require.Len(t, e.Readings, 6)
	for _, r := range e.Readings {
		for _, l := range r.Looks {
			assert.Equal(t, mqttdoor.Accepted, l.Connection.Outcome)
			assert.Equal(t, Left, l.Ended, "%s: %+v", r.Reader, l)
			assert.Equal(t, evidence.Yes, l.RetainedRead)
		}
	}
}
