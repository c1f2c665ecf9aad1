package coapdoor_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	piondtls "github.com/pion/dtls/v3"
	"github.com/plgd-dev/go-coap/v3/dtls"
	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"
	"github.com/plgd-dev/go-coap/v3/mux"
	coapnet "github.com/plgd-dev/go-coap/v3/net"
	"github.com/plgd-dev/go-coap/v3/options"
	"github.com/plgd-dev/go-coap/v3/tcp"
	"github.com/plgd-dev/go-coap/v3/udp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	. "github.com/assay-iot/assay/harness/probes/internal/coapdoor"
	"github.com/assay-iot/assay/harness/probes/internal/coapdoor/coaptest"
)

// goCoAP starts servers of go-coap with a short resource, a long one, and one
// that can be written and observed.
func goCoAP(t *testing.T) map[Transport]Door {
	t.Helper()
	r := mux.NewRouter()
	say := func(text string) mux.HandlerFunc {
		return func(w mux.ResponseWriter, _ *mux.Message) {
			_ = w.SetResponse(codes.Content, message.TextPlain, strings.NewReader(text))
		}
	}
	for path, text := range map[string]string{"/a": "short", "/long": strings.Repeat("0123456789", 640), Core: `</a>,</long>;sz=6400,<coap://192.0.2.9/x>`} {
		require.NoError(t, r.Handle(path, say(text)))
	}
	require.NoError(t, r.Handle("/put", mux.HandlerFunc(func(w mux.ResponseWriter, m *mux.Message) {
		body, _ := m.ReadBody()
		_ = w.SetResponse(codes.Changed, message.TextPlain, bytes.NewReader(body))
	})))
	require.NoError(t, r.Handle("/obs", mux.HandlerFunc(ticking)))
	found := map[Transport]Door{}
	ul, err := coapnet.NewListenUDP("udp", "127.0.0.1:0")
	require.NoError(t, err)
	us := udp.NewServer(options.WithMux(r))
	serve(t, func() error { return us.Serve(ul) }, us.Stop, ul.Close)
	found[UDP] = Door{Addr: addrPort(ul.LocalAddr().String()), Transport: UDP}
	tl, err := coapnet.NewTCPListener("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ts := tcp.NewServer(options.WithMux(r))
	serve(t, func() error { return ts.Serve(tl) }, ts.Stop, tl.Close)
	found[TCP] = Door{Addr: addrPort(tl.Addr().String()), Transport: TCP}
	dl, err := coapnet.NewDTLSListener("udp", "127.0.0.1:0", coapnet.NewDTLSServerOptions(
		piondtls.WithPSK(func([]byte) ([]byte, error) { return []byte(good.Password), nil }),
		piondtls.WithPSKIdentityHint([]byte("server")), piondtls.WithCipherSuites(piondtls.TLS_PSK_WITH_AES_128_CCM_8)))
	require.NoError(t, err)
	ds := dtls.NewServer(options.WithMux(r))
	serve(t, func() error { return ds.Serve(dl) }, ds.Stop, dl.Close)
	found[DTLS] = Door{Addr: addrPort(dl.Addr().String()), Transport: DTLS}
	return found
}

// ticking answers an observation with two more notifications.
func ticking(w mux.ResponseWriter, m *mux.Message) {
	wish, err := m.Options().Observe()
	if err != nil || wish != 0 {
		_ = w.SetResponse(codes.Content, message.TextPlain, strings.NewReader("0"))
		return
	}
	_ = w.SetResponse(codes.Content, message.TextPlain, strings.NewReader("0"), message.Option{ID: message.Observe, Value: []byte{1}})
	conn, token := w.Conn(), m.Token()
	for i, text := range []string{"1", "2"} {
		time.AfterFunc(time.Duration(i+1)*30*time.Millisecond, func() {
			n := conn.AcquireMessage(conn.Context())
			defer conn.ReleaseMessage(n)
			n.SetCode(codes.Content)
			n.SetToken(token)
			n.SetObserve(uint32(i + 2))
			n.SetBody(strings.NewReader(text))
			_ = conn.WriteMessage(n)
		})
	}
}

func serve(t *testing.T, run func() error, stop func(), shut func() error) {
	t.Helper()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = run()
	}()
	t.Cleanup(func() {
		stop()
		_ = shut()
		<-ended
	})
}

