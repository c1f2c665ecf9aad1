package services

import (
	"context"
	"slices"
	"time"

	"github.com/assay-iot/assay/harness/probes/internal/tlsinside"
	"github.com/assay-iot/assay/harness/transport"
)

// A dialogue shows one protocol, or several in which the device speaks first.
type dialogue struct {
	hold      func(context.Context, transport.Dialer, *ear) said
	likely    []uint16 // ports on which it is tried first
	listens   bool     // it says nothing before the device does
	handshake bool     // it opens TLS itself
}

// said is what a dialogue showed.
type said struct {
	protocol Protocol
	weak     bool // another dialogue may show more of it
	shook    bool // a TLS handshake was completed
}

var nothing = said{protocol: Unidentified}

var (
	greeting = &dialogue{hold: greet, listens: true, likely: []uint16{21, 22, 23, 25, 2222, 2323}}
	secured  = &dialogue{hold: shake, handshake: true, likely: []uint16{443, 4433, 8443, 8883, 8884}}
	oldTLS   = &dialogue{hold: hello, handshake: true}
	mqtt3    = &dialogue{hold: mqtt311, likely: []uint16{1883, 1884, 8883, 8884}}
	mqtt5    = &dialogue{hold: mqttFive, likely: []uint16{1883, 1884, 8883, 8884}}
	web      = &dialogue{hold: http, likely: []uint16{80, 81, 443, 3000, 5000, 8000, 8008, 8080, 8081, 8443, 8888}}
)

// The orders in which dialogues are taken up where a port number hints at
// nothing: first what disturbs least.
var (
	outside = []*dialogue{greeting, secured, web, mqtt3, mqtt5, overTCP, oldTLS}
	inside  = []*dialogue{web, mqtt3, mqtt5, overTCP, greeting}
)

// likelyFirst returns ds with those first that are likely on a port.
func likelyFirst(port uint16, ds []*dialogue) []*dialogue {
	ds = slices.Clone(ds)
	slices.SortStableFunc(ds, func(a, b *dialogue) int { return b.hint(port) - a.hint(port) })
	return ds
}

func (d *dialogue) hint(port uint16) int {
	if slices.Contains(d.likely, port) {
		return 1
	}
	return 0
}

// maxAnswer bounds what is kept of an answer, and what is read of a greeting,
// in bytes.
const maxAnswer = 4 << 10

// An ear is a connection that keeps the beginning of what it hears, and the
// first error of the connection itself.
type ear struct {
	transport.Conn
	hears  func() // called for the first bytes, if not nil
	heard  []byte
	failed error
}

// Read keeps the beginning.
func (e *ear) Read(b []byte) (int, error) {
	n, err := e.Conn.Read(b)
	if n > 0 && e.hears != nil {
		e.hears()
		e.hears = nil
	}
	e.heard = append(e.heard, b[:min(n, maxAnswer-len(e.heard))]...)
	e.keep(err)
	return n, err
}

// Write keeps the error.
func (e *ear) Write(b []byte) (int, error) {
	n, err := e.Conn.Write(b)
	e.keep(err)
	return n, err
}

func (e *ear) keep(err error) {
	if err != nil && e.failed == nil {
		e.failed = err
	}
}

// listen reads until enough says so, the connection ends, or no more is kept.
func (e *ear) listen(enough func() bool) {
	b := make([]byte, 512)
	for !enough() && len(e.heard) < maxAnswer {
		if _, err := e.Read(b); err != nil {
			return
		}
	}
}

// settle is how long a device may take from the first byte of its greeting to
// the last: a log-in prompt follows its banner at once.
const settle = time.Second

// greet waits for the device to speak.
func greet(_ context.Context, _ transport.Dialer, e *ear) said {
	e.listen(func() bool { return len(e.heard) > 0 })
	if len(e.heard) == 0 || e.SetReadDeadline(time.Now().Add(settle)) != nil {
		return nothing
	}
	var banner sshBanner
	e.listen(func() bool {
		banner = readSSHBanner(e.heard)
		return banner.end > 0 || isTelnet(e.heard)
	})
	switch {
	case banner.end > 0:
		return e.ssh(banner)
	case isTelnet(e.heard):
		return said{protocol: Telnet}
	}
	return nothing
}

// ssh answers a banner: only what goes on with the key exchange is SSH.
func (e *ear) ssh(b sshBanner) said {
	if _, err := e.Write(b.reply()); err != nil || e.SetReadDeadline(time.Time{}) != nil {
		return nothing
	}
	e.listen(func() bool { return len(e.heard) >= b.end+sshStart })
	if b.goesOn(e.heard) {
		return said{protocol: SSH}
	}
	return nothing
}

// shake opens TLS. An alert is TLS too.
func shake(ctx context.Context, d transport.Dialer, e *ear) said {
	h, err := tlsinside.Open(ctx, d, e)
	switch {
	case err != nil:
		e.failed = err
		return nothing
	case h.Session != nil:
		_ = h.Session.Close() // the handshake is all that was wanted
		return said{protocol: OtherTLS, shook: true}
	case h.First != tlsinside.None:
		return said{protocol: OtherTLS}
	}
	return nothing
}

// hello asks with a ClientHello of old suites, and stops after the answer.
func hello(_ context.Context, _ transport.Dialer, e *ear) said {
	if _, err := e.Write(tlsinside.Hello()); err != nil {
		return nothing
	}
	e.listen(func() bool { return len(e.heard) >= 9 })
	if tlsinside.Classify(e.heard) == tlsinside.None {
		return nothing
	}
	return said{protocol: OtherTLS, weak: true}
}
