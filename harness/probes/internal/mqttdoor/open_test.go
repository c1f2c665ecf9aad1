package mqttdoor_test

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	. "github.com/assay-iot/assay/harness/probes/internal/mqttdoor"
	"github.com/assay-iot/assay/harness/probes/internal/mqttdoor/doortest"
	"github.com/assay-iot/assay/harness/transport"
	"github.com/assay-iot/assay/internal/peers"
)

var (
	good = probe.Login{ID: "app", User: "app", Password: "correct-password"}
	bad  = probe.Login{ID: "app", User: "app", Password: "mistaken-password"}
)

// plain and inTLS are the doors of a listener.
func plain(at netip.AddrPort, v Version) Door { return Door{Addr: at, TLS: evidence.No, Version: v} }

func inTLS(at netip.AddrPort, v Version) Door { return Door{Addr: at, TLS: evidence.Yes, Version: v} }

// device answers each connection to a port of 127.0.0.1 by serve.
func device(t *testing.T, serve func(net.Conn)) netip.AddrPort {
	t.Helper()
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
				c.SetDeadline(time.Now().Add(2 * Patience))
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

// says reads once and answers with text.
func says(text string) func(net.Conn) {
	return func(c net.Conn) {
		c.Read(make([]byte, 4096))
		io.WriteString(c, text)
		io.Copy(io.Discard, c)
	}
}

func TestOutcomesOfAnswers(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		version Version
		answer  string
		want    Outcome
		code    int
		answers Version
	}{
		{"let_in", V311, "\x20\x02\x00\x00", Accepted, 0, V311},
		{"let_in_with_a_session_present", V311, "\x20\x02\x01\x00", Accepted, 0, V311},
		{"flags_that_nobody_knows", V311, "\x20\x02\x02\x00", Malformed, -1, ""},
		{"bad_password", V311, "\x20\x02\x00\x04", Refused, 4, V311},
		{"not_authorised", V311, "\x20\x02\x00\x05", Refused, 5, V311},
		{"version", V311, "\x20\x02\x00\x01", OtherCode, 1, V311},
		{"client_identifier", V311, "\x20\x02\x00\x02", OtherCode, 2, V311},
		{"unavailable", V311, "\x20\x02\x00\x03", OtherCode, 3, V311},
		{"code_of_another_version", V311, "\x20\x02\x00\x86", Malformed, -1, ""},
		{"let_in_five", V5, "\x20\x03\x00\x00\x00", Accepted, 0, V5},
		{"bad_password_five", V5, "\x20\x03\x00\x86\x00", Refused, 0x86, V5},
		{"not_authorised_five", V5, "\x20\x03\x00\x87\x00", Refused, 0x87, V5},
		{"banned_five", V5, "\x20\x03\x00\x8a\x00", Refused, 0x8a, V5},
		{"version_five", V5, "\x20\x03\x00\x84\x00", OtherCode, 0x84, V5},
		{"quota_five", V5, "\x20\x03\x00\x97\x00", OtherCode, 0x97, V5},
		{"five_answered_in_three", V5, "\x20\x02\x00\x01", OtherCode, 1, V311},
		{"refused_in_three", V5, "\x20\x02\x00\x05", Refused, 5, V311},
		{"accepted_in_three", V5, "\x20\x02\x00\x00", Malformed, -1, ""},
		{"other_packet", V311, "\xd0\x00", Malformed, -1, ""},
		{"disconnect_five", V5, "\xe0\x02\x87\x00", Malformed, -1, ""},
		{"http", V311, "HTTP/1.0 400 Bad Request\r\n\r\n" + strings.Repeat("x", 80), Malformed, -1, ""},
		{"half_a_packet", V311, "\x20\x02\x00", Malformed, -1, ""},
		{"length_lie", V311, "\x20\xff\xff\xff\x7f", Malformed, -1, ""},
	}
	bench := doortest.New(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := Try(t.Context(), bench.Input, plain(device(t, says(tt.answer)), tt.version), Client{})
			require.NoError(t, err)
			assert.Equal(t, tt.want, got.Outcome)
			assert.Equal(t, tt.code, got.Code)
			assert.Equal(t, tt.answers, got.Answers)
			assert.Equal(t, Tried, got.Reason)
			assert.Equal(t, tt.answer[:got.Span.Length], bench.Member(got.Span.Member)[got.Span.Offset:])
		})
	}
}

func TestOutcomesWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	free := device(t, func(net.Conn) {})
	tests := []struct {
		name string
		door Door
		want []Outcome // one of these
		most time.Duration
	}{
		{"hung_up_after_the_connect", plain(peers.Closer(t), V311), []Outcome{Closed}, time.Second},
		{"reset_at_once", plain(peers.Reset(t), V311), []Outcome{Closed, Declined}, time.Second},
		{"hung_up_before_the_handshake", inTLS(peers.Reset(t), V5), []Outcome{Declined}, time.Second},
		{"no_tls", inTLS(device(t, says("\x20\x02\x00\x01....")), V5), []Outcome{Malformed}, time.Second},
		{"hardly_tls", inTLS(device(t, says("\x20\x02\x00\x01")), V5), []Outcome{Malformed}, Patience + time.Second},
		{"alert", inTLS(device(t, says("\x15\x03\x01\x00\x02\x02\x28")), V5), []Outcome{TLSRefused}, time.Second},
		{"flood", plain(peers.Flood(t, "\x00"), V311), []Outcome{Malformed}, time.Second},
		{"flood_of_packets", plain(peers.Flood(t, "\xd0\x00"), V5), []Outcome{Malformed}, time.Second},
		{"silent", plain(peers.Tarpit(t), V311), []Outcome{Silent}, Patience + time.Second},
		{"silent_in_tls", inTLS(peers.Tarpit(t), V311), []Outcome{Silent}, Patience + time.Second},
		{"drip", plain(peers.Drip(t, "\x20\x81\x80\x80"), V311), []Outcome{Malformed}, Patience + time.Second},
		{"nobody_listens", plain(netip.AddrPortFrom(free.Addr(), unused(t)), V311), []Outcome{Declined}, time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			bench, begun := doortest.New(t), time.Now()
			got, err := Try(t.Context(), bench.Input, tt.door, Client{Login: &good, Charge: true})
			require.NoError(t, err)
			assert.Contains(t, tt.want, got.Outcome)
			assert.Equal(t, -1, got.Code)
			assert.Empty(t, got.Answers)
			assert.Less(t, time.Since(begun), tt.most)
			assert.NotContains(t, bench.Transcript(), good.Password)
		})
	}
}

// unused returns a port on which nothing listens.
func unused(t *testing.T) uint16 {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return netip.MustParseAddrPort(l.Addr().String()).Port()
}

// What we could not do is no answer of the device.
func TestOurOwnTroubleIsAnError(t *testing.T) {
	t.Parallel()
	at := doortest.NewBroker(t, doortest.Rules{Anonymous: doortest.Everybody}).Addr
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	small := transport.LimitsOf(transport.Bench)
	small.Bytes = 1
	tests := []struct {
		name  string
		ctx   context.Context
		bench *doortest.Bench
		door  Door
		want  error
	}{
		{"run_ended", cancelled, doortest.New(t), plain(at, V311), context.Canceled},
		{"out_of_scope", t.Context(), doortest.New(t), plain(netip.MustParseAddrPort("192.0.2.1:1883"), V311), transport.ErrScope},
		{"budget_of_bytes", t.Context(), doortest.Limited(t, small), plain(at, V311), transport.ErrBudget},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Try(tt.ctx, tt.bench.Input, tt.door, Client{})
			assert.ErrorIs(t, err, tt.want)
			assert.NotEqual(t, Accepted, got.Outcome)
		})
	}
}

