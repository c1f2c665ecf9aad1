package coaptest

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync"
	"time"

	"github.com/gorilla/websocket"
	"github.com/pion/dtls/v3"

	"github.com/assay-iot/assay/harness/probes/internal/coapdoor"
	w "github.com/assay-iot/assay/harness/probes/internal/coapwire"
)

// flight is after how long a part of the handshake is sent again: nothing gets
// lost on loopback, but the first tests of a run are slow.
const flight = 200 * time.Millisecond

// UDP opens the door in clear.
func (d *Device) UDP() coapdoor.Door {
	d.t.Helper()
	at := Datagrams(d.t, func(b []byte, send Send) {
		if m, ok := d.decoded(b); ok {
			d.hear(&peer{send: encoded(send), datag: true}, m)
		}
	})
	return coapdoor.Door{Addr: at, Transport: coapdoor.UDP}
}

// decoded reads a datagram that the device takes.
func (d *Device) decoded(b []byte) (w.Message, bool) {
	if d.rules.Ignore != nil && d.rules.Ignore(b) {
		return w.Message{}, false
	}
	m, err := w.Decode(b)
	return m, err == nil
}

// encoded sends a message as a datagram.
func encoded(send Send) func(w.Message) {
	return func(m w.Message) {
		if b, err := m.Encode(); err == nil {
			send(b)
		}
	}
}

// DTLS opens the door inside DTLS, for who has one of the keys, or without any
// for everybody, with a certificate.
func (d *Device) DTLS() coapdoor.Door {
	d.t.Helper()
	options := []dtls.ServerOption{dtls.WithFlightInterval(flight)}
	if len(d.rules.Keys) > 0 {
		options = append(options, dtls.WithPSK(func(identity []byte) ([]byte, error) {
			if key := d.rules.Keys[string(identity)]; key != "" {
				return []byte(key), nil
			}
			return nil, io.ErrUnexpectedEOF // it knows nobody of that name
		}), dtls.WithCipherSuites(dtls.TLS_PSK_WITH_AES_128_CCM_8))
	} else {
		options = append(options, dtls.WithCertificates(d.rules.TLS.Certificates...))
	}
	l, err := dtls.ListenWithOptions("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:0")), options...)
	if err != nil {
		d.t.Fatal(err)
	}
	d.accept(l, func(c net.Conn) {
		name := "" // of the key; a server of one key need not look
		for only := range d.rules.Keys {
			name = only
		}
		p := &peer{name: name, datag: true, send: encoded(func(b []byte) { _, _ = c.Write(b) })}
		b := make([]byte, 1<<16)
		for {
			n, err := c.Read(b)
			if err != nil {
				return
			}
			if m, ok := d.decoded(append([]byte{}, b[:n]...)); ok {
				d.hear(p, m)
			}
		}
	})
	return coapdoor.Door{Addr: addrOf(l.Addr()), Transport: coapdoor.DTLS}
}

// TCP opens the door over TCP, and TLS that inside it.
func (d *Device) TCP() coapdoor.Door { return d.stream(coapdoor.TCP) }

// TLS opens the door over TLS.
func (d *Device) TLS() coapdoor.Door { return d.stream(coapdoor.TLS) }

func (d *Device) stream(over coapdoor.Transport) coapdoor.Door {
	d.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		d.t.Fatal(err)
	}
	if over == coapdoor.TLS {
		l = tls.NewListener(l, d.rules.TLS)
	}
	d.accept(l, func(c net.Conn) {
		p := &peer{send: func(m w.Message) {
			if b, err := m.EncodeStream(); err == nil {
				_, _ = c.Write(b)
			}
		}}
		p.send(w.Message{Code: w.CSM, Options: []w.Option{w.Uint(w.MaxMessageSize, 1<<15)}})
		r := w.NewReader(c)
		for {
			m, _, err := r.Next()
			if err != nil {
				return
			}
			d.hear(p, m)
		}
	})
	return coapdoor.Door{Addr: addrOf(l.Addr()), Transport: over}
}

// accept serves connections until the test ends.
func (d *Device) accept(l net.Listener, serve func(net.Conn)) {
	var mu sync.Mutex
	var running sync.WaitGroup // of this door: each is closed by itself
	open, over := map[net.Conn]bool{}, false
	running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open[c] = true
			if over {
				_ = c.Close()
			}
			mu.Unlock()
			running.Go(func() {
				defer c.Close()
				serve(c)
				mu.Lock()
				defer mu.Unlock()
				delete(open, c)
			})
		}
	})
	d.t.Cleanup(func() {
		_ = l.Close()
		mu.Lock()
		over = true
		for c := range open {
			_ = c.Close()
		}
		mu.Unlock()
		running.Wait()
	})
}

// WS opens the door over WebSocket, and WSS that inside TLS.
func (d *Device) WS() coapdoor.Door { return d.web(coapdoor.WS) }

// WSS opens the door over WebSocket inside TLS.
func (d *Device) WSS() coapdoor.Door { return d.web(coapdoor.WSS) }

func (d *Device) web(over coapdoor.Transport) coapdoor.Door {
	d.t.Helper()
	upgrader := websocket.Upgrader{Subprotocols: []string{"coap"}}
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path != string(coapdoor.WellKnown) {
			http.NotFound(rw, r)
			return
		}
		c, err := upgrader.Upgrade(rw, r, nil)
		if err != nil {
			return
		}
		defer c.Close()
		d.serveWeb(c)
	}))
	if over == coapdoor.WSS {
		s.TLS = d.rules.TLS.Clone()
		s.StartTLS()
	} else {
		s.Start()
	}
	d.t.Cleanup(s.Close)
	return coapdoor.Door{Addr: addrOf(s.Listener.Addr()), Transport: over, Path: coapdoor.WellKnown}
}

func (d *Device) serveWeb(c *websocket.Conn) {
	p := &peer{send: func(m w.Message) {
		if b, err := m.EncodeWeb(); err == nil {
			_ = c.WriteMessage(websocket.BinaryMessage, b)
		}
	}}
	p.send(w.Message{Code: w.CSM})
	for {
		_, b, err := c.ReadMessage()
		if err != nil {
			return
		}
		if m, err := w.DecodeWeb(b); err == nil {
			d.hear(p, m)
		}
	}
}
