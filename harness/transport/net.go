package transport

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/assay-iot/assay/harness/evidence"
)

// A Net is the Dialer of one unit for one run. It is safe for concurrent use.
type Net struct {
	cfg    Config
	scope  scope
	log    *log
	pacer  *pacer
	turns  turns
	health *health
	ours   *ours // TCP
	dials  *purse
	bytes  *purse
	end    time.Time // of the run, the zero time for none

	login sync.Mutex // between counting a log-in and trying it
}

var (
	_ Dialer  = (*Net)(nil)
	_ Knocker = (*Net)(nil)
)

// New returns a Net whose time begins now.
func New(cfg Config) *Net {
	if cfg.Limits.PerExchange <= 0 {
		cfg.Limits.PerExchange = DefaultExchange
	}
	if cfg.Name == nil {
		cfg.Name = Numbered(1)
	}
	n := &Net{
		cfg:   cfg,
		scope: scope(cfg.Scope),
		log:   &log{open: cfg.Transcript, seal: cfg.Seal, secrets: &secrets{}},
		pacer: newPacer(cfg.Limits.PerSecond),
		turns: newTurns(cfg.Limits.AtOnce),
		ours:  newOurs(),
		dials: newPurse("connections", int64(cfg.Limits.Connections)),
		bytes: newPurse("bytes", cfg.Limits.Bytes),
	}
	n.health = newHealth(n.pacer)
	if cfg.Limits.Time > 0 {
		n.end = time.Now().Add(cfg.Limits.Time)
	}
	return n
}

// Numbered returns names for transcripts, from first on.
func Numbered(first int64) func() evidence.Member {
	var next atomic.Int64
	next.Store(first - 1)
	return func() evidence.Member { return evidence.Member(fmt.Sprintf("transcript/%06d", next.Add(1))) }
}

// Dial connects to addr over TCP. The connection ends with ctx at the latest.
func (n *Net) Dial(ctx context.Context, addr netip.AddrPort) (Conn, error) {
	if err := n.scope.check(addr.Addr()); err != nil {
		return nil, err
	}
	if err := n.readyFor(ctx); err != nil {
		return nil, err
	}
	give, err := n.turn(ctx)
	if err != nil {
		return nil, err
	}
	c, err := n.dial(ctx, addr, give)
	if err != nil {
		give()
		return nil, err
	}
	return c, nil
}

// dial connects once a turn is there, which the connection gives back.
func (n *Net) dial(ctx context.Context, addr netip.AddrPort, give func()) (*conn, error) {
	if err := wait(ctx, n.pacer.slot(time.Now())); err != nil {
		return nil, err
	}
	if err := n.spend(); err != nil {
		return nil, err
	}
	begun := time.Now()
	limit := earlier(end(ctx, begun), n.end)
	tcp, err := connect(ctx, addr, limit)
	if err = n.noted(ctx, addr, tcp, time.Since(begun), err); err != nil {
		return nil, err
	}
	return n.wrap(ctx, tcp, limit, give)
}

// spend takes one connection from the budget, if there is time left too.
func (n *Net) spend() error {
	if !n.end.IsZero() && !time.Now().Before(n.end) {
		return fmt.Errorf("time: %w", ErrBudget)
	}
	_, err := n.dials.take(1)
	return err
}

// connect opens the connection, to be there before limit.
func connect(ctx context.Context, addr netip.AddrPort, limit time.Time) (net.Conn, error) {
	d := net.Dialer{Deadline: limit, LocalAddr: source(ctx), KeepAlive: -1} // a probe sends what it means to send
	return d.DialContext(ctx, "tcp", addr.String())
}

// noted keeps what an attempt says about the device and our own sockets.
func (n *Net) noted(ctx context.Context, addr netip.AddrPort, c net.Conn, took time.Duration, err error) error {
	if err == nil {
		local, remote := ends(c)
		if self(local, remote) {
			return errors.Join(ErrSelf, c.Close())
		}
		n.ours.add(local, remote)
	}
	act, ours := Did(ctx, err)
	if ours == nil && !expected(ctx) {
		n.health.saw(addr, act, took)
	}
	return n.attribute(ctx, err)
}

