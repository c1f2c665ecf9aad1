package mqttpublish

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/internal/mqttdoor"
	"github.com/assay-iot/assay/harness/probes/internal/mqttdoor/doortest"
	"github.com/assay-iot/assay/harness/probes/internal/mqttlab"
	"github.com/assay-iot/assay/harness/probes/mqttconnect"
	"github.com/assay-iot/assay/harness/probes/services"
	"github.com/assay-iot/assay/internal/peers"
)

func TestAgainstADoorLock(t *testing.T) {
	t.Parallel()
	const yes, no, unknown = evidence.Yes, evidence.No, evidence.Unknown
	tests := []struct {
		name                                  string
		faults                                []string
		aToB, strangerToB, readerA, strangers evidence.Tri
	}{
		{"hardened", nil, no, unknown, no, unknown},
		{"strangers_are_let_in", []string{"mqtt_anonymous"}, no, no, no, no},
		{"a_writes_to_b", []string{"mqtt_cross_publish"}, yes, unknown, no, unknown},
		{"a_reads_b", []string{"mqtt_wildcard_readable"}, no, unknown, yes, unknown},
		{"everybody_does_everything", []string{"mqtt_anonymous", "mqtt_cross_publish", "mqtt_wildcard_readable"}, yes, yes, yes, yes},
		{"plain_listener_that_nobody_declared", []string{"mqtt_plain_listener"}, no, unknown, no, unknown},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			lab := mqttlab.Start(t, "door-lock-hardened", tt.faults...)
			e, err := run(t.Context(), lab.Input)
			require.NoError(t, err)
			require.GreaterOrEqual(t, len(e.Doors), 2)
			for _, d := range e.Doors {
				assert.EqualValues(t, "app", d.A)
				assert.EqualValues(t, "lock", d.B)
				require.Len(t, d.Exchanges, 2, "%+v", d)
				for _, x := range d.Exchanges {
					assert.True(t, x.Held(), "%+v", x)
					assert.Equal(t, tt.aToB, x.AToB.Arrived)
					assert.Equal(t, tt.strangerToB, x.StrangerToB.Arrived)
					assert.Equal(t, tt.readerA, x.ReaderA.HeardB)
					assert.Equal(t, tt.strangers, x.Stranger.HeardB)
					assert.Equal(t, yes, x.ReaderA.Alive)
				}
			}
			assert.Equal(t, []string{"lock", "app"}, lab.Charged())
		})
	}
}

// mosquitto is a real broker with the access rules of a lab, or none.
func mosquitto(t *testing.T, acl []string) netip.AddrPort {
	t.Helper()
	return peers.Mosquitto(t, peers.MosquittoConfig{
		Users: map[string]string{mqttlab.App.User: mqttlab.App.Password, mqttlab.Lock.User: mqttlab.Lock.Password},
		ACL:   acl, Listeners: []peers.MosquittoListener{{Anonymous: true}},
	}).Addr
}

func TestAgainstMosquitto(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		acl  []string
		want evidence.Tri
	}{
		"own_topics_only": {mqttlab.ACL, evidence.No},
		"no_rules":        {nil, evidence.Yes},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lab := mqttlab.Plain(t, mosquitto(t, tt.acl), mqttlab.App, mqttlab.Lock)
			e, err := run(t.Context(), lab.Input)
			require.NoError(t, err)
			require.Len(t, e.Doors, 2)
			for _, d := range e.Doors {
				require.Len(t, d.Exchanges, 2)
				for _, x := range d.Exchanges {
					assert.True(t, x.Held())
					assert.Equal(t, [4]evidence.Tri{tt.want, tt.want, tt.want, tt.want}, x.facts(), "%+v", x)
				}
			}
			lab.Within(t, bound)
		})
	}
}

// A broker behind an HTTP listener is one whose doors are tried as well.
func TestAgainstMosquittoOverWebSocket(t *testing.T) {
	t.Parallel()
	at := peers.Mosquitto(t, peers.MosquittoConfig{
		Users: map[string]string{mqttlab.App.User: mqttlab.App.Password, mqttlab.Lock.User: mqttlab.Lock.Password},
		ACL:   mqttlab.ACL, Listeners: []peers.MosquittoListener{{WebSocket: true}, {}}, // 2.0.11 wants one that is none
	}).Addr
	lab := mqttlab.Plain(t, at, mqttlab.App, mqttlab.Lock)
	var seen mqttconnect.Evidence
	for _, way := range mqttdoor.DoorsAt(at, evidence.No, "/mqtt") {
		seen.Doors = append(seen.Doors, mqttconnect.Door{Way: way})
	}
	lab.Pages[mqttconnect.Probe.Name] = evidence.Page{Value: seen}
	lab.Pages[services.Probe.Name] = evidence.Page{Value: services.Evidence{Services: []services.Service{{Addr: at, Protocol: services.HTTP, TLS: evidence.No, Seen: 2}}}}
	lab.View()
	e, err := run(t.Context(), lab.Input)
	require.NoError(t, err)
	require.Len(t, e.Doors, 2)
	for _, d := range e.Doors {
		require.Len(t, d.Exchanges, 2)
		for _, x := range d.Exchanges {
			assert.True(t, x.Held())
			assert.Equal(t, evidence.No, x.AToB.Arrived)
			assert.Equal(t, evidence.No, x.ReaderA.HeardB)
		}
	}
	lab.Within(t, bound)
}

