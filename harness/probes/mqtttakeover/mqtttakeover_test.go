package mqtttakeover

import (
	"io"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/internal/mqttdoor"
	"github.com/assay-iot/assay/harness/probes/internal/mqttdoor/doortest"
	"github.com/assay-iot/assay/harness/probes/internal/mqttlab"
	"github.com/assay-iot/assay/internal/peers"
)

func TestAgainstADoorLock(t *testing.T) {
	t.Parallel()
	const yes, no = evidence.Yes, evidence.No
	tests := []struct {
		name                 string
		faults               []string
		rounds               int
		b, random, anonymous evidence.Tri
	}{
		{"hardened", nil, 1, yes, yes, yes},
		{"strangers_are_let_in", []string{"mqtt_anonymous"}, 1, yes, yes, yes},
		{"b_takes_over", []string{"mqtt_id_takeover"}, 2, no, yes, yes},
		{"everybody_takes_over", []string{"mqtt_id_takeover", "mqtt_anonymous", "mqtt_any_password"}, 2, no, no, no},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			lab := mqttlab.Start(t, "door-lock-hardened", tt.faults...)
			e, err := run(t.Context(), lab.Input)
			require.NoError(t, err)
			require.Len(t, e.Doors, 2)
			for _, d := range e.Doors {
				require.Len(t, d.Rounds, tt.rounds, "%+v", d)
				for _, r := range d.Rounds {
					assert.Equal(t, mqttdoor.Accepted, r.BElsewhere.Outcome)
					assert.Equal(t, tt.b, r.B.Held, "%+v", r)
					assert.Equal(t, tt.random, r.Random.Held, "%+v", r)
					assert.Equal(t, tt.anonymous, r.Anonymous.Held, "%+v", r)
					assert.Equal(t, no, r.Own.Held, "%+v", r)
				}
			}
			assert.Len(t, lab.Charged(), 2+2*tt.rounds) // a random user in each round
		})
	}
}

// Mosquitto lets everybody take over whom it lets in.
func TestAgainstMosquitto(t *testing.T) {
	t.Parallel()
	at := peers.Mosquitto(t, peers.MosquittoConfig{
		Users:     map[string]string{mqttlab.App.User: mqttlab.App.Password, mqttlab.Lock.User: mqttlab.Lock.Password},
		Listeners: []peers.MosquittoListener{{}},
	}).Addr
	lab := mqttlab.Plain(t, at, mqttlab.App, mqttlab.Lock)
	e, err := run(t.Context(), lab.Input)
	require.NoError(t, err)
	for _, d := range e.Doors {
		require.Len(t, d.Rounds, 2)
		for _, r := range d.Rounds {
			assert.Equal(t, evidence.No, r.B.Held)
			assert.Equal(t, evidence.Yes, r.Random.Held)
			assert.Equal(t, evidence.Yes, r.Anonymous.Held)
			assert.Equal(t, evidence.No, r.Own.Held)
			assert.NotEmpty(t, r.B.Span.Member)
		}
	}
	lab.Within(t, bound)
	assert.NotContains(t, lab.Transcript(), mqttlab.App.Password)
}

// The only client identifier that is used is one that we made up.
func TestOnlyTheCanaryIsUsed(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	ids := map[string]int{}
	broker := doortest.NewBroker(t, doortest.Rules{
		Users: map[string]string{"app": mqttlab.App.Password, "lock": mqttlab.Lock.Password},
		Seen: func(id, _, _ string) {
			mu.Lock()
			defer mu.Unlock()
			ids[id]++
		},
	})
	lab := mqttlab.Plain(t, broker.Addr, mqttlab.App, mqttlab.Lock)
	_, err := run(t.Context(), lab.Input)
	require.NoError(t, err)
	shared := 0
	for id, n := range ids {
		assert.Regexp(t, "^assay[0-9a-f]{8}$", id)
		if n > 1 {
			shared++
		}
	}
	assert.Equal(t, 4, shared, "one for each round")
	assert.Eventually(t, func() bool { return broker.Clients() == 0 }, time.Second, time.Millisecond)
}