func TestAgainstGoCoAP(t *testing.T) {
	t.Parallel()
	for over, door := range goCoAP(t) {
		t.Run(string(over), func(t *testing.T) {
			var login *probe.Login
			if over == DTLS {
				login = &good
			}
			s := open(t, coaptest.New(t), door, login)
			assert.Equal(t, "short", string(do(t, s, Request{Path: "/a"}).Payload))
			assert.Equal(t, "short", string(do(t, s, Request{Path: "/a", Non: true}).Payload))
			assert.Equal(t, Code("4.04"), do(t, s, Request{Path: "/none"}).Code)
			x := do(t, s, Request{Path: "/long"})
			assert.Equal(t, strings.Repeat("0123456789", 640), string(x.Payload))
			assert.Equal(t, evidence.No, x.Truncated)
			x = do(t, s, Request{Method: PUT, Path: "/put", Payload: bytes.Repeat([]byte("w"), 3000)})
			assert.Equal(t, Code("2.04"), x.Code)
			assert.Len(t, x.Payload, 3000)
			l, err := s.List(t.Context())
			require.NoError(t, err)
			assert.Len(t, l.Links, 2)
			assert.Equal(t, 1, l.Outside)
			ping, err := s.Ping(t.Context())
			require.NoError(t, err)
			assert.True(t, ping.There())
			o, _, err := s.Observe(t.Context(), "/obs")
			require.NoError(t, err)
			require.NotNil(t, o)
			var got string
			for n, err := range o.All(t.Context(), 300*time.Millisecond) {
				require.NoError(t, err)
				got += string(n.Payload)
			}
			assert.Equal(t, "12", got)
		})
	}
}

// libcoap with a key leaves its plain side open, which is what a check of ours
// is about, and meets a wrong key by silence.
func TestAgainstLibCoAP(t *testing.T) {
	t.Parallel()
	plain, stream, secure := coaptest.LibCoAP(t, "-k", good.Password, "-h", "hint")
	bad := probe.Login{ID: "bad", User: "app", Password: "not the right one"}
	for _, tt := range []struct {
		door  Door
		login *probe.Login
		want  Outcome
	}{{plain, nil, Opened}, {stream, nil, Opened}, {secure, &good, Opened}, {secure, &bad, Silent}, {secure, nil, Refused}, {plain, &good, NotTried}} {
		t.Run(string(tt.door.Transport)+"_"+string(tt.want), func(t *testing.T) {
			t.Parallel()
			begun := time.Now()
			s, answer, err := Open(t.Context(), coaptest.New(t).Input, tt.door, Client{Login: tt.login})
			require.NoError(t, err)
			require.Equal(t, tt.want, answer.Outcome)
			if s == nil {
				return
			}
			defer s.Close()
			l, err := s.List(t.Context())
			require.NoError(t, err)
			assert.Equal(t, evidence.Yes, l.Parsed)
			assert.NotEmpty(t, l.Links)
			assert.Equal(t, Code("2.05"), do(t, s, Request{Path: "/"}).Code)
			x := do(t, s, Request{Path: "/async?1"})
			assert.Equal(t, Code("2.05"), x.Code)
			if tt.door.Datagrams() {
				assert.Equal(t, evidence.Yes, x.Separate)
			}
			o, _, err := s.Observe(t.Context(), "/time")
			require.NoError(t, err)
			require.NotNil(t, o)
			n, ok, err := o.Next(t.Context(), 3*time.Second)
			require.NoError(t, err)
			assert.True(t, ok)
			assert.Equal(t, Code("2.05"), n.Code)
			for range 3 { // it rejects no more than four messages a second
				ping, err := s.Ping(t.Context())
				require.NoError(t, err)
				assert.True(t, ping.There())
				assert.Equal(t, 1, ping.Tries)
			}
			a, err := s.Ask(t.Context(), Request{Path: "/"})
			require.NoError(t, err)
			assert.Equal(t, Code("2.05"), a.Exchange.Code)
			assert.Equal(t, a.Controls, a.Kept)
			if tt.door.Transport == DTLS { // also after the time of the handshake is over
				time.Sleep(Patience - time.Since(begun) + 100*time.Millisecond)
				assert.Equal(t, Code("2.05"), do(t, s, Request{Path: "/"}).Code)
			}
		})
	}
}
