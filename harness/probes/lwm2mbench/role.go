package lwm2mbench

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/transport"
)

// A role is one server that is being played.
type role struct {
	probe.Role
	in     probe.Input
	ctx    context.Context
	desk   *desk
	look   looker
	login  *probe.Login
	l      transport.Listener // nil if the address is not ours to listen at
	begun  time.Time
	served sync.WaitGroup

	mu     sync.Mutex
	e      Role
	failed error // of ours, that ended a part of it
}

// play begins to listen.
func play(ctx context.Context, in probe.Input, declared probe.Role) (*role, error) {
	r := &role{Role: declared, in: in, ctx: ctx, desk: newDesk(), login: loginOf(in, declared), begun: time.Now()}
	r.e = Role{Name: Name(r.Name), Declared: Name(r.URI), Addr: r.Addr, Listened: evidence.No}
	l, err := in.Bench.ListenUDP(ctx, r.Addr, mostPeers, lanes)
	if err != nil {
		return r, err
	}
	var key []byte
	if r.login != nil {
		key = []byte(r.login.Password)
	}
	r.look = newLooker(in.Net.Hide, key)
	r.l, r.e.Listened, r.e.Addr = l, evidence.Yes, l.Addr()
	r.served.Go(r.accept)
	return r, nil
}

// accept serves each dialogue on its own.
func (r *role) accept() {
	for {
		c, err := r.l.Accept()
		if err != nil {
			r.fail(err)
			return
		}
		i, err := r.begin(c) // here, because goroutines keep no order
		if err != nil {
			r.fail(errors.Join(err, c.Close()))
			continue
		}
		r.served.Go(func() { r.fail(r.serve(c, i)) })
	}
}

// fail keeps the first error that is ours. That the listening ended is none.
func (r *role) fail(err error) {
	if err == nil || errors.Is(err, net.ErrClosed) || errors.Is(err, context.Canceled) {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.failed == nil {
		r.failed = err
	}
}

// serve holds one dialogue.
func (r *role) serve(c transport.Conn, i int) error {
	first := make([]byte, largestDatagram)
	n, err := c.Read(first)
	if err != nil {
		return errors.Join(r.ours(err), c.Close())
	}
	if lanes(first[:n]) == 0 {
		d := &dialogue{desk: r.desk, look: r.look, note: r.noteAt(i)}
		r.noteAt(i)(func(e *Dialogue) { e.Channel = Clear })
		err = r.ours(d.serve(c, first[:n]))
		r.noteAt(i)(func(e *Dialogue) { e.Span = c.Span() })
		return errors.Join(err, c.Close())
	}
	return r.inside(c, i, first[:n])
}

// inside holds a dialogue in DTLS.
func (r *role) inside(c transport.Conn, i int, first []byte) error {
	k, line := &keeper{login: r.login}, &replayed{Conn: c, first: first}
	session, h, err := k.open(r.ctx, line)
	r.noteAt(i)(func(e *Dialogue) { e.Channel, e.Handshake, e.Below = DTLS, h, c.Span() })
	if session == nil {
		return errors.Join(r.ours(errors.Join(err, line.failure())), c.Close())
	}
	plain := r.in.Net.Inside(session)
	d := &dialogue{desk: r.desk, note: r.noteAt(i)}
	_ = d.serve(plain, nil) // that the session ended; what the socket said counts
	r.noteAt(i)(func(e *Dialogue) { e.Span, e.Below = plain.Span(), c.Span() })
	return errors.Join(r.ours(line.failure()), plain.Close(), c.Close())
}

// begin notes that a dialogue began.
func (r *role) begin(c transport.Conn) (int, error) {
	peer, err := netip.ParseAddrPort(c.RemoteAddr().String())
	if err != nil {
		return 0, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.e.Dialogues = append(r.e.Dialogues, Dialogue{Peer: peer, Began: time.Since(r.begun)})
	return len(r.e.Dialogues) - 1, nil
}

// noteAt changes what is recorded of a dialogue.
func (r *role) noteAt(i int) func(func(*Dialogue)) {
	return func(change func(*Dialogue)) {
		r.mu.Lock()
		defer r.mu.Unlock()
		change(&r.e.Dialogues[i])
	}
}

// ours is the part of an error in which the device has none: a budget that is
// spent, a transcript that cannot be written.
func (r *role) ours(err error) error {
	if r.ctx.Err() != nil {
		return nil
	}
	_, err = transport.Did(r.ctx, err)
	return err
}

// stop lets nothing more come.
func (r *role) stop() {
	if r.l == nil {
		return
	}
	r.fail(r.l.Close())
	r.mu.Lock()
	defer r.mu.Unlock()
	r.e.Strangers, r.e.Missed = r.l.Heard()
	r.e.Lasted = time.Since(r.begun)
}

// finish waits for the dialogues, which the end of listening ends.
func (r *role) finish() Role {
	r.served.Wait()
	return r.e
}
