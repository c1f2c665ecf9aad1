package coapread

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/assay-iot/assay/harness/probes/internal/coapdoor"
	"github.com/assay-iot/assay/harness/probes/internal/coapguest"
	"github.com/assay-iot/assay/harness/probes/internal/secretpattern"
)

const (
	maxPayload = 256 // bytes of a payload that are kept
	// maxBrought bounds what one session brings, in bytes of payload: it is held
	// in memory, and capped by the transport.
	maxBrought = 256 << 10
	// stay bounds a session of a round.
	stay = roundLimit + lastExchange
)

// guest is one reader at one door.
type guest struct {
	Visit
	guest *coapguest.Guest

	session *coapdoor.Session
	entries int  // in this round
	brought int  // bytes of payload in this session
	mute    bool // nothing is answered any more, or was so far in this round
	done    bool // there is no use in more rounds
	lost    bool // we could not go on, which says nothing about the device
}

func newGuest(who *coapguest.Guest) *guest {
	g := &guest{Visit: Visit{Door: who.Door, Reader: Stranger, Credential: who.Credential()}, guest: who}
	if who.Account != nil {
		g.Reader = Holder
	}
	return g
}

func (g *guest) name() string { return fmt.Sprintf("%s as %s", g.Door.Endpoint().Name, g.Reader) }

// enter knocks at the door.
func (g *guest) enter(ctx context.Context, stay time.Duration) (answer Answer, err error) {
	if g.entries++; g.entries > maxEntries {
		return Answer{}, fmt.Errorf("more than %d connections", maxEntries)
	}
	g.session, answer, err = g.guest.Open(ctx, stay)
	return answer, err
}

func (g *guest) hangUp() {
	if g.session != nil {
		g.session.Close()
	}
	g.session, g.brought = nil, 0
}

func (g *guest) leave() {
	g.hangUp()
	g.entries = 0
}

// begin begins a round.
func (g *guest) begin(ctx context.Context) error {
	entry, err := g.enter(ctx, stay)
	if err != nil {
		return err
	}
	round := blank(entry)
	if g.session != nil {
		if round.Before, err = g.session.Ping(ctx); err != nil {
			return err
		}
		g.mute = round.Before.Outcome == coapdoor.Silent
	}
	g.Rounds = append(g.Rounds, round)
	return nil
}

// blank is a round in which nothing was asked yet.
func blank(entry Answer) Round {
	return Round{Entry: entry, Before: coapguest.Untried(coapdoor.Ping), After: coapguest.Untried(coapdoor.Ping)}
}

// end sends the last control, unless nothing is answered any more.
func (g *guest) end(ctx context.Context) (err error) {
	round := g.round()
	heard := func(r Read) bool { return r.Get.Exchange.Outcome != coapdoor.Silent }
	g.done = g.mute && !slices.ContainsFunc(round.Reads, heard)
	if round.Entry.Outcome != coapdoor.Opened || g.mute {
		return nil
	}
	round.After, err = g.do(ctx, coapdoor.Ping, "", func(s *coapdoor.Session) (Exchange, error) { return s.Ping(ctx) })
	return err
}

func (g *guest) round() *Round { return &g.Rounds[len(g.Rounds)-1] }

// list reads the listing before all else.
func (g *guest) list(ctx context.Context, f *found) error {
	g.Listing = Listing{Exchange: coapguest.Untried(coapdoor.GET)}
	entry, err := g.enter(ctx, stay)
	if g.done = err == nil && useless(g.Reader, entry.Outcome); g.done {
		g.Rounds = []Round{blank(entry)}
	}
	if err != nil || g.session == nil {
		return err
	}
	defer g.leave()
	var l coapdoor.Listing
	_, err = patiently(ctx, func(ctx context.Context) (x Exchange, err error) {
		l, err = g.session.List(ctx)
		return l.Exchange, err
	})
	if err != nil {
		return err
	}
	g.guest.Conceal(Core, l.Exchange.Payload)
	l.Exchange.Payload = nil
	g.Listing = Listing{l.Exchange, l.Parsed, len(l.Links), l.Outside, l.LwM2M}
	for _, link := range l.Links {
		f.add(link)
	}
	return nil
}

