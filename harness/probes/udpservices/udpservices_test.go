package udpservices

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/internal/coapwire"
	"github.com/assay-iot/assay/harness/probes/internal/dtlswire"
	"github.com/assay-iot/assay/harness/probes/tcpports"
	"github.com/assay-iot/assay/harness/transport"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// server answers the nth datagram to a port of 127.0.0.1 by those that answer
// returns.
func server(t *testing.T, answer func(n int, b []byte) [][]byte) netip.AddrPort {
	t.Helper()
	s, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		b := make([]byte, 4096)
		for n := 0; ; n++ {
			length, from, err := s.ReadFrom(b)
			if err != nil {
				return
			}
			for _, a := range answer(n, b[:length]) {
				s.WriteTo(a, from)
			}
		}
	}()
	t.Cleanup(func() {
		s.Close()
		<-done
	})
	return netip.MustParseAddrPort(s.LocalAddr().String())
}

// listener is an open TCP port of 127.0.0.1.
func listener(t *testing.T) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.Close()
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-done
	})
	return netip.MustParseAddrPort(l.Addr().String())
}

func closed(t *testing.T) netip.AddrPort {
	t.Helper()
	s, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	defer s.Close()
	return netip.MustParseAddrPort(s.LocalAddr().String())
}

// coap answers what is CoAP by change, which turns the question into an answer.
func coap(change func(m *coapwire.Message)) func(int, []byte) [][]byte {
	return func(_ int, b []byte) [][]byte {
		m, err := coapwire.Decode(b)
		if err != nil {
			return nil
		}
		m.Type, m.Code, m.Options = coapwire.Acknowledgement, coapwire.Content, nil
		change(&m)
		out, err := m.Encode()
		if err != nil {
			return [][]byte{[]byte(err.Error())}
		}
		return [][]byte{out}
	}
}

// verify is a HelloVerifyRequest with an empty cookie.
var verify = []byte("\x16\xfe\xff\x00\x00\x00\x00\x00\x00\x00\x00\x00\x0f" + "\x03\x00\x00\x03\x00\x00\x00\x00\x00\x00\x00\x03" + "\xfe\xff\x00")

func dtls(_ int, b []byte) [][]byte {
	if b[0] != 22 {
		return nil
	}
	return [][]byte{verify}
}

func silent(int, []byte) [][]byte { return nil }

// input asks the ports of 127.0.0.1, with a TCP port as the control.
func input(t *testing.T, control netip.AddrPort, ports ...uint16) probe.Input {
	t.Helper()
	target := probe.Target{Unit: evidence.DUT, Addrs: []netip.Addr{netip.MustParseAddr("127.0.0.1")}, UDP: ports, Pace: transport.Bench}
	limits := transport.LimitsOf(transport.Bench)
	limits.Connections = bound(target).Connections
	var tcp tcpports.Evidence
	if control.IsValid() {
		tcp.Open = []tcpports.Port{{Addr: control, Seen: 2}}
	}
	return probe.Input{
		Target:   target,
		Net:      transport.New(transport.Config{Scope: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, Limits: limits}),
		Evidence: evidence.NewView(evidence.DUT, map[string]evidence.Page{tcpports.Probe.Name: {Value: tcp}}),
	}
}

