package dtlsserver

import (
	"context"
	"crypto/rand"
	"errors"
	"net/netip"
	"slices"
	"time"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/internal/dtlswire"
	"github.com/assay-iot/assay/harness/probes/internal/tlswire"
	"github.com/assay-iot/assay/harness/transport"
)

const (
	// mostCookies is how many requests for a cookie are answered on one socket.
	// A server needs one; a second one comes where its secret has just changed.
	mostCookies = 3
	// datagramMost is the most that one datagram can hold.
	datagramMost = 1 << 16
)

// An exchange is a hello on a fresh socket, with the cookies that it takes, and
// what came back.
type exchange struct {
	hello    dtlswire.Hello
	message  uint16 // number of the next hello
	seq      uint64 // of the next record
	cookies  int
	retry    evidence.Tri
	flight   dtlswire.Flight // that answers the latest hello
	choice   dtlswire.Choice
	chosen   bool
	broken   error // the first thing that was no DTLS
	outcome  Outcome
	alert    int
	first    Size
	span     evidence.Span
	conn     transport.Conn
	patience time.Duration
	resent   int // hellos that were sent once more
}

// shake sends hello and reads the flight that answers it. Its error is ours.
func shake(ctx context.Context, in probe.Input, addr netip.AddrPort, hello dtlswire.Hello, patience time.Duration) (*exchange, error) {
	x := &exchange{hello: hello, alert: -1, patience: patience}
	rand.Read(x.hello.Random[:]) // never fails; both hellos of an exchange have the same
	conn, err := in.Net.DialUDP(ctx, addr)
	if err != nil {
		x.outcome, err = refused(ctx, err)
		return x, err
	}
	x.conn = conn
	err = x.dialogue(ctx)
	if err == nil && x.chosen {
		err = x.leave(ctx)
	}
	x.span = conn.Span()
	return x, errors.Join(err, conn.Close())
}

// refused is the outcome of an error, or the error if it is ours.
func refused(ctx context.Context, err error) (Outcome, error) {
	act, err := transport.Did(ctx, err)
	switch {
	case err != nil:
		return NotTried, err
	case act == transport.Silent:
		return Silent, nil
	}
	return Closed, nil
}

// leave tells a server that chose something to wait for nothing more.
func (x *exchange) leave(ctx context.Context) error {
	_, err := x.conn.Write(dtlswire.Farewell(x.flight.Version, x.seq))
	if err == nil {
		return nil
	}
	_, err = transport.Did(ctx, err)
	return err // what the device does now is of no interest
}

// dialogue sends hellos until the outcome is known.
func (x *exchange) dialogue(ctx context.Context) error {
	for x.outcome == "" {
		if err := x.send(); err != nil {
			return x.ended(ctx, err)
		}
		if err := x.listen(); err != nil {
			return x.ended(ctx, err)
		}
	}
	return nil
}

// send sends the hello as it stands by now.
func (x *exchange) send() error {
	datagram := x.hello.Datagram(x.message, x.seq)
	x.seq++
	if x.seq == 1 {
		x.first.Sent = len(datagram)
	}
	_, err := x.conn.Write(datagram)
	return err
}

// listen reads until another hello is due or the outcome is known. Half way, the
// hello is sent once more: it or the answer may have been lost.
func (x *exchange) listen() error {
	x.flight = dtlswire.Flight{}
	begun := time.Now()
	if done, err := x.until(begun.Add(x.patience / 2)); done || err != nil {
		return err
	}
	x.resent++
	if err := x.send(); err != nil {
		return err
	}
	done, err := x.until(begun.Add(x.patience))
	if err == nil && !done {
		x.outcome = x.unanswered()
	}
	return err
}

// unanswered is the outcome when time is up.
func (x *exchange) unanswered() Outcome {
	switch {
	case x.chosen:
		return HalfFlight
	case x.broken != nil:
		return Malformed
	}
	return Silent
}

// until reads up to a deadline, which is absolute, and reports whether the answer
// was whole by then.
func (x *exchange) until(deadline time.Time) (bool, error) {
	if err := x.conn.SetReadDeadline(deadline); err != nil {
		return false, err
	}
	buffer := make([]byte, datagramMost)
	for {
		n, err := x.conn.Read(buffer)
		switch {
		case timedOut(err) && time.Now().Before(deadline):
			return false, err // the end of the run, or of its connection
		case timedOut(err):
			return false, nil
		case err != nil:
			return false, err
		}
		if x.take(buffer[:n]) {
			return true, nil
		}
	}
}

