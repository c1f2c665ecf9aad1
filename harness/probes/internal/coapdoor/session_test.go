package coapdoor_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	. "github.com/assay-iot/assay/harness/probes/internal/coapdoor"
	"github.com/assay-iot/assay/harness/probes/internal/coapdoor/coaptest"
	"github.com/assay-iot/assay/harness/probes/internal/coapwire"
	"github.com/assay-iot/assay/internal/peers"
)

// good opens the DTLS door of every device here.
var good = probe.Login{ID: "app", User: "app", Password: "a key of 16 byte"}

const long = 5000

// thermostat has one resource of each kind.
func thermostat(t *testing.T, change ...func(*coaptest.Rules)) *coaptest.Device {
	t.Helper()
	r := coaptest.Rules{
		Keys: map[string]string{good.User: good.Password},
		TLS:  &tls.Config{Certificates: []tls.Certificate{peers.NewAuthority(t).Issue(t, "device").TLS}},
		Resources: []coaptest.Resource{
			{Path: "/t", Payload: "21.5", Observable: true, Type: "temperature"},
			{Path: "/setpoint", Payload: "20", Writable: true, Observable: true},
			{Path: "/log", Payload: strings.Repeat("0123456789", long/10), Format: 42},
			{Path: "/slow", Payload: "late", Separate: true},
			{Path: "/private", Payload: "4711", Refuse: coapwire.Unauthorized},
			{Path: "/far", Payload: strings.Repeat("x", 200), Echo: true},
			{Path: "/dumb", Silent: true},
			{Path: "/rst", Reset: true},
			{Path: "/a b/ü", Payload: "odd"},
		},
	}
	for _, f := range change {
		f(&r)
	}
	return coaptest.NewDevice(t, r)
}

// open knocks and has to be let in.
func open(t *testing.T, b *coaptest.Bench, d Door, login *probe.Login) *Session {
	t.Helper()
	s, answer, err := Open(t.Context(), b.Input, d, Client{Login: login})
	require.NoError(t, err)
	require.Equal(t, Opened, answer.Outcome)
	t.Cleanup(s.Close)
	return s
}

// do makes a request that is none of our mistakes.
func do(t *testing.T, s *Session, r Request) Exchange {
	t.Helper()
	x, err := s.Do(t.Context(), r)
	require.NoError(t, err)
	return x
}

// doors of a device, by transport.
func doors(d *coaptest.Device) map[Transport]func() Door {
	return map[Transport]func() Door{UDP: d.UDP, DTLS: d.DTLS, TCP: d.TCP, TLS: d.TLS, WS: d.WS, WSS: d.WSS}
}

// The same requests bring the same over every transport.
func TestEveryTransport(t *testing.T) {
	t.Parallel()
	for _, over := range []Transport{UDP, DTLS, TCP, TLS, WS, WSS} {
		t.Run(string(over), func(t *testing.T) {
			t.Parallel()
			device, bench := thermostat(t), coaptest.New(t)
			var login *probe.Login
			if over == DTLS {
				login = &good
			}
			s := open(t, bench, doors(device)[over](), login)
			x := do(t, s, Request{Path: "/t"})
			assert.Equal(t, Code("2.05"), x.Code)
			assert.Equal(t, "21.5", string(x.Payload))
			assert.Equal(t, evidence.No, x.Truncated)
			if !s.Door.Secure() {
				assert.Contains(t, bench.Member(x.Span.Member)[x.Span.Offset:], "21.5")
			}
			assert.Equal(t, x.Span.Length > 0, true)
			x = do(t, s, Request{Path: "/log"})
			assert.Len(t, x.Payload, long)
			assert.Equal(t, evidence.No, x.Truncated)
			assert.Equal(t, 42, x.Format)
			assert.Equal(t, 5, x.Blocks)
			x = do(t, s, Request{Path: "/far"})
			assert.Equal(t, evidence.Yes, x.Echo)
			assert.Len(t, x.Payload, 200)
			assert.Equal(t, Code("4.04"), do(t, s, Request{Path: "/none"}).Code)
			assert.Equal(t, over != DTLS, do(t, s, Request{Path: "/private"}).Forbids())
			x = do(t, s, Request{Method: PUT, Path: "/setpoint", Payload: []byte(strings.Repeat("9", 3000))})
			assert.Equal(t, Code("2.04"), x.Code)
			assert.Len(t, device.Value("/setpoint"), 3000)
			ping, err := s.Ping(t.Context())
			require.NoError(t, err)
			assert.True(t, ping.There())
			listing, err := s.List(t.Context())
			require.NoError(t, err)
			assert.Equal(t, evidence.Yes, listing.Parsed)
			assert.Len(t, listing.Links, 9)
			assert.Equal(t, evidence.No, listing.LwM2M)
			assert.NotContains(t, bench.Transcript(), good.Password)
		})
	}
}