func TestRun(t *testing.T) {
	same := func(*coapwire.Message) {}
	reset := func(m *coapwire.Message) {
		*m = coapwire.Message{Type: coapwire.Reset, ID: m.ID}
	}
	tests := []struct {
		name     string
		at       netip.AddrPort
		protocol Protocol
		state    State
		seen     [2]int // of CoAP and of DTLS
		quiet    bool
	}{
		{"coap_piggybacked", server(t, coap(same)), CoAP, Answered, [2]int{2, 0}, false},
		{"coap_reset", server(t, coap(reset)), CoAP, Answered, [2]int{2, 0}, false},
		{"coap_acknowledged", server(t, coap(func(m *coapwire.Message) { m.Code, m.Token = coapwire.Empty, nil })), CoAP, Answered, [2]int{2, 0}, false},
		{"coap_separate", server(t, coap(func(m *coapwire.Message) { m.Type, m.ID = coapwire.Confirmable, m.ID+1 })), CoAP, Answered, [2]int{2, 0}, false},
		{"coap_not_found", server(t, coap(func(m *coapwire.Message) { m.Code = coapwire.NotFound })), CoAP, Answered, [2]int{2, 0}, false},
		{"coap_forbidden_by_non", server(t, coap(func(m *coapwire.Message) { m.Type, m.Code = coapwire.NonConfirmable, coapwire.Forbidden })), CoAP, Answered, [2]int{2, 0}, false},
		{"coap_after_strays", server(t, func(n int, b []byte) [][]byte {
			return append(slices.Repeat([][]byte{[]byte("garbage")}, 10), coap(same)(n, b)...)
		}), CoAP, Answered, [2]int{2, 0}, false},
		{"coap_lost_twice", server(t, func(n int, b []byte) [][]byte {
			if n%3 != 2 {
				return nil
			}
			return coap(same)(n, b)
		}), CoAP, Answered, [2]int{2, 0}, false},
		{"dtls", server(t, dtls), DTLS, Answered, [2]int{0, 2}, false},
		{"other_token", server(t, coap(func(m *coapwire.Message) { m.Token = []byte("another1") })), Unidentified, Answered, [2]int{}, false},
		{"other_id", server(t, coap(func(m *coapwire.Message) { m.ID++ })), Unidentified, Answered, [2]int{}, false},
		{"reset_of_another", server(t, coap(func(m *coapwire.Message) { reset(m); m.ID++ })), Unidentified, Answered, [2]int{}, false},
		{"echo", server(t, func(_ int, b []byte) [][]byte { return [][]byte{bytes.Clone(b)} }), Unidentified, Answered, [2]int{}, false},
		{"garbage", server(t, func(int, []byte) [][]byte { return [][]byte{[]byte("\x1b[2J")} }), Unidentified, Answered, [2]int{}, false},
		{"flood", server(t, func(int, []byte) [][]byte { return slices.Repeat([][]byte{[]byte("x")}, 200) }), Unidentified, Answered, [2]int{}, false},
		{"once_only", server(t, func(n int, b []byte) [][]byte {
			if n > 0 {
				return nil
			}
			return coap(same)(n, b)
		}), Unidentified, Mixed, [2]int{1, 0}, false},
		{"silent", server(t, silent), Unidentified, Silent, [2]int{}, true},
		{"closed", closed(t), Unidentified, Closed, [2]int{}, true},
	}
	var ports []uint16
	for _, tt := range tests {
		ports = append(ports, tt.at.Port())
	}
	e, err := run(t.Context(), input(t, listener(t), ports...))
	require.NoError(t, err)
	data, err := evidence.Encode(e)
	require.NoError(t, err)
	_, err = evidence.Decode[Evidence](data)
	require.NoError(t, err)
	require.Len(t, e.Endpoints, len(tests))
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := e.Endpoints[i]
			assert.Equal(t, tt.at, got.Addr)
			assert.Equal(t, tt.protocol, got.Protocol)
			assert.Equal(t, tt.state, got.State, "%+v", got)
			require.Len(t, got.Asked, 2)
			assert.Equal(t, []Protocol{CoAP, DTLS}, []Protocol{got.Asked[0].Question, got.Asked[1].Question})
			assert.Equal(t, tt.seen, [2]int{got.Asked[0].Seen, got.Asked[1].Seen})
			assert.Equal(t, tt.quiet, got.Quiet())
			assert.Equal(t, got.Control.Asked, got.Control.Answered)
			for _, a := range got.Asked {
				assert.Equal(t, len(a.Answer) > 0, a.Span.Length > 0)
				assert.LessOrEqual(t, a.Tries, rounds*tries)
			}
		})
	}
	assert.Len(t, e.Of(CoAP), 8)
	assert.Len(t, e.Of(DTLS), 1)
}

// A silent port is asked three times, with controls before, between and after.
func TestSilenceNeedsItsControls(t *testing.T) {
	at := server(t, silent)
	e, err := run(t.Context(), input(t, listener(t), at.Port()))
	require.NoError(t, err)
	got := e.Endpoints[0]
	assert.Equal(t, Control{2 * controls, 2 * controls}, got.Control)
	for _, a := range got.Asked {
		assert.Equal(t, tries, a.Tries)
		assert.Equal(t, Silent, a.State)
	}
	e, err = run(t.Context(), input(t, netip.AddrPort{}, at.Port()))
	require.NoError(t, err)
	assert.Zero(t, e.Endpoints[0].Control)
	assert.False(t, e.Endpoints[0].Quiet(), "nobody knows whether something was lost")
}