func TestLogInsThatAreLacking(t *testing.T) {
	t.Parallel()
	wrong := mqttlab.Lock
	wrong.Password = "mistaken"
	tests := []struct {
		name      string
		logins    []probe.Login
		rounds    int
		elsewhere mqttdoor.Answer
	}{
		{"none", nil, 0, mqttdoor.Answer{}},
		{"one", []probe.Login{mqttlab.App}, 1, mqttdoor.Untried(mqttdoor.NoCredential)},
		{"wrong_second", []probe.Login{mqttlab.App, wrong}, 1, mqttdoor.Answer{Outcome: mqttdoor.Refused}},
		{"wrong_first", []probe.Login{wrong, mqttlab.App}, 1, mqttdoor.Untried(mqttdoor.NotNeeded)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			broker := doortest.NewBroker(t, doortest.Rules{Users: map[string]string{"app": mqttlab.App.Password, "lock": mqttlab.Lock.Password}})
			lab := mqttlab.Plain(t, broker.Addr, tt.logins...)
			e, err := run(t.Context(), lab.Input)
			require.NoError(t, err)
			require.Len(t, e.Doors, 2)
			require.Len(t, e.Doors[0].Rounds, tt.rounds)
			for _, r := range e.Doors[0].Rounds[:min(1, tt.rounds)] {
				assert.Equal(t, tt.elsewhere.Outcome, r.BElsewhere.Outcome)
				assert.Equal(t, tt.elsewhere.Reason, r.BElsewhere.Reason)
				assert.Equal(t, evidence.Unknown, r.B.Held)
			}
			for _, user := range []string{"app", "lock"} {
				n := 0
				for _, charged := range lab.Charged() {
					if charged == user {
						n++
					}
				}
				assert.LessOrEqual(t, n, 1)
			}
		})
	}
}

// Whatever a peer does, the probe ends and sees nothing held or dropped.
func TestHostilePeers(t *testing.T) {
	t.Parallel()
	for name, peer := range map[string]func(*testing.T) netip.AddrPort{
		"silent":      func(t *testing.T) netip.AddrPort { return peers.Tarpit(t) },
		"reset":       func(t *testing.T) netip.AddrPort { return peers.Reset(t) },
		"closer":      func(t *testing.T) netip.AddrPort { return peers.Closer(t) },
		"flood":       func(t *testing.T) netip.AddrPort { return peers.Flood(t, "\x20\x02\x00\x00") },
		"never_pongs": lazy,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lab := mqttlab.Plain(t, peer(t), mqttlab.App, mqttlab.Lock)
			e, err := run(t.Context(), lab.Input)
			require.NoError(t, err)
			for _, d := range e.Doors {
				for _, r := range d.Rounds {
					assert.Equal(t, [4]evidence.Tri{}, r.facts())
				}
			}
			lab.Within(t, bound)
		})
	}
}

// lazy lets everybody in and says nothing more.
func lazy(t *testing.T) netip.AddrPort {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var running sync.WaitGroup
	running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				defer c.Close()
				c.SetDeadline(time.Now().Add(time.Minute))
				b := make([]byte, 4096)
				n, _ := c.Read(b)
				answer := "\x20\x02\x00\x00"
				if n > 8 && b[8] == 5 { // the protocol level
					answer = "\x20\x03\x00\x00\x00"
				}
				io.WriteString(c, answer)
				io.Copy(io.Discard, c)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		running.Wait()
	})
	return netip.MustParseAddrPort(l.Addr().String())
}

func TestRoundsThatDifferAreRepeated(t *testing.T) {
	in := Round{A: mqttdoor.Answer{Outcome: mqttdoor.Accepted}, B: Attempt{Held: evidence.Yes}}
	other := in
	other.B.Held = evidence.No
	tests := []struct {
		name string
		seen []Round
		want bool
	}{
		{"none", nil, true},
		{"one", []Round{in}, true},
		{"alike", []Round{in, in}, false},
		{"different", []Round{in, other}, true},
		{"three", []Round{in, other, in}, false},
		{"of_no_use", []Round{{A: mqttdoor.Untried(mqttdoor.BudgetSpent)}}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			assert.Equal(t, tt.want, Doorway{Rounds: tt.seen}.needsMore())
		})
	}
}