// attribute turns a time-out that the end of the run caused into our own error.
func (n *Net) attribute(ctx context.Context, err error) error {
	act, _ := Did(context.WithoutCancel(ctx), err)
	if act == Silent && !n.end.IsZero() && !time.Now().Before(n.end) {
		return fmt.Errorf("time: %w", ErrBudget)
	}
	return err
}

// ends returns the addresses of both ends of a connection.
func ends(c net.Conn) (local, remote netip.AddrPort) {
	l, _ := c.LocalAddr().(interface{ AddrPort() netip.AddrPort })
	r, _ := c.RemoteAddr().(interface{ AddrPort() netip.AddrPort })
	return l.AddrPort(), r.AddrPort()
}

// wrap makes a Conn that ends at limit or with ctx, and gives its turn back.
func (n *Net) wrap(ctx context.Context, tcp net.Conn, limit time.Time, give func()) (*conn, error) {
	c := n.scribed(tcp)
	c.in.late = isLate(ctx)
	c.purse, c.ctx, c.limit, c.runEnd = n.bytes, ctx, limit, n.end
	stop := context.AfterFunc(ctx, func() { _ = tcp.SetDeadline(past) }) // it may be closed already
	c.finish = func() {
		stop()
		give()
	}
	if err := tcp.SetDeadline(limit); err != nil {
		stop()
		return nil, errors.Join(err, tcp.Close())
	}
	return c, nil
}

// scribed makes a Conn whose bytes are written down.
func (n *Net) scribed(inner net.Conn) *conn {
	name := sync.OnceValue(n.cfg.Name)
	c := &conn{
		Conn: inner,
		in:   &scribe{log: n.log, name: name},
		out:  &scribe{log: n.log, name: func() evidence.Member { return name() + ".out" }},
	}
	c.left.Store(n.cfg.Limits.PerExchange)
	return c
}

// Inside is part of Dialer. What is read inside was paid for outside, and ends
// with it; the cap of one exchange holds for each of them.
func (n *Net) Inside(c net.Conn) Conn {
	inner := n.scribed(c)
	inner.in.late = Held(c)
	return inner
}

// Login is part of Dialer.
func (n *Net) Login(ctx context.Context, service, account string) error {
	n.login.Lock()
	defer n.login.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if n.cfg.Ledger == nil {
		return fmt.Errorf("log-in to %q without a ledger: %w", service, ErrBudget)
	}
	tried, err := n.cfg.Ledger.Tried(service, account)
	if err != nil {
		return fmt.Errorf("log-ins to %q: %w", service, err)
	}
	if tried >= n.cfg.Limits.Logins {
		return fmt.Errorf("log-ins to %q: %d of %d tried: %w", service, tried, n.cfg.Limits.Logins, ErrBudget)
	}
	if err := n.cfg.Ledger.Try(service, account); err != nil {
		return fmt.Errorf("log-in to %q is not written down: %w", service, err)
	}
	return nil
}

// Hide is part of Dialer. Secrets shorter than 4 bytes are not looked for in
// what is received.
func (n *Net) Hide(class evidence.SecretClass, secret []byte) evidence.Secret {
	n.log.secrets.add(secret)
	return evidence.Hide(n.cfg.CompareKey, class, secret)
}

// Ours reports whether a connection with these ends, or a socket that sent
// datagrams between them, was one of the run's.
func (n *Net) Ours(local, remote netip.AddrPort) bool { return n.ours.has(local, remote) }

// Mask overwrites every secret of the run in b.
func (n *Net) Mask(b []byte) {
	var found [][]byte // all, before one that overlaps another is gone
	n.log.secrets.each(b, func(from, to int) { found = append(found, b[from:to]) })
	for _, secret := range found {
		stars(secret)
	}
}