func TestQuiet(t *testing.T) {
	heard, lost := Control{8, 8}, Control{8, 7}
	one := []Asked{{State: Silent}, {State: Silent}}
	for _, tt := range []struct {
		e    Endpoint
		want bool
	}{
		{Endpoint{State: Silent, Control: heard, Asked: one}, true},
		{Endpoint{State: Silent, Control: lost, Asked: one}, false},
		{Endpoint{State: Silent, Asked: one}, false},
		{Endpoint{State: Closed}, true},
		{Endpoint{State: Answered, Control: heard}, false},
		{Endpoint{State: Mixed, Control: heard, Asked: []Asked{{State: Closed}, {State: Silent}}}, true},
		{Endpoint{State: Mixed, Control: heard, Asked: []Asked{{State: Mixed}, {State: Silent}}}, false},
	} {
		assert.Equal(t, tt.want, tt.e.Quiet(), "%+v", tt.e)
	}
}

func TestStandardPortsAreAskedFirst(t *testing.T) {
	assert.Equal(t, []uint16{5683, 5684}, Ports())
	assert.Equal(t, DTLS, likelyFirst(5684)[0].protocol)
	assert.Equal(t, CoAP, likelyFirst(5683)[0].protocol)
	assert.Equal(t, CoAP, likelyFirst(7)[0].protocol)
}

// What refuses is as good a control as what accepts; what accepts comes first.
func TestControls(t *testing.T) {
	a, b := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	got := controlsOf(tcpports.Evidence{
		Open:   []tcpports.Port{{Addr: netip.AddrPortFrom(a, 22), Seen: 1}, {Addr: netip.AddrPortFrom(a, 80), Seen: 2}, {Addr: netip.AddrPortFrom(a, 443), Seen: 2}},
		Closed: []tcpports.Range{{Addr: a, First: 1, Last: 21}, {Addr: b, First: 7, Last: 9}, {Addr: b, First: 100, Last: 200}},
	})
	assert.Equal(t, map[netip.Addr]netip.AddrPort{a: netip.AddrPortFrom(a, 80), b: netip.AddrPortFrom(b, 7)}, got)
	assert.Empty(t, controlsOf(tcpports.Evidence{}))
}

// What we could not do is no silence of the device.
func TestOurOwnTrouble(t *testing.T) {
	at := server(t, silent)
	in := input(t, netip.AddrPort{}, at.Port())
	in.Net = transport.New(transport.Config{})
	e, err := run(t.Context(), in)
	_, partial := errors.AsType[*probe.Partial](err)
	assert.True(t, partial)
	assert.ErrorIs(t, err, transport.ErrScope)
	assert.Empty(t, e.Endpoints)

	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	e, err = run(ctx, input(t, netip.AddrPort{}, at.Port()))
	assert.Error(t, err)
	assert.Empty(t, e.Endpoints)
}

func TestBound(t *testing.T) {
	addrs := []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")}
	quick := bound(probe.Target{Addrs: addrs, UDP: []uint16{1, 2, 3}})
	assert.Equal(t, 6*2*(rounds+controls), quick.Connections)
	slow := bound(probe.Target{Addrs: addrs, UDP: []uint16{1, 2, 3}, PerSecond: 10})
	assert.Greater(t, slow.Time, quick.Time)
	assert.Equal(t, time.Second, bound(probe.Target{}).Time)
	assert.NoError(t, evidence.CheckType(Probe.Info().Evidence))
}

// The questions themselves are what their protocols allow.
func TestQuestions(t *testing.T) {
	for range 100 {
		b, answers := coapQuestion.ask()
		m, err := coapwire.Decode(b)
		require.NoError(t, err)
		assert.Equal(t, "/.well-known/core", m.Path())
		assert.False(t, answers(b), "an echo is no answer")
	}
	b, answers := dtlsQuestion.ask()
	records, err := dtlswire.Records(b)
	require.NoError(t, err)
	assert.Len(t, records, 1)
	assert.False(t, answers(b), "an echo is no answer")
	assert.True(t, answers(verify))
}

func FuzzAnswers(f *testing.F) {
	f.Add([]byte("\x70\x00\x00\x01"))
	f.Add(verify)
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, q := range questions {
			if sent, answers := q.ask(); bytes.Equal(sent, b) && answers(b) {
				t.Errorf("%s answers itself", q)
			}
		}
	})
}
