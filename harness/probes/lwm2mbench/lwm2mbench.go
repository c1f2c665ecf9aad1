package lwm2mbench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/transport"
	"github.com/assay-iot/assay/harness/verdict"
)

// Probe listens from before the first probe until after the last.
var Probe = &probe.Probe[Evidence]{
	Name:    "lwm2m-bench",
	Version: 1,
	Doc:     "how the device bootstraps and registers at the LwM2M servers that it was set to use",
	Effect:  probe.Active,
	Basis:   verdict.Tested,
	Bound:   bound,
	Watch:   watch,
}

const (
	// service is that of the log-ins that a device shows here.
	service = "lwm2m"
	// usualRetry is how long a client waits before it tries again, if the device
	// file does not say: the standard leaves it open, and half a minute is common.
	usualRetry = 30 * time.Second
	// retries is how many of these intervals a device is waited for that has not
	// come: it may just have tried when the waiting began.
	retries = 2
	// putAway is how long the dialogues may take to end.
	putAway = 5 * time.Second
	// pollEvery is how often is looked whether the device came.
	pollEvery = 20 * time.Millisecond
)

// patience is how long a device is waited for at a role.
func patience(r probe.Role) time.Duration {
	if r.Retry == 0 {
		return retries * usualRetry
	}
	return retries * r.Retry
}

func bound(t probe.Target) probe.Bound {
	b := probe.Bound{Time: putAway, Connections: mostPeers * len(t.Roles)}
	for _, r := range t.Roles {
		b.Time = max(b.Time, putAway+patience(r))
	}
	return b
}

var errNoBench = errors.New("there is nothing on which a device could connect to us")

// A watcher plays all roles of a device.
type watcher struct {
	roles   []*role
	missing []string // roles that cannot be played
	cause   error
	cancel  context.CancelFunc
}

func watch(ctx context.Context, in probe.Input) (func(context.Context) (Evidence, error), error) {
	if len(in.Target.Roles) > 0 && in.Bench == nil {
		return nil, errNoBench
	}
	// What is found in clear is masked, also where it came before it was found.
	playing, cancel := context.WithCancel(transport.Late(ctx))
	w := &watcher{cancel: cancel}
	for _, r := range in.Target.Roles {
		if r.Name != Bootstrap && r.Name != Server {
			continue
		}
		played, err := play(playing, in, r)
		if err != nil {
			w.missing, w.cause = append(w.missing, r.Name), err
		}
		w.roles = append(w.roles, played)
	}
	if len(w.roles) > 0 && len(w.missing) == len(w.roles) {
		cancel()
		return nil, w.cause
	}
	return func(end context.Context) (Evidence, error) { return w.stop(ctx, end) }, nil
}

// stop waits for a device that has not come yet, and ends the dialogues.
func (w *watcher) stop(run, end context.Context) (Evidence, error) {
	w.wait(run, end)
	var e Evidence
	for _, r := range w.roles {
		r.stop()
	}
	w.cancel()
	for _, r := range w.roles {
		e.Roles = append(e.Roles, r.finish())
		w.unheard(r)
	}
	if run.Err() != nil {
		w.missing, w.cause = append(w.missing, "the rest of the run"), run.Err()
	}
	if w.cause != nil {
		return e, &probe.Partial{Missing: w.missing, Cause: w.cause}
	}
	return e, nil
}

// unheard notes what of the device was not recorded.
func (w *watcher) unheard(r *role) {
	if r.failed != nil {
		w.missing, w.cause = append(w.missing, r.Name), fmt.Errorf("%s: %w", r.Name, r.failed)
	}
	if r.e.Missed > 0 {
		w.missing = append(w.missing, fmt.Sprintf("%d datagrams to %s", r.e.Missed, r.Name))
		w.cause = fmt.Errorf("%s: the device sent faster than it was heard, or from more than %d ports", r.Name, mostPeers)
	}
}

// wait returns once every role has seen enough, or for as long as a device may
// take to try again.
func (w *watcher) wait(run, end context.Context) {
	begun := time.Now()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	open := func(r *role) bool { return !r.enough() && time.Since(begun) < patience(r.Role) }
	for slices.ContainsFunc(w.roles, open) {
		select {
		case <-run.Done():
			return
		case <-end.Done():
			return
		case <-tick.C:
		}
	}
}

// loginOf is the log-in that the device file names for a role, nil if it names
// none.
func loginOf(in probe.Input, r probe.Role) *probe.Login {
	if in.Logins == nil || r.Credential == "" {
		return nil
	}
	all := in.Logins.For(service)
	i := slices.IndexFunc(all, func(l probe.Login) bool { return l.ID == r.Credential })
	if i < 0 {
		return nil
	}
	return &all[i]
}

// enough reports whether more would not change what is known of a role: the
// device came inside DTLS and nothing in clear, or in clear twice.
func (r *role) enough() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.e.Listened != evidence.Yes || r.failed != nil {
		return true
	}
	clear, inside := r.e.InClear(), r.e.Inside()
	return clear >= 2 || clear == 0 && inside > 0
}
