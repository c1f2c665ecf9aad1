package mqttconnect

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
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
	"github.com/assay-iot/assay/harness/probes/services"
	"github.com/assay-iot/assay/harness/transport"
	"github.com/assay-iot/assay/internal/peers"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	app   = probe.Login{ID: "app", User: "app", Password: "correct-password"}
	lock  = probe.Login{ID: "lock", User: "lock", Password: "another-password"}
	wrong = probe.Login{ID: "app", User: "app", Password: "mistaken-password"}
	users = map[string]string{app.User: app.Password, lock.User: lock.Password}
)

// collect runs the probe on listeners and reads the evidence back as a judge
// would.
func collect(t *testing.T, b *doortest.Bench, found services.Evidence) (Evidence, error) {
	t.Helper()
	return collectIn(t, t.Context(), b, found)
}

func collectIn(t *testing.T, ctx context.Context, b *doortest.Bench, found services.Evidence) (Evidence, error) {
	t.Helper()
	in := b.Input
	in.Evidence = evidence.NewView(evidence.DUT, map[string]evidence.Page{services.Probe.Name: {Value: found}})
	end, err := Probe.Begin(ctx, in)
	require.NoError(t, err)
	data, failed := end(ctx)
	page, err := Probe.Open(evidence.Record{Version: Probe.Version, Data: data})
	require.NoError(t, err)
	return page.Value.(Evidence), failed
}

// shape is what a door did, in the order of the tries.
func shape(d Door) []Outcome {
	all := []Outcome{d.Before.Outcome}
	for _, a := range slices.Concat(d.Anonymous, d.Random) {
		all = append(all, a.Outcome)
	}
	return append(all, d.After.Outcome)
}

func TestRun(t *testing.T) {
	cert := peers.NewAuthority(t).Issue(t, "device")
	onlyFive := func(v byte) bool { return v == 5 }
	tests := []struct {
		name   string
		rules  doortest.Rules
		login  []probe.Login
		three  []Outcome // in 3.1.1
		five   []Outcome
		served bool
		spent  int // log-ins of declared accounts
	}{
		{"sound", doortest.Rules{Users: users}, []probe.Login{app},
			[]Outcome{Accepted, Refused, Refused, Refused, Refused, Accepted},
			[]Outcome{Accepted, Refused, Refused, Refused, Refused, Accepted}, true, 1},
		{"anonymous", doortest.Rules{Users: users, Anonymous: doortest.Everybody}, []probe.Login{app},
			[]Outcome{Accepted, Accepted, Accepted, Refused, Refused, Accepted},
			[]Outcome{Accepted, Accepted, Accepted, Refused, Refused, Accepted}, true, 1},
		{"five_forgotten", doortest.Rules{Users: users, Anonymous: onlyFive}, []probe.Login{app},
			[]Outcome{Accepted, Refused, Refused, Refused, Refused, Accepted},
			[]Outcome{Accepted, Accepted, Accepted, Refused, Refused, Accepted}, true, 1},
		{"any_password", doortest.Rules{AnyUser: true}, []probe.Login{app},
			[]Outcome{Accepted, Refused, Refused, Accepted, Accepted, Accepted},
			[]Outcome{Accepted, Refused, Refused, Accepted, Accepted, Accepted}, true, 1},
		{"hangs_up", doortest.Rules{Users: users, HangsUp: true}, []probe.Login{app},
			[]Outcome{Accepted, Closed, Closed, Closed, Closed, Accepted},
			[]Outcome{Accepted, Closed, Closed, Closed, Closed, Accepted}, true, 1},
		{"no_log_in", doortest.Rules{Users: users}, nil,
			[]Outcome{NotTried, Refused, Refused, Refused, Refused, NotTried},
			[]Outcome{NotTried, Refused, Refused, Refused, Refused, NotTried}, false, 0},
		{"mistaken_log_in", doortest.Rules{Users: users}, []probe.Login{wrong},
			[]Outcome{Refused, Refused, Refused, Refused, Refused, NotTried},
			[]Outcome{NotTried, Refused, Refused, Refused, Refused, NotTried}, false, 1},
		{"next_log_in", doortest.Rules{Users: users}, []probe.Login{wrong, lock},
			[]Outcome{Refused, Refused, Refused, Refused, Refused, NotTried},
			[]Outcome{Accepted, Refused, Refused, Refused, Refused, Accepted}, false, 2},
		{"tls", doortest.Rules{Users: users, TLS: &tls.Config{Certificates: []tls.Certificate{cert.TLS}}}, []probe.Login{app},
			[]Outcome{Accepted, Refused, Refused, Refused, Refused, Accepted},
			[]Outcome{Accepted, Refused, Refused, Refused, Refused, Accepted}, true, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			broker, bench := doortest.NewBroker(t, tt.rules), doortest.New(t, tt.login...)
			found := doortest.Listeners(broker.Addr)
			if tt.rules.TLS != nil {
				found.Services[0].TLS = evidence.Yes
			}
			e, err := collect(t, bench, found)
			require.NoError(t, err)
			require.Len(t, e.Doors, 2)
			assert.Equal(t, []Version{V311, V5}, []Version{e.Doors[0].Way.Version, e.Doors[1].Way.Version})
			assert.Equal(t, tt.three, shape(e.Doors[0]))
			assert.Equal(t, tt.five, shape(e.Doors[1]))
			assert.Equal(t, tt.served, e.Doors[0].Served())
			assert.Len(t, bench.Charged(), tt.spent+4, "four random pairs, and the log-ins of the device file")
			for _, secret := range []string{app.Password, lock.Password, wrong.Password} {
				assert.NotContains(t, bench.Transcript(), secret)
			}
			assert.Eventually(t, func() bool { return broker.Clients() == 0 }, time.Second, time.Millisecond)
		})
	}
}