// Nobody is left connected, subscribed or with a message, and what was said and
// not allowed to be said is in the transcript.
func TestNoTraceIsLeft(t *testing.T) {
	t.Parallel()
	broker := doortest.NewBroker(t, doortest.Rules{
		Users: map[string]string{"app": mqttlab.App.Password, "lock": mqttlab.Lock.Password}, Reads: doortest.Everything,
		Retained: map[string]string{"a/b": "kept by another"},
	})
	lab := mqttlab.Plain(t, broker.Addr, mqttlab.App, mqttlab.Lock)
	e, err := run(t.Context(), lab.Input)
	require.NoError(t, err)
	assert.Equal(t, 1, broker.Retained())
	assert.Eventually(t, func() bool { return broker.Clients() == 0 && broker.Subscriptions() == 0 }, time.Second, time.Millisecond)
	x := e.Doors[0].Exchanges[0]
	assert.Equal(t, evidence.Yes, x.ReaderA.HeardB)
	assert.Equal(t, "a/b", string(x.ReaderA.Heard[0].Name))
	assert.Equal(t, evidence.Yes, x.ReaderA.Heard[0].Retained)
	for _, c := range []Canary{x.AToA, x.BToB, x.BToBAgain, x.AToB} {
		sent := lab.Member(c.Span.Member)[c.Span.Offset : c.Span.Offset+c.Span.Length]
		assert.Contains(t, sent, "/selftest/", "%+v", c)
	}
	assert.NotContains(t, lab.Transcript(), mqttlab.App.Password)
	lab.Within(t, bound)
}

func TestWithoutTwoIdentities(t *testing.T) {
	t.Parallel()
	for name, logins := range map[string][]probe.Login{"none": nil, "one": {mqttlab.App}} {
		t.Run(name, func(t *testing.T) {
			lab := mqttlab.Plain(t, peers.Tarpit(t), logins...)
			e, err := run(t.Context(), lab.Input)
			require.NoError(t, err)
			require.Len(t, e.Doors, 2)
			assert.Empty(t, e.Doors[0].Exchanges)
			assert.Empty(t, e.Doors[0].B)
			assert.Empty(t, lab.Charged())
		})
	}
}

// A log-in that is refused is not tried a second time.
func TestAWrongLogInIsTriedOnce(t *testing.T) {
	t.Parallel()
	wrong := mqttlab.Lock
	wrong.Password = "mistaken"
	lab := mqttlab.Plain(t, mosquitto(t, nil), mqttlab.App, wrong)
	e, err := run(t.Context(), lab.Input)
	require.NoError(t, err)
	require.Len(t, e.Doors, 2)
	assert.Len(t, e.Doors[0].Exchanges, 1)
	assert.Equal(t, mqttdoor.Refused, e.Doors[0].Exchanges[0].B.Connection.Outcome)
	assert.Equal(t, mqttdoor.RefusedBefore, e.Doors[1].Exchanges[0].B.Connection.Reason)
	assert.Equal(t, []string{"lock"}, lab.Charged())
}

// Whatever a peer does, the probe ends, says so, and keeps to its bounds.
func TestHostilePeers(t *testing.T) {
	t.Parallel()
	for name, peer := range map[string]func(*testing.T) netip.AddrPort{
		"silent": func(t *testing.T) netip.AddrPort { return peers.Tarpit(t) },
		"drip":   func(t *testing.T) netip.AddrPort { return peers.Drip(t, "\x20\x02\x00\x00") },
		"flood":  func(t *testing.T) netip.AddrPort { return peers.Flood(t, "\x20\x02\x00\x00") },
		"reset":  func(t *testing.T) netip.AddrPort { return peers.Reset(t) },
		"closer": func(t *testing.T) netip.AddrPort { return peers.Closer(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lab := mqttlab.Plain(t, peer(t), mqttlab.App, mqttlab.Lock)
			e, err := run(t.Context(), lab.Input)
			require.NoError(t, err)
			for _, d := range e.Doors {
				for _, x := range d.Exchanges {
					assert.False(t, x.Held())
					assert.Equal(t, [4]evidence.Tri{}, x.facts())
				}
			}
			lab.Within(t, bound)
			assert.NotContains(t, lab.Transcript(), mqttlab.Lock.Password)
		})
	}
}

func TestTheEndOfTheRunIsNoAnswer(t *testing.T) {
	t.Parallel()
	lab := mqttlab.Plain(t, peers.Tarpit(t), mqttlab.App, mqttlab.Lock)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	e, err := run(ctx, lab.Input)
	assert.ErrorIs(t, err, context.Canceled)
	assert.Empty(t, e.Doors)
}

func TestExchangesThatDifferAreRepeated(t *testing.T) {
	in := Client{Connection: mqttdoor.Answer{Outcome: mqttdoor.Accepted}}
	one := Exchange{A: in, B: in, AToB: Canary{Arrived: evidence.No}}
	other := one
	other.AToB.Arrived = evidence.Yes
	refused := one
	refused.A.Connection.Outcome = mqttdoor.Refused
	tests := []struct {
		name string
		seen []Exchange
		want bool
	}{
		{"none", nil, true},
		{"one", []Exchange{one}, true},
		{"alike", []Exchange{one, one}, false},
		{"different", []Exchange{one, other}, true},
		{"three", []Exchange{one, other, one}, false},
		{"of_no_use", []Exchange{refused}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			assert.Equal(t, tt.want, Doorway{Exchanges: tt.seen}.needsMore())
		})
	}
}
