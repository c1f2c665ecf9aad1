package capture

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
)

// A recorder writes frames, without secrets, and counts them.
type recorder struct {
	capture  probe.Capture
	device   []netip.Addr
	loopback bool
	member   evidence.Member
	file     probe.WriteCloser
	out      *pcapng
	kept     int64
	seen     Evidence
	failed   error // the first error of writing
	buf      []byte
}

func newRecorder(in probe.Input, loopback bool) (*recorder, error) {
	member, file, err := in.Capture.Create()
	if err != nil {
		return nil, fmt.Errorf("opening the capture of %q: %w", in.Capture.Interface(), err)
	}
	r := &recorder{capture: in.Capture, device: in.Target.Addrs, loopback: loopback, member: member, file: file}
	r.seen.Vantage = vantage(in.Capture, loopback)
	r.seen.Interface = Interface(in.Capture.Interface())
	r.seen.Started = time.Now().UTC()
	if r.out, err = newPcapng(file, in.Capture.Interface()); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return r, nil
}

// take writes one frame down. Of the run's own connections it keeps the headers
// alone: what they say is in the transcript.
func (r *recorder) take(f frame) {
	if r.failed != nil {
		return
	}
	if r.loopback && f.outgoing {
		r.seen.Doubled++
		return
	}
	keep := f.data
	if e, ok := dissect(f.data); ok {
		if slices.Contains(r.device, e.src.Addr()) {
			r.seen.FromDevice++
		}
		if r.capture.Ours(e.src, e.dst) || r.capture.Ours(e.dst, e.src) {
			r.seen.Own++
			keep = keep[:e.header]
		}
	}
	r.buf = append(r.buf[:0], keep...)
	r.capture.Mask(r.buf)
	if r.failed = r.out.write(f.at, r.buf, f.length); r.failed == nil {
		r.kept++
	}
}

// close completes the capture.
func (r *recorder) close() error {
	r.seen.Ended = time.Now().UTC()
	r.seen.Frames = frames(r.member, r.kept)
	err := r.out.finish(r.seen.Ended, r.kept, r.seen.Dropped)
	return errors.Join(err, r.file.Close())
}