// What a request says of itself and of its answer.
func TestExchanges(t *testing.T) {
	t.Parallel()
	device := thermostat(t)
	s := open(t, coaptest.New(t), device.UDP(), nil)
	tests := []struct {
		name string
		r    Request
		want Outcome
		code Code
		look func(*testing.T, Exchange)
	}{
		{"piggybacked", Request{Path: "/t"}, Answered, "2.05", func(t *testing.T, x Exchange) {
			assert.Equal(t, evidence.No, x.Separate)
			assert.Equal(t, evidence.Yes, x.Confirmable)
			assert.Equal(t, 4+8+2+28, x.Request)
			assert.Equal(t, 4+8+1+4+28, x.Response)
			assert.Equal(t, 1, x.Tries)
			assert.Positive(t, x.Took)
		}},
		{"separate", Request{Path: "/slow"}, Answered, "2.05", func(t *testing.T, x Exchange) {
			assert.Equal(t, evidence.Yes, x.Separate)
			assert.Equal(t, (4+28)+(4+8+1+4+28), x.Response)
		}},
		{"not_confirmable", Request{Path: "/t", Non: true}, Answered, "2.05", func(t *testing.T, x Exchange) {
			assert.Equal(t, evidence.No, x.Confirmable)
			assert.Equal(t, evidence.No, x.Separate)
		}},
		{"reset", Request{Path: "/rst"}, Reset, "", nil},
		{"reset_of_one_that_needs_no_acknowledgement", Request{Path: "/rst", Non: true}, Reset, "", nil},
		{"silent", Request{Path: "/dumb"}, Silent, "", func(t *testing.T, x Exchange) { assert.Equal(t, 3, x.Tries) }},
		{"silent_to_one_datagram", Request{Path: "/dumb", Once: true}, Silent, "", func(t *testing.T, x Exchange) { assert.Equal(t, 1, x.Tries) }},
		{"first_block", Request{Path: "/log", First: true}, Answered, "2.05", func(t *testing.T, x Exchange) {
			assert.Len(t, x.Payload, 1024)
			assert.Equal(t, evidence.Yes, x.Truncated)
			assert.Equal(t, evidence.Yes, x.Block)
		}},
		{"challenge_left_alone", Request{Path: "/far", First: true}, Answered, "4.01", func(t *testing.T, x Exchange) { assert.Equal(t, evidence.Yes, x.Echo) }},
		{"small_blocks", Request{Path: "/log", Options: []coapwire.Option{coapwire.Block{SZX: 4}.Option(coapwire.Block2)}}, Answered, "2.05", func(t *testing.T, x Exchange) {
			assert.Len(t, x.Payload, long)
			assert.Equal(t, 20, x.Blocks)
		}},
		{"odd_path", Request{Path: "/a%20b/%C3%BC"}, Answered, "2.05", nil},
		{"method", Request{Method: DELETE, Path: "/t"}, Answered, "4.05", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			x := do(t, s, tt.r)
			assert.Equal(t, tt.want, x.Outcome)
			assert.Equal(t, tt.code, x.Code)
			assert.Equal(t, tt.r.Path, string(x.Path))
			if tt.look != nil {
				tt.look(t, x)
			}
		})
	}
	_, err := s.Do(t.Context(), Request{Method: "BREW"})
	assert.Error(t, err)
	_, err = s.Do(t.Context(), Request{Method: PUT, Payload: make([]byte, 1<<17)})
	assert.Error(t, err)
}

func TestAServerWithSmallBlocks(t *testing.T) {
	t.Parallel()
	device := thermostat(t, func(r *coaptest.Rules) { r.Block = 2 })
	s := open(t, coaptest.New(t), device.UDP(), nil)
	x := do(t, s, Request{Method: PUT, Path: "/setpoint", Payload: []byte(strings.Repeat("ab", 700))})
	assert.Equal(t, Code("2.04"), x.Code)
	assert.Equal(t, strings.Repeat("ab", 700), device.Value("/setpoint"))
	x = do(t, s, Request{Path: "/setpoint"})
	assert.Equal(t, strings.Repeat("ab", 700), string(x.Payload))
	assert.Equal(t, 22, x.Blocks)
}

