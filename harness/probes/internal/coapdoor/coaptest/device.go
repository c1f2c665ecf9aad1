package coaptest

import (
	"cmp"
	"crypto/tls"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	w "github.com/assay-iot/assay/harness/probes/internal/coapwire"
)

// A Resource is one of a device.
type Resource struct {
	Path       string
	Payload    string
	Type       string // rt in the listing
	Format     int    // Content-Format; 0 is plain text
	Hidden     bool   // from the listing
	Observable bool
	Writable   bool
	// Refuse is what a client hears that has not shown a key, 0 if it may do
	// all that others may.
	Refuse w.Code
	// Separate says that the response comes after the acknowledgement.
	Separate bool
	// Echo says that a client has to show first that it receives what is sent
	// to its address.
	Echo bool
	// Silent says that nothing is answered, Reset that all is rejected.
	Silent, Reset bool
}

// Rules say what a device offers and who may have it.
type Rules struct {
	Resources []Resource
	Keys      map[string]string // of DTLS, by identity
	// Block is the exponent of the size of the blocks that it sends, 6 if it
	// is 0.
	Block uint8
	// First, if not nil, sees each request first and may answer it itself.
	First func(m w.Message) (answers []w.Message, done bool)
	// Ignore, if not nil, sees each datagram first, in clear or what was inside
	// DTLS, and says whether it is not even looked at.
	Ignore func(b []byte) bool
	// TLS is how it speaks TLS and WebSocket inside it, and DTLS with a
	// certificate instead of keys.
	TLS *tls.Config
}

// A Device is a running one. Its doors are opened one by one.
type Device struct {
	rules Rules
	t     testing.TB

	mu        sync.Mutex
	resources []Resource
	observers []*observer
	asked     []w.Message
	lastID    uint16
}

// A peer is a client of a device.
type peer struct {
	send  func(w.Message)
	name  string // of the key that it has shown
	datag bool
}

type observer struct {
	peer     *peer
	token    []byte
	path     string
	sequence uint32
	lastID   uint16
}

// NewDevice returns a device that ends with the test.
func NewDevice(t testing.TB, r Rules) *Device {
	t.Helper()
	return &Device{rules: r, t: t, resources: slices.Clone(r.Resources), lastID: 40_000}
}

// Asked returns the requests so far.
func (d *Device) Asked() []w.Message {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.asked)
}

// Observers returns how many observations are registered: what a probe must not
// leave behind.
func (d *Device) Observers() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.observers)
}

// Value returns the payload of a resource.
func (d *Device) Value(path string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if r := d.find(path); r != nil {
		return r.Payload
	}
	return ""
}

// Set changes the payload of a resource and tells who observes it.
func (d *Device) Set(path, payload string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if r := d.find(path); r != nil {
		r.Payload = payload
		d.notify(r)
	}
}

func (d *Device) find(path string) *Resource {
	path, _, _ = strings.Cut(path, "?")
	i := slices.IndexFunc(d.resources, func(r Resource) bool { return r.Path == path })
	if i < 0 {
		return nil
	}
	return &d.resources[i]
}

// notify sends each observer of r its payload.
func (d *Device) notify(r *Resource) {
	for _, o := range d.observers {
		if o.path != r.Path {
			continue
		}
		o.sequence++
		d.lastID++
		o.lastID = d.lastID
		m := d.content(r, w.Block{SZX: d.block()})
		m.Type, m.ID, m.Token = w.NonConfirmable, d.lastID, o.token
		m.Set(w.Uint(w.Observe, o.sequence))
		o.peer.send(m)
	}
}

func (d *Device) block() uint8 { return cmp.Or(d.rules.Block, 6) }

// content is the response with the block of a payload.
func (d *Device) content(r *Resource, b w.Block) w.Message {
	m := w.Message{Code: w.Content}
	if r.Format != 0 {
		m.Set(w.Uint(w.ContentFormat, uint32(r.Format)))
	}
	from := int(b.Num) * b.Size()
	if from > len(r.Payload) || from == len(r.Payload) && from > 0 {
		return w.Message{Code: w.BadRequest}
	}
	b.More = from+b.Size() < len(r.Payload)
	if m.Payload = []byte(r.Payload[from:min(from+b.Size(), len(r.Payload))]); b.More || b.Num > 0 {
		m.Set(b.Option(w.Block2))
	}
	return m
}

// listing is what /.well-known/core says.
func (d *Device) listing() *Resource {
	var links []w.Link
	for _, r := range d.resources {
		if r.Hidden {
			continue
		}
		l := w.Link{Target: (&url.URL{Path: r.Path}).EscapedPath()}
		if r.Type != "" {
			l.Attributes = append(l.Attributes, w.Attribute{Name: "rt", Value: r.Type})
		}
		if r.Format != 0 {
			l.Attributes = append(l.Attributes, w.Attribute{Name: "ct", Value: strconv.Itoa(r.Format)})
		}
		if r.Observable {
			l.Attributes = append(l.Attributes, w.Attribute{Name: "obs", Plain: true})
		}
		links = append(links, l)
	}
	return &Resource{Path: "/.well-known/core", Payload: w.FormatLinks(links), Format: 40}
}

