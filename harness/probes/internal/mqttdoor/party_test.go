package mqttdoor_test

import (
	"context"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/declaration"
	. "github.com/assay-iot/assay/harness/probes/internal/mqttdoor"
	"github.com/assay-iot/assay/harness/probes/internal/mqttdoor/doortest"
	"github.com/assay-iot/assay/internal/peers"
)

func logins(ids ...string) []probe.Login {
	var list []probe.Login
	for _, id := range ids {
		list = append(list, probe.Login{ID: id, User: id, Password: "password of " + id})
	}
	return list
}

func book(standings map[string]Standing, ids ...string) Book {
	return NewBook(logins(ids...), func(l probe.Login) Standing {
		if s, ok := standings[l.ID]; ok {
			return s
		}
		return Untold
	})
}

func TestFirstAccount(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name      string
		standings map[string]Standing
		ids       []string
		want      string
	}{
		{"none", nil, nil, ""},
		{"untold", nil, []string{"a", "b"}, "a"},
		{"proven_first", map[string]Standing{"b": Proven}, []string{"a", "b"}, "b"},
		{"spoilt_never", map[string]Standing{"a": Spoilt}, []string{"a", "b"}, "b"},
		{"all_spoilt", map[string]Standing{"a": Spoilt}, []string{"a"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := book(tt.standings, tt.ids...).First()
			if tt.want == "" {
				assert.Nil(t, got)
				return
			}
			require.NotNil(t, got)
			assert.Equal(t, tt.want, got.ID())
		})
	}
}

func declaredBroker(tcp uint16, mqtt declaration.MQTT) declaration.Service {
	return declaration.Service{ID: "broker", Enabled: evidence.Yes, TCP: []uint16{tcp}, MQTT: mqtt}
}

func identities(canary declaration.Text, ids ...declaration.Name) declaration.MQTT {
	var m declaration.MQTT
	for _, id := range ids {
		m.Identities = append(m.Identities, declaration.Identity{Credential: id, Canary: canary})
	}
	return m
}

// Who has a log-in and a place for test messages is a party; who may read
// everything is none.
func TestParties(t *testing.T) {
	t.Parallel()
	readsAll := identities("x", "admin", "a", "b")
	readsAll.ReadsAll = "admin"
	off := declaredBroker(1883, identities("x", "b"))
	off.Enabled = evidence.No
	tests := []struct {
		name string
		said []declaration.Service
		port uint16
		want []string
	}{
		{"in_order", []declaration.Service{declaredBroker(1883, identities("x", "b", "a"))}, 1883, []string{"b", "a"}},
		{"without_a_log_in", []declaration.Service{declaredBroker(1883, identities("x", "ghost", "a"))}, 1883, []string{"a"}},
		{"without_a_canary", []declaration.Service{declaredBroker(1883, identities("", "a", "b"))}, 1883, nil},
		{"reads_all", []declaration.Service{declaredBroker(1883, readsAll)}, 1883, []string{"a", "b"}},
		{"another_broker_at_the_port", []declaration.Service{declaredBroker(1884, identities("x", "a")), declaredBroker(1883, identities("x", "b"))}, 1883, []string{"b"}},
		{"port_that_nobody_declared", []declaration.Service{declaredBroker(8883, identities("x", "a")), declaredBroker(8884, identities("x", "b"))}, 1883, []string{"a"}},
		{"switched_off", []declaration.Service{off}, 1883, nil},
		{"nothing_declared", nil, 1883, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b, door := book(nil, "a", "b", "admin"), plain(plainAt(tt.port), V5)
			said := declaration.Evidence{Services: tt.said}
			var got []string
			for _, p := range b.Parties(said, door) {
				got = append(got, p.ID())
				assert.Equal(t, "x", p.Canary)
			}
			assert.Equal(t, tt.want, got)
			assert.Len(t, b.Identities(said, door), 3, "all log-ins, the parties first")
			if len(got) > 0 {
				assert.Equal(t, got[0], b.Identities(said, door)[0].ID())
			}
		})
	}
	b := book(nil, "a")
	p := b.Parties(declaration.Evidence{Services: []declaration.Service{declaredBroker(1883, identities("x/y//", "a"))}}, plain(plainAt(1883), V5))
	assert.Equal(t, "x/y", p[0].Canary)
}