func TestRealBrokers(t *testing.T) {
	t.Parallel()
	ca := peers.NewAuthority(t)
	cert := ca.Issue(t, "device")
	users := map[string]string{good.User: good.Password}
	real := peers.Mosquitto(t, peers.MosquittoConfig{Users: users, Listeners: []peers.MosquittoListener{
		{}, {Certificate: &cert}, {Certificate: &cert, ClientCertificate: true}, {Anonymous: true},
	}}).Addrs
	three := &tls.Config{Certificates: []tls.Certificate{cert.TLS}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: ca.Pool}
	two := three.Clone()
	two.MaxVersion = tls.VersionTLS12
	mutual := func(c *tls.Config) netip.AddrPort {
		return doortest.NewBroker(t, doortest.Rules{Users: users, TLS: c}).Addr
	}
	inProcess := doortest.NewBroker(t, doortest.Rules{Users: users}).Addr
	curt := doortest.NewBroker(t, doortest.Rules{Users: users, HangsUp: true}).Addr
	tests := []struct {
		name                 string
		door                 func(Version) Door
		good, bad, stranger  Outcome
		random               Outcome
		badCode, strangeCode map[Version]int
	}{
		{"mosquitto", at(real[0], plain), Accepted, Refused, Refused, Refused, codes(5, 0x87), codes(5, 0x87)},
		{"mosquitto_tls", at(real[1], inTLS), Accepted, Refused, Refused, Refused, codes(5, 0x87), codes(5, 0x87)},
		{"mosquitto_mutual_tls", at(real[2], inTLS), TLSRefused, TLSRefused, TLSRefused, TLSRefused, codes(-1, -1), codes(-1, -1)},
		{"mosquitto_anonymous", at(real[3], plain), Accepted, Refused, Accepted, Refused, codes(5, 0x87), codes(0, 0)},
		{"mochi", at(inProcess, plain), Accepted, Refused, Refused, Refused, codes(5, 0x86), codes(5, 0x86)},
		{"mochi_hangs_up", at(curt, plain), Accepted, Closed, Closed, Closed, codes(-1, -1), codes(-1, -1)},
		{"mutual_tls_1_3", at(mutual(three), inTLS), TLSRefused, TLSRefused, TLSRefused, TLSRefused, codes(-1, -1), codes(-1, -1)},
		{"mutual_tls_1_2", at(mutual(two), inTLS), TLSRefused, TLSRefused, TLSRefused, TLSRefused, codes(-1, -1), codes(-1, -1)},
	}
	for _, tt := range tests {
		for _, v := range []Version{V311, V5} {
			t.Run(tt.name+"_"+strings.ReplaceAll(string(v), ".", ""), func(t *testing.T) {
				bench := doortest.New(t)
				try := func(c Client) Answer {
					got, err := Try(t.Context(), bench.Input, tt.door(v), c)
					require.NoError(t, err)
					return got
				}
				assert.Equal(t, tt.good, try(Client{Login: &good}).Outcome)
				wrong, stranger, random := try(Client{Login: &bad}), try(Client{}), RandomLogin()
				assert.Equal(t, tt.bad, wrong.Outcome)
				assert.Equal(t, tt.badCode[v], wrong.Code)
				assert.Equal(t, tt.stranger, stranger.Outcome)
				assert.Equal(t, tt.strangeCode[v], stranger.Code)
				assert.Equal(t, tt.random, try(Client{Login: &random}).Outcome)
				for _, secret := range []string{good.Password, bad.Password, random.Password} {
					assert.NotContains(t, bench.Transcript(), secret)
				}
			})
		}
	}
}

func at(a netip.AddrPort, door func(netip.AddrPort, Version) Door) func(Version) Door {
	return func(v Version) Door { return door(a, v) }
}

func codes(three, five int) map[Version]int { return map[Version]int{V311: three, V5: five} }

func TestASessionWorksAndLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	broker := doortest.NewBroker(t, doortest.Rules{Anonymous: doortest.Everybody, Reads: doortest.Everything, Retained: map[string]string{"a": "kept"}})
	for _, v := range []Version{V311, V5} {
		bench := doortest.New(t)
		s, answer, err := Open(t.Context(), bench.Input, plain(broker.Addr, v), Client{ID: "mine"})
		require.NoError(t, err)
		assert.Equal(t, Accepted, answer.Outcome)
		assert.Equal(t, "mine", s.ClientID)
		assert.Equal(t, v, s.Version)
		m := firstMessage(t, s)
		assert.Equal(t, "a", m.Topic)
		span := s.Span(m.Span)
		assert.NoError(t, s.Wait(time.Minute))
		s.Close()
		assert.Contains(t, bench.Member(span.Member)[span.Offset:span.Offset+span.Length], "kept")
		assert.Eventually(t, func() bool { return broker.Clients() == 0 && broker.Subscriptions() == 0 }, time.Second, time.Millisecond)
	}
}

// Client identifiers are such as every broker must take, and never the same.
func TestClientIDs(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 1000 {
		id := ClientID()
		assert.Regexp(t, `^assay[0-9a-f]{8}$`, id)
		seen[id] = true
	}
	assert.Greater(t, len(seen), 990)
	one, other := RandomLogin(), RandomLogin()
	assert.NotEqual(t, one.User, other.User)
	assert.NotEqual(t, one.Password, other.Password)
	assert.GreaterOrEqual(t, len(one.Password), 20)
}
