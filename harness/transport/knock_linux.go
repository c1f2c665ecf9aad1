package transport

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// maxPending bounds the attempts of one worker that wait for an answer,
	// which a firewall never gives. It keeps well under the usual limit on
	// open files.
	maxPending = 400
	// longestPoll is how late the end of ctx may be noticed.
	longestPoll = 50 * time.Millisecond
)

// Knock is part of Knocker. An attempt that has not been answered within four
// times what is usual gives up its turn and goes on waiting: what the device
// dropped is no connection, and a firewall would otherwise cost hours.
func (n *Net) Knock(ctx context.Context, addrs []netip.AddrPort, patience time.Duration, tell func(i int, err error)) {
	s := &share{addrs: addrs, tell: tell}
	width := n.cfg.Limits.AtOnce
	if width <= 0 {
		width = benchWidth
	}
	var workers sync.WaitGroup
	for range min(width, runtime.GOMAXPROCS(0)) {
		workers.Go(func() { (&knocker{net: n, ctx: ctx, patience: patience, share: s}).run() })
	}
	workers.Wait()
}

// A knocker is one worker of a Knock.
type knocker struct {
	net      *Net
	ctx      context.Context
	patience time.Duration
	share    *share

	epoll   int
	pending []*attempt // in the order of their beginning
	next    *attempt   // taken, and not begun
	// spare is a socket that was refused: it can be used again, which makes a
	// look at all ports of a device on this machine twice as fast. It belongs
	// to a family of addresses; -1 is none.
	spare, family int
}

// An attempt is one connection that may come about.
type attempt struct {
	place int // in the share
	addr  netip.AddrPort
	slot  time.Time // when the pace lets it begin, the zero time if not asked
	turn  bool      // whether it holds a turn
	fd    int
	kind  int // family of the address
	// watched says whether epoll has it.
	watched bool
	begun   time.Time
	over    bool
}

// run tries what the share holds until nothing is left.
func (k *knocker) run() {
	var err error
	if k.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		for i, ok := k.share.take(); ok; i, ok = k.share.take() {
			k.share.report(i, os.NewSyscallError("epoll_create1", err))
		}
		return
	}
	k.spare = -1
	defer func() {
		_ = unix.Close(k.epoll)
		k.drop()
	}()
	for k.fill() || len(k.pending) > 0 {
		k.collect()
	}
}

// fill begins as many attempts as it may, and reports whether more are left.
func (k *knocker) fill() bool {
	for len(k.pending) < maxPending {
		if k.next == nil {
			i, ok := k.share.take()
			if !ok {
				return false
			}
			k.next = &attempt{place: i, addr: k.share.addrs[i], fd: -1}
		}
		if may, err := k.admit(k.next); err != nil {
			k.finish(k.next, err)
		} else if !may {
			return true
		} else {
			k.begin(k.next)
		}
		k.next = nil
	}
	return true
}

// admit reports whether a may begin. It waits only if nothing is pending.
func (k *knocker) admit(a *attempt) (bool, error) {
	if err := k.net.scope.check(a.addr.Addr()); err != nil {
		return false, err
	}
	if k.ctx.Err() != nil {
		return false, waited(k.ctx)
	}
	if err := k.net.ready(k.ctx); err != nil {
		return false, err
	}
	idle := len(k.pending) == 0
	if !a.turn {
		if a.turn = k.net.turns.try(); !a.turn && !idle {
			return false, nil
		}
	}
	if !a.turn {
		if err := k.net.turns.take(k.ctx); err != nil {
			return false, err
		}
		a.turn = true
	}
	if a.slot.IsZero() {
		a.slot = k.net.pacer.slot(time.Now())
	}
	if !idle && time.Until(a.slot) > 0 {
		return false, nil
	}
	if err := wait(k.ctx, a.slot); err != nil {
		return false, err
	}
	return true, k.net.spend()
}

// begin sends the first packet.
func (k *knocker) begin(a *attempt) {
	family, to := sockaddr(a.addr)
	var err error
	if a.fd, err = k.socket(family); err != nil {
		k.finish(a, os.NewSyscallError("socket", err))
		return
	}
	a.kind, a.begun = family, time.Now()
	err = unix.Connect(a.fd, to)
	if local, nameErr := localEnd(a.fd); nameErr == nil && local.Port() != 0 {
		if self(local, a.addr) {
			err = ErrSelf
		}
		k.net.ours.add(local, a.addr)
	}
	if errors.Is(err, unix.EINPROGRESS) {
		err = unix.Connect(a.fd, to) // on loopback the answer is there by now
	}
	switch {
	case errors.Is(err, unix.EALREADY), errors.Is(err, unix.EINPROGRESS):
		k.await(a)
	case errors.Is(err, unix.EISCONN):
		k.finish(a, nil)
	default:
		k.finish(a, os.NewSyscallError("connect", err))
	}
}