func timedOut(err error) bool {
	late, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](err)
	return ok && late.Timeout()
}

// ended gives an error its outcome, if it is the device's doing.
func (x *exchange) ended(ctx context.Context, err error) error {
	if errors.Is(err, transport.ErrTooMuch) {
		x.outcome = TooMuch
		return nil
	}
	x.outcome, err = refused(ctx, err)
	if err == nil && x.outcome == Silent {
		x.outcome = x.unanswered()
	}
	return err
}

// take takes one datagram and reports whether that ends the wait. What is no DTLS
// is passed over: the answer may come after it.
func (x *exchange) take(datagram []byte) bool {
	if x.seq == 1 {
		x.first.Received += len(datagram)
	}
	if err := x.flight.Add(datagram); err != nil {
		if errors.Is(err, dtlswire.ErrTooMuch) {
			x.outcome = TooMuch
			return true
		}
		if x.broken == nil {
			x.broken = err
		}
	}
	if x.alerted() {
		return true
	}
	for _, m := range x.flight.Messages() {
		if x.read(m) {
			return true
		}
	}
	return false
}

// alerted reports whether the server gave up.
func (x *exchange) alerted() bool {
	for _, a := range x.flight.Alerts {
		if a.Fatal() {
			x.outcome, x.alert = Alerted, int(a.Description)
			return true
		}
	}
	return false
}

// read reads one message and reports whether it ends the wait.
func (x *exchange) read(m dtlswire.Message) bool {
	switch m.Type {
	case dtlswire.HelloVerifyRequest:
		return x.verify(m.Body)
	case dtlswire.ServerHello:
		return x.choose(m.Body)
	case dtlswire.ServerHelloDone:
		x.outcome = Accepted
		return true
	}
	return false
}

// verify answers a request for a cookie. A copy of the one that was answered is
// passed over.
func (x *exchange) verify(body []byte) bool {
	cookie, err := dtlswire.ParseHelloVerifyRequest(body)
	switch {
	case err != nil:
		x.broken = err
		return false
	case x.cookies > 0 && string(cookie) == string(x.hello.Cookie):
		x.flight.Forget(dtlswire.HelloVerifyRequest)
		return false
	case x.cookies == mostCookies:
		x.outcome = CookieLoop
		return true
	}
	x.cookies++
	x.hello.Cookie = cookie
	x.message++
	return true
}

// choose reads what the server chose. In 1.3 all after it is sealed, and a retry
// request is answered once.
func (x *exchange) choose(body []byte) bool {
	if x.chosen && x.retry != evidence.Yes {
		return false // read already
	}
	c, err := dtlswire.ParseServerHello(body)
	if err != nil {
		x.broken, x.outcome = err, Malformed
		return true
	}
	x.choice, x.chosen = c, true
	switch {
	case c.Version > x.version() && c.Version == dtlswire.V10:
		x.outcome = Older // newer versions have smaller numbers
	case !x.offered(c):
		x.outcome = NotOffered
	case c.Retry && x.retry != evidence.Yes:
		return x.again(c)
	case c.Retry:
		return false // a copy
	case len(x.hello.Types) > 0 && !slices.Contains(x.hello.Types, c.Type):
		x.outcome = OtherType
	case c.Version == dtlswire.V13:
		x.outcome = Accepted
	}
	return x.outcome != ""
}

// offered reports whether the hello offered what was chosen.
func (x *exchange) offered(c dtlswire.Choice) bool {
	return c.Version == x.version() && slices.Contains(x.hello.Suites, c.Suite)
}

// version is the one that the hello offers.
func (x *exchange) version() dtlswire.Version {
	if len(x.hello.Versions) > 0 {
		return x.hello.Versions[0]
	}
	return x.hello.Version
}

// again answers a retry request with its cookie and the share that it wants.
func (x *exchange) again(c dtlswire.Choice) bool {
	x.retry = evidence.Yes
	x.message++
	x.hello.RetryCookie = c.Cookie
	if c.Cookie != nil {
		x.cookies++
	}
	if c.Group != 0 {
		share, err := tlswire.NewShare(c.Group)
		if err != nil { // it asks for what was not offered
			x.outcome = NotOffered
			return true
		}
		x.hello.Shares = []tlswire.Share{share}
	}
	return true
}