// Every client has an identifier of its own, and every random pair a user.
func TestClientsAreFresh(t *testing.T) {
	var mu sync.Mutex
	ids, pairs := map[string]int{}, map[string]int{}
	broker := doortest.NewBroker(t, doortest.Rules{Users: users, Seen: func(id, user, password string) {
		mu.Lock()
		defer mu.Unlock()
		ids[id]++
		if user != "" && user != app.User {
			pairs[user+" "+password]++
		}
	}})
	_, err := collect(t, doortest.New(t, app), doortest.Listeners(broker.Addr))
	require.NoError(t, err)
	assert.Len(t, ids, 12)
	assert.Len(t, pairs, 4)
	assert.NotContains(t, ids, "")
}

// A device that does not make up its mind is asked a third time.
func TestFlapping(t *testing.T) {
	var mu sync.Mutex
	n := 0
	door := device(t, func(c net.Conn) {
		mu.Lock()
		n++
		answer := "\x20\x02\x00\x05"
		if n%2 == 1 {
			answer = "\x20\x02\x00\x00"
		}
		mu.Unlock()
		c.Read(make([]byte, 4096))
		c.Write([]byte(answer))
		c.Read(make([]byte, 4096))
	})
	e, err := collect(t, doortest.New(t), doortest.Listeners(door))
	require.NoError(t, err)
	assert.Equal(t, []Outcome{NotTried, Accepted, Refused, Accepted, Refused, Accepted, Refused, NotTried}, shape(e.Doors[0]))
	assert.Equal(t, 2, Count(e.Doors[0].Anonymous, Accepted))
}

func device(t *testing.T, serve func(net.Conn)) netip.AddrPort {
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
				c.SetDeadline(time.Now().Add(5 * time.Second))
				serve(c)
				c.Close()
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		running.Wait()
	})
	return netip.MustParseAddrPort(l.Addr().String())
}

