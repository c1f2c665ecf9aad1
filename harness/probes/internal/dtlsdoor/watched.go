package dtlsdoor

import (
	"context"
	"errors"
	"sync"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/internal/dtlswire"
	"github.com/assay-iot/assay/harness/transport"
)

// watched keeps what the library mixes with complaints of its own: the alerts that
// came in clear, and the error of the socket itself.
type watched struct {
	transport.Conn

	mu     sync.Mutex // the library reads and writes at the same time
	failed error
	alert  int
	met    bool
}

// Read looks at what comes.
func (w *watched) Read(b []byte) (int, error) {
	n, err := w.Conn.Read(b)
	w.saw(b[:n], err)
	return n, err
}

// Write keeps the error.
func (w *watched) Write(b []byte) (int, error) {
	n, err := w.Conn.Write(b)
	w.saw(nil, err)
	return n, err
}

func (w *watched) saw(datagram []byte, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.met = w.met || len(datagram) > 0
	if err != nil && w.failed == nil && !late(err) {
		w.failed = err // the library sets deadlines to wake itself up
	}
	var f dtlswire.Flight
	_ = f.Add(datagram) // what is no DTLS holds no alert
	for _, a := range f.Alerts {
		if a.Fatal() && w.alert < 0 {
			w.alert = int(a.Description)
		}
	}
}

func late(err error) bool {
	t, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](err)
	return ok && t.Timeout()
}

// answer tells how a handshake ended that was not completed.
func (w *watched) answer(ctx context.Context, failure error) (Answer, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	a := Answer{Alert: w.alert, Met: evidence.No, Span: w.Span()}
	if w.met {
		a.Met = evidence.Yes
	}
	if ctx.Err() != nil {
		return Untried(), ctx.Err()
	}
	if w.alert >= 0 || alerted(failure) {
		a.Outcome = Refused
		return a, nil
	}
	if w.failed != nil {
		act, err := transport.Did(ctx, w.failed)
		if err != nil {
			return Untried(), err
		}
		if act != transport.Silent {
			a.Outcome = Closed
			return a, nil
		}
	}
	a.Outcome = Strange
	if late(failure) || errors.Is(failure, context.DeadlineExceeded) {
		a.Outcome = Silent
	}
	return a, nil
}

// alerted reports whether the library ended for an alert of the device, in clear
// or not.
func alerted(err error) bool {
	a, ok := errors.AsType[interface {
		error
		IsFatalOrCloseNotify() bool
	}](err)
	return ok && a.IsFatalOrCloseNotify()
}
