package devices

import (
	"crypto/hmac"
	"crypto/sha256"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/udp/coder"
)

// A coapWire looks at the datagrams of one client, below the library.
type coapWire struct {
	net.Conn
	door *coapDoor
	got  atomic.Int64
	sent atomic.Int64
}

// Read returns the next datagram that the library may see. What is no CoAP is
// dropped, as RFC 7252 section 4.2 allows.
func (w *coapWire) Read(b []byte) (int, error) {
	for {
		n, err := w.Conn.Read(b)
		if err != nil {
			return n, err
		}
		if w.got.Add(1)%3 == 0 && w.door.boot.unit.faults.CoAPLosesRequests {
			continue
		}
		m, ok := decode(b[:n])
		switch {
		case !ok:
			w.malformed(b[:n])
		case !w.resets(m):
			return n, nil
		}
	}
}

// malformed does what a faulty device does with a datagram that is not
// understood. Only one that begins as CoAP does gets that far.
func (w *coapWire) malformed(b []byte) {
	if len(b) > 0 && b[0]>>6 == 1 && w.door.boot.unit.faults.CoAPDiesOnMalformed {
		_ = w.door.boot.shut("coap") // a crash leaves no error either
	}
}

// decode reads a datagram as the library will, which lets pass a marker that no
// payload follows.
func decode(b []byte) (message.Message, bool) {
	m := message.Message{Options: make(message.Options, 0, maxOptions)}
	if _, err := coder.DefaultCoder.Decode(b, &m); err != nil {
		return m, false
	}
	size, err := coder.DefaultCoder.Size(m)
	return m, err != nil || size != len(b)-1 || b[size] != payloadMarker
}

const payloadMarker = 0xff

// maxOptions is how many options a request may have.
const maxOptions = 64

// resets answers a request for what is not there with a reset, if the device is
// odd that way, and says whether it did.
func (w *coapWire) resets(m message.Message) bool {
	if !w.door.boot.unit.oddities.CoAPResetsUnknown || m.Code < 1 || m.Code > 31 {
		return false
	}
	path, err := m.Options.Path()
	path = "/" + strings.TrimPrefix(path, "/")
	if err != nil || path == listingPath || w.door.knows(path) {
		return false
	}
	_, _ = w.Conn.Write([]byte{0x40 | byte(message.Reset)<<4, 0, byte(m.MessageID >> 8), byte(m.MessageID)})
	return true
}

func (d *coapDoor) knows(path string) bool {
	for _, r := range d.row.Resources {
		if r.Path == path {
			return true
		}
	}
	return false
}

// late is how long an answer of CoAPAnswersLate takes: longer than a client
// that repeats its request waits each time.
const late = 20 * time.Second

// Write sends a datagram, unless the device is disturbed.
func (w *coapWire) Write(b []byte) (int, error) {
	f := w.door.boot.unit.faults
	n := w.sent.Add(1)
	if f.CoAPWrongToken && n%3 == 0 && len(b) > 4 && b[0]&0x0f > 0 {
		b = append([]byte(nil), b...)
		b[4] ^= 0xff
	}
	if f.CoAPAnswersLate {
		kept := append([]byte(nil), b...)
		time.AfterFunc(late, func() { _, _ = w.Conn.Write(kept) }) // nobody may be there any more
		return len(b), nil
	}
	return w.Conn.Write(b)
}

// echo returns the value that proves who can read it, good for this boot.
func (b *boot) echo() []byte {
	mac := hmac.New(sha256.New, []byte(seed))
	mac.Write([]byte(b.unit.serial))
	mac.Write([]byte{byte(b.number)})
	return mac.Sum(nil)[:8]
}

func (b *boot) proven(echo []byte) bool { return hmac.Equal(echo, b.echo()) }