// hear takes one message of a client.
func (d *Device) hear(p *peer, m w.Message) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case m.Code == w.Empty && m.Type == w.Confirmable && p.datag:
		p.send(w.Message{Type: w.Reset, ID: m.ID})
	case m.Type == w.Reset && p.datag:
		d.observers = slices.DeleteFunc(d.observers, func(o *observer) bool { return o.peer.name == p.name && o.lastID == m.ID })
	case m.Code == w.Ping:
		p.send(w.Message{Code: w.Pong, Token: m.Token})
	case m.Code.Request():
		d.asked = append(d.asked, m)
		for _, answer := range d.answer(p, m) {
			p.send(answer)
		}
	}
}

// answer returns all that is sent for a request.
func (d *Device) answer(p *peer, m w.Message) []w.Message {
	if d.rules.First != nil {
		if answers, done := d.rules.First(m); done {
			return answers
		}
	}
	r := d.find(m.Path())
	if m.Path() == "/.well-known/core" {
		r = d.listing()
	}
	switch {
	case r != nil && r.Silent:
		return nil
	case r != nil && r.Reset && p.datag:
		return []w.Message{{Type: w.Reset, ID: m.ID}}
	}
	response := d.respond(p, r, m)
	response.Token = m.Token
	response.Type, response.ID = w.Acknowledgement, m.ID
	if m.Type == w.NonConfirmable {
		d.lastID++
		response.Type, response.ID = w.NonConfirmable, d.lastID
	}
	if r != nil && r.Separate && p.datag && m.Type == w.Confirmable {
		d.lastID++
		response.Type, response.ID = w.Confirmable, d.lastID
		return []w.Message{{Type: w.Acknowledgement, ID: m.ID}, response}
	}
	return []w.Message{response}
}

// respond makes the response itself.
func (d *Device) respond(p *peer, r *Resource, m w.Message) w.Message {
	switch {
	case r == nil:
		return w.Message{Code: w.NotFound}
	case r.Echo && !m.Has(w.Echo):
		return w.Message{Code: w.Unauthorized, Options: []w.Option{w.Text(w.Echo, "echo me")}}
	case r.Refuse != 0 && p.name == "":
		return w.Message{Code: r.Refuse}
	case m.Code == w.PUT || m.Code == w.POST:
		return d.write(r, m)
	case m.Code != w.GET:
		return w.Message{Code: w.MethodNotAllowed}
	}
	b := w.Block{SZX: d.block()}
	if o, ok := m.Get(w.Block2); ok {
		asked, err := w.BlockOf(o)
		if err != nil || asked.SZX == w.BERT {
			return w.Message{Code: w.BadOption}
		}
		b = w.Block{Num: asked.Num, SZX: min(asked.SZX, b.SZX)}
	}
	response := d.content(r, b)
	d.observe(p, r, m, &response)
	return response
}

// write takes a payload, block by block.
func (d *Device) write(r *Resource, m w.Message) w.Message {
	if !r.Writable {
		return w.Message{Code: w.MethodNotAllowed}
	}
	o, ok := m.Get(w.Block1)
	if !ok {
		r.Payload = string(m.Payload)
		d.notify(r)
		return w.Message{Code: w.Changed}
	}
	b, err := w.BlockOf(o)
	if err != nil || int(b.Num)*b.Size() > len(r.Payload) {
		return w.Message{Code: w.Incomplete}
	}
	if b.SZX > d.block() {
		return w.Message{Code: w.EntityTooLarge, Options: []w.Option{w.Block{SZX: d.block()}.Option(w.Block1)}}
	}
	r.Payload = r.Payload[:int(b.Num)*b.Size()] + string(m.Payload)
	response := w.Message{Code: w.Continue, Options: []w.Option{o}}
	if !b.More {
		response.Code = w.Changed
		d.notify(r)
	}
	return response
}

// observe registers or cancels, as the request asks.
func (d *Device) observe(p *peer, r *Resource, m w.Message, response *w.Message) {
	wish, ok := m.Uint(w.Observe)
	if !ok || !r.Observable {
		return
	}
	d.observers = slices.DeleteFunc(d.observers, func(o *observer) bool { return slices.Equal(o.token, m.Token) })
	if wish == 0 {
		d.observers = append(d.observers, &observer{peer: p, token: m.Token, path: r.Path, sequence: 1})
		response.Set(w.Uint(w.Observe, 1))
	}
}

// addrOf parses an address of a listener.
func addrOf(a interface{ String() string }) netip.AddrPort {
	return netip.MustParseAddrPort(a.String())
}
