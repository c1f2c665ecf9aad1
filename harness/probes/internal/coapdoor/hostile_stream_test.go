package coapdoor_test

import (
	"bytes"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	. "github.com/assay-iot/assay/harness/probes/internal/coapdoor"
	"github.com/assay-iot/assay/harness/probes/internal/coapdoor/coaptest"
	w "github.com/assay-iot/assay/harness/probes/internal/coapwire"
	"github.com/assay-iot/assay/internal/peers"
)

// Over TCP a peer that does not speak CoAP gets no further than the first words.
func TestHostileStreams(t *testing.T) {
	t.Parallel()
	hello := string(streamed(w.Message{Code: w.CSM}))
	tests := []struct {
		name string
		addr netip.AddrPort
		over Transport
		want Outcome
	}{
		{"silent", peers.Tarpit(t), TCP, Silent},
		{"closes", peers.Closer(t), TCP, Declined},
		{"resets", peers.Reset(t), TCP, Declined},
		{"floods", peers.Flood(t, "\x20\x02\x02"), TCP, Malformed},
		{"speaks_http", peers.Flood(t, "HTTP/1.1 400 Bad\r\n"), TCP, Malformed},
		{"another_message_first", peers.Flood(t, string(streamed(w.Message{Code: w.Content}))), TCP, Malformed},
		{"no_tls", peers.Flood(t, hello), TLS, Malformed},
		{"no_websocket", peers.Flood(t, hello), WS, Malformed},
		{"closes_under_tls", peers.Closer(t), TLS, Declined},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			begun := time.Now()
			s, answer, err := Open(t.Context(), coaptest.New(t).Input, Door{Addr: tt.addr, Transport: tt.over, Path: WellKnown}, Client{})
			require.NoError(t, err)
			require.Nil(t, s)
			assert.Equal(t, tt.want, answer.Outcome)
			assert.Less(t, time.Since(begun), Patience+time.Second)
		})
	}
}

func streamed(m w.Message) []byte {
	b, err := m.EncodeStream()
	if err != nil {
		panic(err)
	}
	return b
}

// A server that introduces itself and then does as it likes.
func TestStreamsThatEnd(t *testing.T) {
	t.Parallel()
	hello := streamed(w.Message{Code: w.CSM})
	tests := []struct {
		name  string
		then  []byte
		close bool
		want  Outcome
	}{
		{"hangs_up", nil, true, Closed},
		{"aborts", streamed(w.Message{Code: w.Abort}), false, Reset},
		{"lies_about_a_length", []byte("\xff\xff\xff\xff\xff\x45"), false, Malformed},
		{"half_a_message", []byte("\xd0\x40\x45aaa"), true, Closed},
		{"never_stops", bytes.Repeat(streamed(w.Message{Code: w.Content, Token: []byte("other")}), 400_000), false, Malformed},
		{"never_answers", streamed(w.Message{Code: w.Ping, Token: []byte("p")}), false, Silent},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			at := device(t, func(c net.Conn) {
				c.Write(hello)
				r := w.NewReader(c)
				for range 2 { // what the client says of itself, and the request
					r.Next()
				}
				c.Write(tt.then)
				if !tt.close {
					c.SetReadDeadline(time.Now().Add(8 * time.Second))
					for b := make([]byte, 4096); ; {
						if _, err := c.Read(b); err != nil {
							return
						}
					}
				}
			})
			s := open(t, coaptest.New(t), Door{Addr: at, Transport: TCP}, nil)
			begun := time.Now()
			assert.Equal(t, tt.want, do(t, s, Request{Path: "/t"}).Outcome)
			assert.Less(t, time.Since(begun), 5*time.Second)
		})
	}
}

// device serves each connection to 127.0.0.1 with f, until the test ends.
func device(t *testing.T, f func(net.Conn)) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			f(c)
			c.Close()
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-ended
	})
	return netip.MustParseAddrPort(l.Addr().String())
}
