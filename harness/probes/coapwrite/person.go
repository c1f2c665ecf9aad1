package coapwrite

import (
	"context"
	"slices"

	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/coapread"
	"github.com/assay-iot/assay/harness/probes/internal/coapdoor"
	"github.com/assay-iot/assay/harness/probes/internal/coapguest"
	"github.com/assay-iot/assay/harness/probes/internal/coapwire"
)

// person is one who may read and write at one door.
type person struct {
	actor   Actor
	guest   *coapguest.Guest
	session *coapdoor.Session
	entry   coapdoor.Answer // of the session, or how the door turned the person away
}

// newPeople returns those who were answered when coap-read knocked, the holders
// first, then the strangers in the order of the doors.
func newPeople(in probe.Input, read coapread.Evidence) []*person {
	accounts := coapguest.New(in, read.Standing)
	var people []*person
	for _, v := range read.Visits {
		if !slices.ContainsFunc(v.Rounds, func(r coapread.Round) bool { return answeredAt(v.Reader, r.Entry.Outcome) }) {
			continue
		}
		p := &person{actor: Actor{v.Door, v.Reader, v.Credential}, guest: &coapguest.Guest{In: in, Door: v.Door}}
		if v.Reader == coapread.Holder {
			p.guest.Account = accounts.At(v.Door)
		}
		people = append(people, p)
	}
	slices.SortStableFunc(people, func(a, b *person) int { return rank(a) - rank(b) })
	for _, p := range people[min(1, len(people)):] {
		p.guest.Beside = true
	}
	return people
}

// answeredAt reports whether a reader may try again: who was let in, and a
// stranger who was turned away.
func answeredAt(who coapread.Reader, entry coapdoor.Outcome) bool {
	return entry == coapdoor.Opened || entry == coapdoor.Refused && who == coapread.Stranger
}

func rank(p *person) int {
	if p.actor.Reader == coapread.Holder {
		return 0
	}
	return 1
}

// reading is what a GET brought.
type reading struct {
	x       coapdoor.Exchange // without its payload
	payload []byte
	stars   []byte // the payload, secrets as stars
}

// get reads a resource.
func (p *person) get(ctx context.Context, path string) (reading, error) {
	x, _, err := p.send(ctx, coapdoor.GET, path, nil, -1)
	if err != nil {
		return reading{}, err
	}
	r := reading{x: x, payload: x.Payload}
	r.stars, _ = p.guest.Conceal(path, x.Payload)
	r.x.Payload = r.stars[:min(len(r.stars), maxKept)]
	return r, nil
}

// send makes one exchange, and says how the door took the person.
func (p *person) send(ctx context.Context, m coapdoor.Method, path string, payload []byte, format int) (coapdoor.Exchange, coapdoor.Answer, error) {
	if p.session == nil {
		var err error
		if p.session, p.entry, err = p.guest.Open(ctx, stay); err != nil {
			return coapdoor.Exchange{}, p.entry, err
		}
		if p.session == nil {
			return coapguest.Untaken(m, path, p.entry), p.entry, nil
		}
	}
	r := coapdoor.Request{Method: m, Path: path, Payload: payload}
	if format >= 0 && m != coapdoor.GET {
		r.Options = []coapwire.Option{coapwire.Uint(coapwire.ContentFormat, uint32(format))} //nolint:gosec // of 16 bits
	}
	x, err := p.session.Do(ctx, r)
	if p.guest.Door.Transport != coapdoor.UDP && x.Outcome != coapdoor.Answered {
		p.hangUp()
	}
	return x, p.entry, err
}

func (p *person) hangUp() {
	if p.session != nil {
		p.session.Close()
	}
	p.session = nil
}

func untried(m coapdoor.Method) coapdoor.Exchange { return coapguest.Untried(m) }