// socket returns the spare one, or a new one.
func (k *knocker) socket(family int) (int, error) {
	if k.spare >= 0 && k.family == family {
		fd := k.spare
		k.spare = -1
		return fd, nil
	}
	return unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
}

// drop closes the spare socket.
func (k *knocker) drop() {
	if k.spare >= 0 {
		_ = unix.Close(k.spare) // it was refused: there is nothing to lose
		k.spare = -1
	}
}

// keep makes the socket of a the spare one if it was refused at once. One that
// epoll watches is not kept.
func (k *knocker) keep(a *attempt, err error) bool {
	if k.spare >= 0 || a.watched || !errors.Is(err, unix.ECONNREFUSED) {
		return false
	}
	k.spare, k.family = a.fd, a.kind
	return true
}

// await leaves a to epoll.
func (k *knocker) await(a *attempt) {
	event := unix.EpollEvent{Events: unix.EPOLLOUT, Fd: int32(a.fd)} //nolint:gosec // a descriptor of the system
	if err := unix.EpollCtl(k.epoll, unix.EPOLL_CTL_ADD, a.fd, &event); err != nil {
		k.finish(a, os.NewSyscallError("epoll_ctl", err))
		return
	}
	a.watched = true
	k.pending = append(k.pending, a)
}

// collect waits for answers and ends what waited long enough.
func (k *knocker) collect() {
	if len(k.pending) == 0 {
		return
	}
	var events [64]unix.EpollEvent
	n, err := unix.EpollWait(k.epoll, events[:], int(k.pause()/time.Millisecond))
	if err != nil && !errors.Is(err, unix.EINTR) {
		k.abandon(os.NewSyscallError("epoll_wait", err))
	}
	for _, e := range events[:max(0, n)] {
		i := slices.IndexFunc(k.pending, func(a *attempt) bool { return !a.over && a.fd == int(e.Fd) })
		if i >= 0 {
			k.finish(k.pending[i], socketError(k.pending[i].fd))
		}
	}
	k.expire(time.Now())
	k.pending = slices.DeleteFunc(k.pending, func(a *attempt) bool { return a.over })
}

// pause returns how long nothing but an answer needs attention.
func (k *knocker) pause() time.Duration {
	first := k.pending[0]
	d := min(longestPoll, time.Until(first.begun.Add(k.patience)))
	for _, a := range k.pending {
		if a.turn {
			d = min(d, time.Until(a.begun.Add(k.net.health.grace())))
			break
		}
	}
	if k.next != nil && !k.next.slot.IsZero() {
		d = min(d, time.Until(k.next.slot))
	}
	return max(time.Millisecond, d.Round(time.Millisecond))
}

// expire ends attempts that were not answered and takes turns away from those
// that are late.
func (k *knocker) expire(now time.Time) {
	if k.ctx.Err() != nil {
		k.abandon(waited(k.ctx))
		return
	}
	grace := k.net.health.grace()
	for _, a := range k.pending {
		switch waiting := now.Sub(a.begun); {
		case a.over:
		case waiting >= k.patience:
			k.finish(a, os.ErrDeadlineExceeded)
		case waiting >= grace && a.turn:
			a.turn = false
			k.net.turns.give()
		}
	}
}

// abandon ends all attempts for a reason of our own.
func (k *knocker) abandon(err error) {
	for _, a := range k.pending {
		if !a.over {
			k.finish(a, err)
		}
	}
}

// finish hangs up, gives back what a holds and tells how it ended.
func (k *knocker) finish(a *attempt, err error) {
	a.over = true
	if a.fd >= 0 && !k.keep(a, err) {
		if closing := unix.Close(a.fd); err == nil && closing != nil {
			err = os.NewSyscallError("close", closing)
		}
	}
	if a.turn {
		k.net.turns.give()
	}
	if act, ours := Did(k.ctx, err); ours == nil && !errors.Is(err, ErrSelf) {
		k.net.health.saw(a.addr, act, time.Since(a.begun))
	}
	k.share.report(a.place, k.net.attribute(k.ctx, err))
}

// socketError returns the error that ended a connection, nil if it stands.
func socketError(fd int) error {
	code, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err != nil {
		return os.NewSyscallError("getsockopt", err)
	}
	if code != 0 {
		return os.NewSyscallError("connect", unix.Errno(code))
	}
	return nil
}