// What a log-in is refused for beside its own merits is not held against it, and
// only one that was accepted is used in this way.
func TestOpenAside(t *testing.T) {
	t.Parallel()
	bench, door, account := doortest.New(t), script(t, letIn, badPassword, letIn), NewAccount(good, Untold)
	_, answer, err := account.OpenAside(t.Context(), bench.Input, door, Client{ID: "taken"})
	require.NoError(t, err)
	assert.Equal(t, Untried(NotNeeded), answer, "it was not accepted before")
	answer, err = account.Try(t.Context(), bench.Input, door)
	require.NoError(t, err)
	assert.Equal(t, Accepted, answer.Outcome)
	_, answer, err = account.OpenAside(t.Context(), bench.Input, door, Client{ID: "taken"})
	require.NoError(t, err)
	assert.Equal(t, Refused, answer.Outcome)
	assert.Equal(t, Proven, account.Standing())
	answer, err = account.Try(t.Context(), bench.Input, door)
	require.NoError(t, err)
	assert.Equal(t, Accepted, answer.Outcome)
	assert.Len(t, bench.Charged(), 1)
}

func TestTheEndOfABudgetIsRemembered(t *testing.T) {
	t.Parallel()
	bench, account := doortest.New(t), NewAccount(good, Untold)
	door := plain(peers.Closer(t), V311)
	for range 6 {
		_, err := account.Try(t.Context(), bench.Input, door)
		require.NoError(t, err)
	}
	got, err := account.Try(t.Context(), bench.Input, door)
	require.NoError(t, err)
	assert.Equal(t, Untried(BudgetSpent), got)
	assert.Len(t, bench.Charged(), 3)
}

func TestRaw(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		door Door
		want Outcome // empty for a connection
	}{
		{"plain", plain(peers.Tarpit(t), V311), ""},
		{"no_tls", inTLS(peers.Flood(t, "\x20\x02\x00\x00"), V311), Malformed},
		{"hung_up_before_the_handshake", inTLS(peers.Reset(t), V311), Declined},
		{"nobody", plain(netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), unused(t)), V311), Declined},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			conn, answer, err := Raw(t.Context(), doortest.New(t).Input, tt.door, 100*time.Millisecond)
			require.NoError(t, err)
			assert.Equal(t, tt.want, answer.Outcome)
			assert.Equal(t, tt.want == "", conn != nil)
			if conn == nil {
				return
			}
			_, err = conn.Read(make([]byte, 1))
			outcome, ours := Did(t.Context(), err)
			assert.NoError(t, ours)
			assert.Equal(t, Silent, outcome, "it lasts as long as it may")
			assert.NoError(t, conn.Close())
		})
	}
}

func TestDid(t *testing.T) {
	t.Parallel()
	at := device(t, func(net.Conn) {})
	bench := doortest.New(t)
	conn, _, err := Raw(t.Context(), bench.Input, plain(at, V311), time.Second)
	require.NoError(t, err)
	defer conn.Close()
	_, err = conn.Read(make([]byte, 1))
	outcome, ours := Did(t.Context(), err)
	assert.NoError(t, ours)
	assert.Equal(t, Closed, outcome)
	over, cancel := context.WithCancel(t.Context())
	cancel()
	_, ours = Did(over, err)
	assert.ErrorIs(t, ours, context.Canceled)
}

func TestUnknownVersion(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		answer Answer
		want   bool
	}{
		{"three_says_so", Answer{Outcome: OtherCode, Code: 1, Answers: V311}, true},
		{"five_says_so", Answer{Outcome: OtherCode, Code: 0x84, Answers: V5}, true},
		{"another_code", Answer{Outcome: OtherCode, Code: 2, Answers: V311}, false},
		{"code_of_the_other_version", Answer{Outcome: OtherCode, Code: 1, Answers: V5}, false},
		{"refused", Answer{Outcome: Refused, Code: 5, Answers: V311}, false},
		{"not_tried", Untried(NotNeeded), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { assert.Equal(t, tt.want, tt.answer.UnknownVersion()) })
	}
}
