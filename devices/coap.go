package devices

import (
	"bytes"
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"time"

	dtlsserver "github.com/plgd-dev/go-coap/v3/dtls/server"
	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"
	"github.com/plgd-dev/go-coap/v3/message/pool"
	"github.com/plgd-dev/go-coap/v3/mux"
	coapnet "github.com/plgd-dev/go-coap/v3/net"
	"github.com/plgd-dev/go-coap/v3/net/blockwise"
	"github.com/plgd-dev/go-coap/v3/options"
	"github.com/plgd-dev/go-coap/v3/pkg/runner/periodic"
	tcpserver "github.com/plgd-dev/go-coap/v3/tcp/server"
	udpclient "github.com/plgd-dev/go-coap/v3/udp/client"

	"github.com/assay-iot/assay/harness/device"
)

const (
	coapBytes = 8 << 10         // of a request, all of its blocks
	coapBlock = 3 * time.Second // between two blocks
	coapIdle  = 2 * time.Minute // a session in which nothing comes ends
	coapTick  = 250 * time.Millisecond
)

// A coapDoor is a CoAP server behind one kind of port.
type coapDoor struct {
	*handover
	boot   *boot
	row    *device.CoAP
	secure bool // whoever is let in has authenticated
	stream bool // over TCP or TLS
	things *resources
	seen   *watchers
	serve  func() error
	stop   func()
	done   chan struct{}
}

func newCoAPDoor(b *boot, row *device.CoAP, things *resources, secure, stream bool) *coapDoor {
	d := &coapDoor{
		handover: newHandover(), boot: b, row: row, secure: secure, stream: stream, things: things,
		seen: newWatchers(things), done: make(chan struct{}),
	}
	quiet := options.WithErrors(func(error) {})
	handler := options.WithMux(mux.HandlerFunc(d.handle))
	tick := options.WithPeriodicRunner(periodic.New(d.closed, coapTick))
	blocks := options.WithBlockwise(true, blockwise.SZX1024, coapBlock)
	size := options.WithMaxMessageSize(coapBytes)
	if stream {
		s := tcpserver.New(quiet, handler, tick, blocks, size)
		d.serve, d.stop = func() error { return s.Serve(doorListener{d.handover}) }, s.Stop
		return d
	}
	s := dtlsserver.New(quiet, handler, tick, blocks, size,
		options.WithInactivityMonitor(coapIdle, func(c *udpclient.Conn) { _ = c.Close() }),
		options.WithRequestMonitor(func(c *udpclient.Conn, m *pool.Message) (bool, error) {
			if m.Type() == message.Reset {
				d.seen.dropAll(c)
			}
			return false, nil
		}))
	d.serve, d.stop = func() error { return s.Serve(doorListener{d.handover}) }, s.Stop
	return d
}

// doorListener ends a server of the library as that expects it.
type doorListener struct{ *handover }

// AcceptWithContext returns the next connection.
func (l doorListener) AcceptWithContext(context.Context) (net.Conn, error) {
	c, err := l.Accept()
	if err != nil {
		return nil, coapnet.ErrListenerIsClosed
	}
	return c, nil
}

func (d *coapDoor) begin() error {
	d.seen.begin()
	go func() {
		defer close(d.done)
		_ = d.serve() // ends when the door is closed only
	}()
	return nil
}

func (d *coapDoor) end() error {
	err := d.handover.Close()
	d.stop()
	<-d.done
	d.seen.end()
	return err
}

// speak serves one client.
func (d *coapDoor) speak(c net.Conn) {
	if c.SetDeadline(time.Time{}) != nil {
		return
	}
	if !d.stream {
		c = &coapWire{Conn: c, door: d}
	}
	d.handover.speak(c)
}

// A request is what a client asks for.
type request struct {
	code    codes.Code
	path    string
	body    string
	observe observation
	echo    []byte
}

// An observation is what a request says of notifications.
type observation int

const (
	noObservation observation = iota
	register
	deregister
)

// A reply is what the device answers.
type reply struct {
	code    codes.Code
	body    string
	watched bool // notifications will follow
	echo    []byte
	links   bool // body is a listing
}

func refused(code codes.Code) reply { return reply{code: code} }