// One listener that cannot be looked at takes no other with it.
func TestRule5OneDoorThatIsMissedIsNamed(t *testing.T) {
	broker := doortest.NewBroker(t, doortest.Rules{Users: users})
	outside := netip.MustParseAddrPort("192.0.2.1:1883")
	e, err := collect(t, doortest.New(t, app), doortest.Listeners(outside, broker.Addr))
	var partial *probe.Partial
	require.ErrorAs(t, err, &partial)
	assert.ErrorIs(t, err, transport.ErrScope)
	assert.Equal(t, []string{"tcp/192.0.2.1:1883#mqtt-311", "tcp/192.0.2.1:1883#mqtt-5"}, partial.Missing)
	require.Len(t, e.Doors, 2)
	assert.True(t, e.Doors[0].Served())
}

func TestARunThatEndsNamesWhatItMissed(t *testing.T) {
	broker := doortest.NewBroker(t, doortest.Rules{Users: users})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	e, err := collectIn(t, ctx, doortest.New(t, app), doortest.Listeners(broker.Addr))
	var partial *probe.Partial
	require.ErrorAs(t, err, &partial)
	assert.Empty(t, e.Doors)
	assert.Equal(t, []string{fmt.Sprintf("tcp/%s#mqtt-311 and 1 after it", broker.Addr)}, partial.Missing)
}

func TestHostileListeners(t *testing.T) {
	for name, at := range map[string]netip.AddrPort{"closer": peers.Closer(t), "reset": peers.Reset(t), "flood": peers.Flood(t, "\x30\x02")} {
		t.Run(name, func(t *testing.T) {
			e, err := collect(t, doortest.New(t, app), doortest.Listeners(at))
			require.NoError(t, err)
			for _, d := range e.Doors {
				assert.False(t, d.Served())
				assert.Zero(t, Count(d.Anonymous, Accepted, Refused, Silent))
				assert.Zero(t, Count(d.Random, Accepted, Refused, Silent))
			}
		})
	}
}

func TestRealBroker(t *testing.T) {
	real := peers.Mosquitto(t, peers.MosquittoConfig{Users: users, Listeners: []peers.MosquittoListener{{}, {Anonymous: true}}}).Addrs
	e, err := collect(t, doortest.New(t, app), doortest.Listeners(real...))
	require.NoError(t, err)
	refused := []Outcome{Accepted, Refused, Refused, Refused, Refused, Accepted}
	open := []Outcome{Accepted, Accepted, Accepted, Refused, Refused, Accepted}
	require.Len(t, e.Doors, 4)
	for i, want := range [][]Outcome{refused, refused, open, open} {
		assert.Equal(t, want, shape(e.Doors[i]), "door %d", i)
	}
}

func TestStanding(t *testing.T) {
	door := func(credential declaration.Name, before, after Outcome) Door {
		return Door{Credential: credential, Before: Answer{Outcome: before}, After: Answer{Outcome: after}}
	}
	tests := []struct {
		name  string
		doors []Door
		want  mqttdoor.Standing
	}{
		{"nothing", nil, mqttdoor.Untold},
		{"not_tried", []Door{door("app", NotTried, NotTried)}, mqttdoor.Untold},
		{"accepted_somewhere", []Door{door("app", Closed, NotTried), door("app", Accepted, Accepted)}, mqttdoor.Proven},
		{"refused_once", []Door{door("app", Accepted, Accepted), door("app", Accepted, Refused), door("app", NotTried, NotTried)}, mqttdoor.Spoilt},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := Evidence{Doors: tt.doors}
			assert.Equal(t, tt.want, e.Standing("app"))
			assert.Equal(t, mqttdoor.Untold, e.Standing("lock"))
		})
	}
}

// A run never does more than was announced.
func TestBound(t *testing.T) {
	b := bound(probe.Target{Open: 1, PerSecond: 100})
	assert.Equal(t, 24, b.Connections)
	assert.Equal(t, 10, b.Logins)
	assert.Equal(t, 25*(9*time.Second+10*time.Millisecond), b.Time)
}
