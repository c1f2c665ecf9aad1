package tlsserver

import (
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/internal/tlswire"
	"github.com/assay-iot/assay/harness/probes/services"
	"github.com/assay-iot/assay/harness/transport"
)

const (
	// patience bounds one hello and its answer: a signature takes a small
	// device seconds.
	patience = 10 * time.Second
	// benchPatience: on a bench nothing stands between us and the device.
	benchPatience = 1500 * time.Millisecond
	// mostSilent is how many hellos in a row may stay without an answer: a
	// device that stopped answering is not asked three hundred times.
	mostSilent = 3
)

// errSilent ends the look at a listener that does not answer any more.
var errSilent = errors.New("the listener stopped answering")

// An asker sends hellos to one listener, each on a fresh connection.
type asker struct {
	in       probe.Input
	service  services.Service
	way      Way
	patience time.Duration
	refusal  time.Duration // how long a refusal after the handshake may take
	silent   int           // hellos in a row without an answer
	shares   []tlswire.Share
}

// An answer is what became of a hello, with what was read of the flight.
type answer struct {
	Try
	hello     tlswire.ServerHello
	chain     [][]byte
	served    int
	exchange  tlswire.KeyExchange
	requested bool
}

// ask sends a hello and reads its answer, and what follows it in clear text if
// all is wanted. An error says nothing about the device, but for errSilent.
func (a *asker) ask(ctx context.Context, h tlswire.Hello, all bool) (answer, error) {
	got := answer{Try: Try{Outcome: NotTried, Alert: -1}}
	c, act, err := a.open(ctx)
	if err != nil {
		return got, err
	}
	if c == nil {
		got.Outcome = act
		return got, a.count(act)
	}
	if _, err = c.Write(h.Record()); err != nil {
		got.Outcome, err = ending(ctx, err)
		if got.Outcome == Closed { // it never had the whole hello
			got.Outcome = Declined
		}
	} else {
		from := c.Span().Length
		err = got.read(ctx, c, h, all)
		got.Span = since(c.Span(), from)
	}
	if err = errors.Join(err, c.Close()); err != nil {
		return got, err
	}
	return got, a.count(got.Outcome)
}

// since is the stretch of a span that begins at an offset.
func since(s evidence.Span, from int64) evidence.Span {
	return evidence.Span{Member: s.Member, Offset: s.Offset + from, Length: s.Length - from}
}

// count watches for a listener that stopped answering.
func (a *asker) count(o Outcome) error {
	if o != Silent && o != Declined {
		a.silent = 0
		return nil
	}
	if a.silent++; a.silent >= mostSilent {
		return errSilent
	}
	return nil
}

// open returns a connection on which TLS may begin, or how it was declined.
func (a *asker) open(ctx context.Context) (transport.Conn, Outcome, error) {
	within := transport.Within(ctx, a.patience)
	c, err := a.in.Net.Dial(within, a.service.Addr)
	if err != nil {
		act, err := transport.Did(ctx, err)
		if act == transport.Silent {
			return nil, Silent, nil
		}
		return nil, Declined, err
	}
	begun, err := prelude(ctx, c, a.way)
	if err != nil || !begun {
		return nil, Declined, errors.Join(err, c.Close())
	}
	return c, "", nil
}

// ending says how the device ended an exchange with an error of its connection.
func ending(ctx context.Context, err error) (Outcome, error) {
	if errors.Is(err, transport.ErrTooMuch) {
		return Malformed, nil
	}
	act, err := transport.Did(ctx, err)
	switch act {
	case transport.Closed, transport.Refused:
		return Closed, nil
	case transport.Silent:
		return Silent, nil
	}
	return NotTried, err
}

// read reads the answer to a hello.
func (got *answer) read(ctx context.Context, c io.Reader, h tlswire.Hello, all bool) error {
	r := &counted{Reader: c}
	messages := tlswire.NewReader(r)
	m, err := messages.Next()
	if err != nil {
		got.Outcome, err = broken(ctx, err, r.n)
		return err
	}
	if m.Alert != nil {
		got.Outcome, got.Alert = Alerted, int(m.Alert.Description)
		return nil
	}
	if got.hello, err = tlswire.ParseServerHello(m.Body); err != nil || m.Type != tlswire.TypeServerHello {
		got.Outcome = Malformed
		return nil
	}
	got.chose(h)
	if got.Outcome == Accepted && all && got.Version < TLS13 {
		return got.flight(ctx, messages)
	}
	return nil
}

// counted counts what was read.
type counted struct {
	io.Reader
	n int
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.Reader.Read(b)
	c.n += n
	return n, err
}

// broken says what an error means before a ServerHello. To hang up in the
// middle of an answer is no refusal.
func broken(ctx context.Context, err error, n int) (Outcome, error) {
	if unreadable(err) {
		return Malformed, nil
	}
	o, err := ending(ctx, err)
	if o == Closed && n > 0 {
		return Malformed, err
	}
	return o, err
}

func unreadable(err error) bool {
	_, bad := errors.AsType[*tlswire.FormatError](err)
	return bad || errors.Is(err, tlswire.ErrTooMuch) || errors.Is(err, tlswire.ErrEncrypted)
}

// chose compares what a server chose with what it was offered.
func (got *answer) chose(h tlswire.Hello) {
	s := got.hello
	got.Version, got.Suite, got.Group, got.Retry = Code(s.Version), Code(s.Suite), Code(s.Group), tri(s.Retry)
	got.Outcome = Accepted
	if !offered(h, s) {
		got.Outcome = NotOffered
	}
}

func offered(h tlswire.Hello, s tlswire.ServerHello) bool {
	versions := append([]uint16{h.Version}, h.Older...)
	if !slices.Contains(versions, s.Version) || !slices.Contains(h.Suites, s.Suite) || s.Compression > 1 || s.Compression == 1 && !h.Deflate {
		return false
	}
	shared := slices.ContainsFunc(h.Shares, func(k tlswire.Share) bool { return k.Group == s.Group })
	switch {
	case s.Version < tlswire.TLS13:
		return !s.Retry
	case s.Retry:
		return s.Group == 0 || slices.Contains(h.Groups, s.Group) && !shared
	}
	return shared
}

// flight reads what follows a ServerHello of TLS 1.2 or older.
func (got *answer) flight(ctx context.Context, r *tlswire.Reader) error {
	got.Flight = evidence.No
	suite, _ := tlswire.Lookup(uint16(got.Suite))
	for {
		m, err := r.Next()
		switch {
		case err != nil:
			if !unreadable(err) {
				_, err = ending(ctx, err)
				return err
			}
			return nil
		case m.Alert != nil:
			got.Alert = int(m.Alert.Description)
			return nil
		case m.Type == tlswire.TypeServerHelloDone:
			got.Flight = tri(len(m.Body) == 0)
			return nil
		case !got.message(m, suite):
			return nil
		}
	}
}

// message takes in one message of a flight.
func (got *answer) message(m tlswire.Message, suite tlswire.Suite) bool {
	var err error
	switch m.Type {
	case tlswire.TypeCertificate:
		got.chain, got.served, err = tlswire.ParseCertificate(m.Body)
	case tlswire.TypeServerKeyExchange:
		if got.exchange, err = tlswire.ParseKeyExchange(m.Body, suite, got.hello.Version); err == nil {
			got.Group = Code(got.exchange.Group)
		}
	case tlswire.TypeCertificateRequest:
		_, err = tlswire.ParseCertificateRequest(m.Body, got.hello.Version)
		got.requested = err == nil
	}
	return err == nil
}
