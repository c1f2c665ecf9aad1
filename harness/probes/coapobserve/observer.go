package coapobserve

import (
	"context"
	"fmt"
	"time"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/internal/coapdoor"
	"github.com/assay-iot/assay/harness/probes/internal/coapguest"
)

// observer is one reader at one door.
type observer struct {
	Visit
	guest  *coapguest.Guest
	manner manner

	session *coapdoor.Session
	watches []watch // of this round
	err     error   // we could not go on, which says nothing about the device
}

// watch is one registration, with its place in the round.
type watch struct {
	*coapdoor.Observation
	place int
	begun time.Time
}

func (o *observer) name() string { return fmt.Sprintf("%s as %s", o.Door.Endpoint().Name, o.Reader) }

// register lets the reader in and registers for every resource.
func (o *observer) register(ctx context.Context, paths []string) error {
	s, entry, err := o.guest.Open(ctx, o.manner.longest())
	if err != nil {
		return err
	}
	o.session, o.watches = s, nil
	r := Round{Entry: entry}
	for i, path := range paths {
		w := Watched{Path: []byte(path), First: none, Registered: evidence.No,
			Register: coapguest.Untaken(coapdoor.GET, path, entry), Cancel: coapguest.Untried(coapdoor.GET)}
		if s != nil {
			observation, x, err := s.Observe(ctx, path)
			if err != nil {
				return err
			}
			o.guest.Conceal(path, x.Payload)
			x.Payload = nil
			if w.Register = x; observation != nil {
				w.Registered = evidence.Yes
				o.watches = append(o.watches, watch{observation, i, time.Now()})
			}
		}
		r.Resources = append(r.Resources, w)
	}
	o.Rounds = append(o.Rounds, r)
	return nil
}

// none stands where no notification came.
var none = coapdoor.Notification{Sequence: -1}

// await takes notifications until each registration has brought one, or until
// there has been enough time for it.
func (o *observer) await(ctx context.Context) error {
	resources := o.Rounds[len(o.Rounds)-1].Resources
	deadline, left := time.Now().Add(o.manner.wait), len(o.watches)
	for left > 0 && time.Now().Before(deadline) {
		for _, w := range o.watches {
			to := &resources[w.place]
			n, ok, err := w.Next(ctx, o.manner.tick)
			if err != nil {
				return err
			}
			if to.Notifications == 0 {
				to.Waited = time.Since(w.begun)
			}
			if !ok {
				continue
			}
			o.guest.Conceal(string(to.Path), n.Payload)
			if n.Payload = nil; to.Notifications == 0 {
				to.First = n
				left--
			}
			to.Notifications++
		}
	}
	return nil
}

// cancel gives every registration back.
func (o *observer) cancel(ctx context.Context) error {
	resources := o.Rounds[len(o.Rounds)-1].Resources
	for _, w := range o.watches {
		x, err := w.Cancel(ctx)
		if err != nil {
			return err
		}
		o.guest.Conceal(string(x.Path), x.Payload)
		x.Payload = nil
		resources[w.place].Cancel = x
	}
	return nil
}

// leave hangs up, which gives back what was not given back yet.
func (o *observer) leave() {
	if o.session != nil {
		o.session.Close()
	}
	o.session = nil
}
