package mqttdoor_test

import (
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/evidence"
	. "github.com/assay-iot/assay/harness/probes/internal/mqttdoor"
	"github.com/assay-iot/assay/harness/probes/internal/mqttdoor/doortest"
	"github.com/assay-iot/assay/harness/probes/internal/mqttwire"
	"github.com/assay-iot/assay/harness/probes/services"
	"github.com/assay-iot/assay/internal/peers"
)

func firstMessage(t *testing.T, s *Session) mqttwire.Message {
	t.Helper()
	_, err := s.Subscribe(mqttwire.Filter{Topic: "#"})
	require.NoError(t, err)
	m, err := s.Next()
	require.NoError(t, err)
	return m
}

// script answers one CONNECT after the other with these texts; an empty one
// hangs up.
func script(t *testing.T, texts ...string) Door {
	var mu sync.Mutex
	return plain(device(t, func(c net.Conn) {
		mu.Lock()
		var text string
		if len(texts) > 0 {
			text, texts = texts[0], texts[1:]
		}
		mu.Unlock()
		c.Read(make([]byte, 4096))
		c.Write([]byte(text))
	}), V311)
}

const letIn, badPassword, badVersion, babble = "\x20\x02\x00\x00", "\x20\x02\x00\x04", "\x20\x02\x00\x01", "HTTP"

// The budget is 3 tries. A log-in that was accepted is free, one that was
// refused is never risked again.
func TestAccount(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		begin    Standing
		answers  []string
		want     []Outcome
		charged  int
		standing Standing
	}{
		{"accepted", Untold, []string{letIn, letIn, letIn, letIn, letIn}, []Outcome{Accepted, Accepted, Accepted, Accepted, Accepted}, 1, Proven},
		{"proven_by_an_earlier_probe", Proven, []string{letIn, letIn}, []Outcome{Accepted, Accepted}, 0, Proven},
		{"refused", Untold, []string{badPassword, letIn, letIn}, []Outcome{Refused, NotTried, NotTried}, 1, Spoilt},
		{"refused_later", Proven, []string{letIn, badPassword, letIn}, []Outcome{Accepted, Refused, NotTried}, 0, Spoilt},
		{"refused_by_an_earlier_probe", Spoilt, []string{letIn}, []Outcome{NotTried}, 0, Spoilt},
		{"hung_up", Untold, []string{"", "", "", ""}, []Outcome{Closed, Closed, Closed, NotTried}, 3, Untold},
		{"hung_up_after_it_was_proven", Proven, []string{"", letIn, letIn}, []Outcome{Closed, Accepted, Accepted}, 1, Proven},
		{"malformed", Proven, []string{babble, letIn}, []Outcome{Malformed, Accepted}, 1, Proven},
		{"another_code", Proven, []string{badVersion, letIn}, []Outcome{OtherCode, Accepted}, 0, Proven},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bench, door, account := doortest.New(t), script(t, tt.answers...), NewAccount(good, tt.begin)
			for i, want := range tt.want {
				got, err := account.Try(t.Context(), bench.Input, door)
				require.NoError(t, err)
				assert.Equal(t, want, got.Outcome, "try %d", i)
				assert.Equal(t, want == NotTried, got.Reason != Tried)
			}
			assert.Len(t, bench.Charged(), tt.charged)
			assert.Equal(t, tt.standing, account.Standing())
			assert.Equal(t, "app", account.ID())
		})
	}
}

func TestWhyALogInWasNotTried(t *testing.T) {
	t.Parallel()
	door := plain(peers.Closer(t), V5)
	bench := doortest.New(t)
	for range 3 {
		_, err := Try(t.Context(), bench.Input, door, Client{Login: &good, Charge: true})
		require.NoError(t, err)
	}
	got, err := Try(t.Context(), bench.Input, door, Client{Login: &good, Charge: true})
	require.NoError(t, err)
	assert.Equal(t, Answer{Outcome: NotTried, Reason: BudgetSpent, Code: -1}, got)
	got, err = NewAccount(good, Spoilt).Try(t.Context(), bench.Input, door)
	require.NoError(t, err)
	assert.Equal(t, Answer{Outcome: NotTried, Reason: RefusedBefore, Code: -1}, got)
}

// Many doors at once count a log-in that turns out well once.
func TestAnAccountIsSharedSafely(t *testing.T) {
	t.Parallel()
	broker := doortest.NewBroker(t, doortest.Rules{Users: map[string]string{good.User: good.Password}})
	bench, account := doortest.New(t), NewAccount(good, Untold)
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			got, err := account.Try(t.Context(), bench.Input, plain(broker.Addr, []Version{V311, V5}[i%2]))
			assert.NoError(t, err)
			assert.Equal(t, Accepted, got.Outcome)
		})
	}
	all.Wait()
	assert.Len(t, bench.Charged(), 1)
}

func TestDoors(t *testing.T) {
	t.Parallel()
	at := doortest.Listeners(plainAt(1883), plainAt(8883))
	at.Services[1].TLS = evidence.Yes
	at.Services = slices.Insert(at.Services, 1, services.Service{Addr: plainAt(80), Protocol: services.HTTP, TLS: evidence.No})
	var names []string
	for _, d := range Doors(at) {
		names = append(names, d.Endpoint().Name+" "+d.TLS.String())
	}
	assert.Equal(t, []string{
		"tcp/127.0.0.1:1883#mqtt-311 no", "tcp/127.0.0.1:1883#mqtt-5 no",
		"tcp/127.0.0.1:8883#mqtt-311 yes", "tcp/127.0.0.1:8883#mqtt-5 yes",
	}, names)
	assert.Empty(t, Doors(services.Evidence{}))
}

func plainAt(port uint16) netip.AddrPort {
	return netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port)
}
