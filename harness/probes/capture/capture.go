package capture

import (
	"context"
	"errors"
	"time"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/verdict"
)

// Probe captures the frames of the device's addresses.
var Probe = &probe.Probe[Evidence]{
	Name:    "capture",
	Version: 1,
	Doc:     "which frames the device sends and receives while the run lasts",
	Effect:  probe.Passive,
	Basis:   verdict.Tested,
	Bound:   func(probe.Target) probe.Bound { return probe.Bound{Time: stopping} },
	Watch:   watch,
}

// stopping bounds the end of a capture: what was received is written to disk.
const stopping = 30 * time.Second

// ErrNoCapture says that there is no right to capture, or nothing to do it on.
var ErrNoCapture = errors.New("capturing needs the capability CAP_NET_RAW and the name of a network interface")

// A frame is one that a source has seen. Its data is valid until the next one.
type frame struct {
	at       time.Time
	data     []byte
	length   int  // on the wire
	outgoing bool // this machine sent it
}

// A source delivers frames.
type source interface {
	// read waits for a moment and delivers the frames that came.
	read(take func(frame)) error
	// dropped returns how many frames the system lost so far.
	dropped() (int64, error)
	loopback() bool
	close() error
}

func watch(_ context.Context, in probe.Input) (func(context.Context) (Evidence, error), error) {
	if in.Capture == nil {
		return nil, ErrNoCapture
	}
	src, err := open(in.Capture.Interface(), in.Target.Addrs)
	if err != nil {
		return nil, err
	}
	return record(in, src)
}

// record writes what src delivers until the function that it returns is called.
func record(in probe.Input, src source) (func(context.Context) (Evidence, error), error) {
	r, err := newRecorder(in, src.loopback())
	if err != nil {
		return nil, errors.Join(err, src.close())
	}
	end, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- r.follow(src, end) }()
	return func(context.Context) (Evidence, error) {
		close(end)
		err := <-ended
		lost, lostErr := src.dropped()
		r.seen.Dropped = lost
		if err := errors.Join(err, lostErr, r.close(), src.close()); err != nil {
			return Evidence{}, err
		}
		return r.seen, nil
	}, nil
}

// follow reads until end is closed, and then once more what is left.
func (r *recorder) follow(src source, end <-chan struct{}) error {
	for {
		last := false
		select {
		case <-end:
			last = true
		default:
		}
		if err := src.read(r.take); err != nil {
			return err
		}
		if last || r.failed != nil {
			return r.failed
		}
	}
}

// vantage returns what the operator stated; loopback needs no statement.
func vantage(c probe.Capture, loopback bool) Vantage {
	if loopback {
		return Host
	}
	if p, ok := c.(Placed); ok {
		return p.Vantage()
	}
	return Unknown
}

// frames returns the frames that a recorder counted.
func frames(member evidence.Member, n int64) evidence.Frames {
	if n == 0 {
		return evidence.Frames{Member: member}
	}
	return evidence.Frames{Member: member, First: 1, Count: n}
}