func TestObserve(t *testing.T) {
	t.Parallel()
	for _, over := range []Transport{UDP, DTLS, TCP, WS} {
		t.Run(string(over), func(t *testing.T) {
			t.Parallel()
			device := thermostat(t)
			var login *probe.Login
			if over == DTLS {
				login = &good
			}
			s := open(t, coaptest.New(t), doors(device)[over](), login)
			o, x, err := s.Observe(t.Context(), "/t")
			require.NoError(t, err)
			require.NotNil(t, o)
			assert.Equal(t, "21.5", string(x.Payload))
			assert.Equal(t, evidence.Yes, x.Observe)
			_, ok, err := o.Next(t.Context(), 20*time.Millisecond)
			require.NoError(t, err)
			assert.False(t, ok)
			device.Set("/t", "22")
			assert.Equal(t, "20", string(do(t, s, Request{Path: "/setpoint"}).Payload), "another exchange in between")
			device.Set("/t", "23")
			var got []string
			for n, err := range o.All(t.Context(), 200*time.Millisecond) {
				require.NoError(t, err)
				got = append(got, fmt.Sprintf("%s %s %d", n.Code, n.Payload, n.Sequence))
			}
			assert.Equal(t, []string{"2.05 22 2", "2.05 23 3"}, got)
			x, err = o.Cancel(t.Context())
			require.NoError(t, err)
			assert.Equal(t, Code("2.05"), x.Code)
			assert.Zero(t, device.Observers())
			o, x, err = s.Observe(t.Context(), "/log")
			require.NoError(t, err)
			assert.Nil(t, o)
			assert.Equal(t, evidence.No, x.Observe)
		})
	}
}

// Nothing is left behind, whatever ends first.
func TestObservationsAreAlwaysCancelled(t *testing.T) {
	t.Parallel()
	for _, over := range []Transport{UDP, DTLS, TCP} {
		for name, end := range map[string]func(cancel func(), s *Session){
			"closed":    func(_ func(), s *Session) { s.Close() },
			"cancelled": func(cancel func(), s *Session) { cancel(); s.Close() },
		} {
			t.Run(string(over)+"_"+name, func(t *testing.T) {
				t.Parallel()
				device := thermostat(t)
				var login *probe.Login
				if over == DTLS {
					login = &good
				}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				s, _, err := Open(ctx, coaptest.New(t).Input, doors(device)[over](), Client{Login: login})
				require.NoError(t, err)
				for _, path := range []string{"/t", "/setpoint"} {
					o, _, err := s.Observe(ctx, path)
					require.NoError(t, err)
					require.NotNil(t, o)
				}
				require.Equal(t, 2, device.Observers())
				end(cancel, s)
				assert.Zero(t, device.Observers())
			})
		}
	}
}

// The end of the ctx ends every wait at once, and is nobody's silence.
func TestCancelledWhileWaiting(t *testing.T) {
	t.Parallel()
	device := thermostat(t)
	for _, over := range []Transport{UDP, TCP} {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		s, _, err := Open(ctx, coaptest.New(t).Input, doors(device)[over](), Client{})
		require.NoError(t, err)
		begun := time.Now()
		x, err := s.Do(ctx, Request{Path: "/dumb"})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, NotTried, x.Outcome)
		assert.Less(t, time.Since(begun), 200*time.Millisecond)
		s.Close()
		cancel()
	}
}

func TestAsk(t *testing.T) {
	t.Parallel()
	pingless := func(m coapwire.Message) ([]coapwire.Message, bool) { return nil, false }
	device := thermostat(t, func(r *coaptest.Rules) { r.First = pingless })
	s := open(t, coaptest.New(t), device.UDP(), nil)
	tests := []struct {
		path        string
		outcome     Outcome
		times       int
		notAnswered bool
	}{
		{"/dumb", Silent, 3, true}, {"/t", Answered, 1, false}, {"/private", Answered, 1, false}, {"/rst", Reset, 1, false},
	}
	for _, tt := range tests {
		a, err := s.Ask(t.Context(), Request{Path: tt.path})
		require.NoError(t, err)
		assert.Equal(t, tt.outcome, a.Exchange.Outcome)
		assert.Equal(t, tt.times, a.Times)
		assert.Equal(t, a.Times+1, a.Controls)
		assert.Equal(t, a.Controls, a.Kept)
		assert.Equal(t, tt.notAnswered, a.NotAnswered())
	}
}
