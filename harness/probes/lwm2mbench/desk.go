package lwm2mbench

import (
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/assay-iot/assay/harness/probes/internal/coapwire"
)

// A desk answers requests as an LwM2M server does. It remembers who is
// registered, over all dialogues of a role.
type desk struct {
	mu      sync.Mutex
	made    int             // registrations so far
	live    map[string]bool // by the last part of the location
	forgets bool            // whether one update has been told that its registration is gone
}

func newDesk() *desk { return &desk{live: map[string]bool{}} }

// kindOf says what a request is for. A server may have a path before its own.
func kindOf(m coapwire.Message) Kind {
	path := segments(m)
	is := func(last ...string) bool {
		return len(path) >= len(last) && slices.Equal(path[len(path)-len(last):], last)
	}
	registered := len(path) >= 2 && path[len(path)-2] == "rd"
	switch {
	case m.Has(coapwire.OSCORE):
		return Protected
	case m.Code == coapwire.POST && is("bs"), m.Code == coapwire.GET && is("bspack"):
		return BootstrapRequest
	case m.Code == coapwire.POST && is("rd"):
		return Register
	case registered && (m.Code == coapwire.POST || m.Code == coapwire.PUT):
		return Update
	case registered && m.Code == coapwire.DELETE:
		return Deregister
	}
	return Other
}

func segments(m coapwire.Message) (path []string) {
	for _, o := range m.Options {
		if o.Number == coapwire.URIPath {
			path = append(path, string(o.Value))
		}
	}
	return path
}

// endpointName is the one that a request gives.
func endpointName(m coapwire.Message) []byte {
	for _, o := range m.Options {
		if name, ok := strings.CutPrefix(string(o.Value), "ep="); ok && o.Number == coapwire.URIQuery {
			return []byte(name)
		}
	}
	return nil
}

// answer is what a server says to a whole request, nothing to what it cannot
// open. It writes no object: so a bootstrap comes to nothing, and changes
// nothing.
func (d *desk) answer(kind Kind, m coapwire.Message) (code coapwire.Code, location []string, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	path := segments(m)
	switch kind {
	case Protected:
		return 0, nil, false
	case BootstrapRequest:
		if m.Code == coapwire.GET {
			return coapwire.NotFound, nil, true // no pack here; the device asks for a bootstrap then
		}
		return coapwire.Changed, nil, true
	case Register:
		d.made++
		id := strconv.Itoa(d.made)
		d.live[id] = true
		return coapwire.Created, []string{"rd", id}, true
	case Update:
		return d.update(path[len(path)-1]), nil, true
	case Deregister:
		id := path[len(path)-1]
		if !d.live[id] {
			return coapwire.NotFound, nil, true
		}
		delete(d.live, id)
		return coapwire.Deleted, nil, true
	}
	return coapwire.NotFound, nil, true
}

// update tells the first one that its registration is gone, as a server does that
// was restarted: then the device registers a second time, without being touched.
func (d *desk) update(id string) coapwire.Code {
	if !d.live[id] {
		return coapwire.NotFound
	}
	if d.made == 1 && !d.forgets {
		d.forgets = true
		delete(d.live, id)
		return coapwire.NotFound
	}
	return coapwire.Changed
}

// reply puts an answer into the message that belongs to a request.
func reply(to coapwire.Message, code coapwire.Code, location []string) coapwire.Message {
	r := coapwire.Message{Type: coapwire.Acknowledgement, Code: code, ID: to.ID, Token: to.Token}
	if to.Type == coapwire.NonConfirmable {
		r.Type = coapwire.NonConfirmable
	}
	for _, part := range location {
		r.Options = append(r.Options, coapwire.Text(coapwire.LocationPath, part))
	}
	if o, ok := to.Get(coapwire.Block1); ok {
		r.Options = append(r.Options, o)
	}
	r.Sort()
	return r
}