// answer decides what a client gets.
func (d *coapDoor) answer(q request) reply {
	if q.path == listingPath {
		return d.list(q)
	}
	i := slices.IndexFunc(d.row.Resources, func(r device.CoAPResource) bool { return r.Path == q.path })
	if i < 0 {
		return refused(codes.NotFound)
	}
	r := d.row.Resources[i]
	switch q.code {
	case codes.GET:
		return d.get(q, r)
	case codes.PUT:
		return d.put(q, r)
	}
	return refused(codes.MethodNotAllowed)
}

func (d *coapDoor) list(q request) reply {
	if q.code != codes.GET {
		return refused(codes.MethodNotAllowed)
	}
	u := d.boot.unit
	if !d.secure && u.oddities.CoAPEcho && !d.boot.proven(q.echo) {
		return reply{code: codes.Unauthorized, echo: d.boot.echo()}
	}
	large := !d.secure && (u.oddities.CoAPEcho || u.faults.CoAPLargeListing)
	return reply{code: codes.Content, body: d.things.listing(d.row, large), links: true}
}

func (d *coapDoor) get(q request, r device.CoAPResource) reply {
	f := d.boot.unit.faults
	observes := q.observe == register && r.Observable == device.Yes
	watched := observes && (d.secure || f.CoAPObserveOpen)
	open := d.secure || r.Public == device.Yes || f.CoAPPlainSideDoor || f.LwM2MNoSecRead
	if !open && !watched {
		return refused(codes.Unauthorized)
	}
	body, ok := d.things.read(r.Path)
	if !ok {
		return refused(codes.NotFound)
	}
	return reply{code: codes.Content, body: body, watched: watched}
}

func (d *coapDoor) put(q request, r device.CoAPResource) reply {
	switch {
	case !d.secure && !d.boot.unit.faults.CoAPWriteOpen:
		return refused(codes.Unauthorized)
	case len(r.TestValues) == 0:
		return refused(codes.MethodNotAllowed)
	case !d.things.write(r.Path, strings.TrimSpace(q.body)):
		return refused(codes.BadRequest)
	}
	return reply{code: codes.Changed}
}

// echoOption is the option of RFC 9175.
const echoOption message.OptionID = 252

// understood are the options without which a request cannot be served, and
// which the device or the library knows.
var understood = []message.OptionID{
	message.IfMatch, message.URIHost, message.IfNoneMatch, message.URIPort, message.URIPath,
	message.URIQuery, message.Accept, message.Block1, message.Block2,
}

func (d *coapDoor) handle(w mux.ResponseWriter, r *mux.Message) {
	q, err := parseRequest(r)
	if err != nil {
		_ = w.SetResponse(codes.BadOption, message.TextPlain, nil)
		return
	}
	a := d.answer(q)
	if q.observe == deregister {
		d.seen.drop(w.Conn(), r.Token())
	}
	var opts message.Options
	if a.watched {
		d.seen.add(w.Conn(), r.Token(), q.path, a.body)
		opts = append(opts, message.Option{ID: message.Observe, Value: []byte{firstNotification}})
	}
	if a.echo != nil {
		opts = append(opts, message.Option{ID: echoOption, Value: a.echo})
	}
	format := message.TextPlain
	if a.links {
		format = message.AppLinkFormat
	}
	if a.body == "" {
		_ = w.SetResponse(a.code, format, nil, opts...)
		return
	}
	// Fails only if the client wants no response.
	_ = w.SetResponse(a.code, format, bytes.NewReader([]byte(a.body)), opts...)
}

var errOption = errors.New("an option that must be understood is not")

func parseRequest(r *mux.Message) (request, error) {
	for _, o := range r.Options() {
		if o.ID%2 == 1 && !slices.Contains(understood, o.ID) {
			return request{}, errOption
		}
	}
	q := request{code: r.Code()}
	if path, err := r.Path(); err == nil {
		q.path = "/" + strings.TrimPrefix(path, "/")
	}
	if body, err := r.ReadBody(); err == nil {
		q.body = string(body)
	}
	if n, err := r.Observe(); err == nil {
		q.observe = register + observation(min(n, 1))
	}
	q.echo, _ = r.GetOptionBytes(echoOption) // none is as good as a wrong one
	return q, nil
}