// useless reports whether nothing more is to be learned at a door: a reader was
// met with silence, or a log-in was turned away. To see that again shows
// nothing, and costs the whole wait for a handshake.
func useless(who Reader, entry coapdoor.Outcome) bool {
	return entry == coapdoor.Silent || who == Holder && entry != coapdoor.Opened
}

// patiently makes an exchange that ends in time. Who sends one block a minute
// has answered, and we have read what we want of it.
func patiently(ctx context.Context, exchange func(context.Context) (Exchange, error)) (Exchange, error) {
	short, cancel := context.WithTimeout(ctx, lastExchange)
	defer cancel()
	x, err := exchange(short)
	if err != nil && ctx.Err() == nil && short.Err() != nil && x.Outcome == coapdoor.Answered {
		return x, nil
	}
	return x, err
}

// read asks for one resource.
func (g *guest) read(ctx context.Context, path string) error {
	if g.round().Entry.Outcome != coapdoor.Opened {
		return nil
	}
	r := Read{Non: Asked{Exchange: coapguest.Untried(coapdoor.GET)}}
	var err error
	if r.Get, err = g.ask(ctx, coapdoor.Request{Path: path, First: path == Core}, false); err != nil {
		return err
	}
	g.look(path, &r)
	if g.Door.Transport == coapdoor.UDP {
		if r.Non, err = g.ask(ctx, coapdoor.Request{Path: path, Non: true, First: true}, r.Get.Exchange.Outcome == coapdoor.Silent); err != nil {
			return err
		}
		g.guest.Conceal(path, r.Non.Exchange.Payload)
		r.Non.Exchange.Payload = nil
	}
	round := g.round()
	round.Reads = append(round.Reads, r)
	return nil
}

// ask asks for a resource. Where a datagram brings nothing at all, it is asked
// for again between controls, unless nobody has answered anything: there is no
// control then. Who knows already that it brings nothing asks so at once.
func (g *guest) ask(ctx context.Context, r coapdoor.Request, unheard bool) (asked Asked, err error) {
	asked.Times, r.Once = 1, g.mute && r.Path != Core
	asked.Exchange, err = g.do(ctx, coapdoor.GET, r.Path, func(s *coapdoor.Session) (Exchange, error) {
		mute := g.mute
		if !unheard || mute {
			x, err := patiently(ctx, func(ctx context.Context) (Exchange, error) { return s.Do(ctx, r) })
			nothing := x.Outcome == coapdoor.Silent && x.Response == 0
			if g.mute = mute && nothing; err != nil || !nothing || mute || !g.Door.Datagrams() {
				return x, err
			}
		}
		asked, err = s.Ask(ctx, r)
		g.mute = asked.Kept == 0
		return asked.Exchange, err
	})
	return asked, err
}

// do makes one exchange, at a door that is opened again if the server hung up.
func (g *guest) do(ctx context.Context, m coapdoor.Method, path string, exchange func(*coapdoor.Session) (Exchange, error)) (Exchange, error) {
	if g.brought > maxBrought {
		g.hangUp()
	}
	if g.session == nil {
		entry, err := g.enter(ctx, stay)
		if err != nil {
			return Exchange{}, err
		}
		if g.session == nil {
			return coapguest.Untaken(m, path, entry), nil
		}
	}
	x, err := exchange(g.session)
	g.brought += len(x.Payload)
	if err == nil && g.Door.Transport != coapdoor.UDP && gone(x.Outcome) {
		g.hangUp()
	}
	return x, err
}

// gone reports whether nothing more can be said on a connection.
func gone(o coapdoor.Outcome) bool {
	return o == coapdoor.Closed || o == coapdoor.Malformed || o == coapdoor.Reset
}

// look describes the payload of a reading, and keeps the beginning of it.
func (g *guest) look(path string, r *Read) {
	payload := r.Get.Exchange.Payload
	r.Length, r.Named = len(payload), len(secretpattern.Names(payload))
	var kept []byte
	kept, r.Secrets = g.guest.Conceal(path, payload)
	r.Get.Exchange.Payload = kept[:min(len(kept), maxPayload)]
}
