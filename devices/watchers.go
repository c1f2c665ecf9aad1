package devices

import (
	"bytes"
	"sync"
	"time"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"
	"github.com/plgd-dev/go-coap/v3/mux"
)

const (
	// firstNotification numbers the response to a registration.
	firstNotification = 2
	// notifyEvery is how often a change is looked for.
	notifyEvery = 500 * time.Millisecond
	// maxWatchers caps the registrations of one server.
	maxWatchers = 64
)

// watchers are the clients that are told of changes.
type watchers struct {
	things *resources
	stop   chan struct{}
	done   chan struct{}

	mu  sync.Mutex
	all map[watch]*watched
}

// A watch is known by its connection and its token.
type watch struct {
	conn  mux.Conn
	token string
}

// watched is what a client has been told last.
type watched struct {
	path   string
	last   string
	number uint32
}

func newWatchers(things *resources) *watchers {
	return &watchers{things: things, stop: make(chan struct{}), done: make(chan struct{}), all: map[watch]*watched{}}
}

// add registers a client that was told the value. A client too many is answered
// and never told again.
func (w *watchers) add(c mux.Conn, token message.Token, path, value string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.all) < maxWatchers {
		w.all[watch{c, string(token)}] = &watched{path, value, firstNotification}
	}
}

func (w *watchers) drop(c mux.Conn, token message.Token) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.all, watch{c, string(token)})
}

// dropAll forgets all registrations of a client, which rejected a notification.
func (w *watchers) dropAll(c mux.Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for k := range w.all {
		if k.conn == c {
			delete(w.all, k)
		}
	}
}

func (w *watchers) begin() {
	go func() {
		defer close(w.done)
		tick := time.NewTicker(notifyEvery)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				w.tell()
			case <-w.stop:
				return
			}
		}
	}()
}

func (w *watchers) end() {
	close(w.stop)
	<-w.done
}

// tell sends each client what has changed for it.
func (w *watchers) tell() {
	for k, v := range w.changed() {
		if !notify(k, v) {
			w.drop(k.conn, message.Token(k.token))
		}
	}
}

// changed returns what is to be told, and takes it as told.
func (w *watchers) changed() map[watch]watched {
	w.mu.Lock()
	defer w.mu.Unlock()
	told := map[watch]watched{}
	for k, v := range w.all {
		if value, ok := w.things.read(v.path); ok && value != v.last {
			v.last = value
			v.number++
			told[k] = *v
		}
	}
	return told
}

// notify sends a notification that need not be acknowledged, and says whether
// the client is still there.
func notify(k watch, v watched) bool {
	select {
	case <-k.conn.Done():
		return false
	default:
	}
	m := k.conn.AcquireMessage(k.conn.Context())
	defer k.conn.ReleaseMessage(m)
	m.SetCode(codes.Content)
	m.SetType(message.NonConfirmable)
	m.SetToken(message.Token(k.token))
	m.SetObserve(v.number)
	m.SetContentFormat(message.TextPlain)
	m.SetBody(bytes.NewReader([]byte(v.last)))
	return k.conn.WriteMessage(m) == nil
}
