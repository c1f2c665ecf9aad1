package coapcredentials

import (
	"context"
	"time"

	"github.com/assay-iot/assay/harness/defaults"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/dtlsserver"
	"github.com/assay-iot/assay/harness/probes/internal/account"
	"github.com/assay-iot/assay/harness/probes/internal/dtlsdoor"
	"github.com/assay-iot/assay/harness/verdict"
)

// Probe tries listed pre-shared keys.
var Probe = &probe.Probe[Evidence]{
	Name:    "coap-credentials",
	Version: 1,
	Doc:     "whether pre-shared keys that stacks are known to come with are let in over DTLS",
	Effect:  probe.Intrusive,
	Last:    true,
	Basis:   verdict.Tested,
	Needs:   []probe.Any{dtlsserver.Probe},
	Bound:   bound,
	Run:     run,
}

const (
	// maxPairs is how many pairs of the list are tried: a list can only refute,
	// and a longer one refutes little more.
	maxPairs = 12
	// mostRandom is how many random pairs a door gets: two, and a third where
	// these differ.
	mostRandom = 3
	// perPair is the most handshakes that a pair takes at a door: one, again if it
	// was lost, and again if it was accepted.
	perPair = 3
	// controls are those with the declared pair: before, after, and in between.
	controls = 2 + maxPairs/controlEvery
	// each takes this long at the most: no more than a handshake that stalls, and
	// the requests inside.
	each = dtlsdoor.Patience + 2*insideWait + time.Second
	// perDoor is the most handshakes at one door.
	perDoor = maxPairs*perPair + mostRandom + controls
)

func bound(t probe.Target) probe.Bound {
	doors := min(dtlsserver.MostListeners, len(t.Addrs)*len(t.UDP))
	return probe.Bound{
		Time:        time.Duration(doors*perDoor)*each + time.Second,
		Connections: doors * perDoor,
		Logins:      doors * perDoor,
	}
}

// options are what tests choose otherwise.
type options struct{ patience time.Duration }

func run(ctx context.Context, in probe.Input) (Evidence, error) {
	return with(ctx, in, options{dtlsdoor.Patience})
}

func with(ctx context.Context, in probe.Input, opts options) (Evidence, error) {
	list := in.Logins.List(dtlsdoor.Service)
	e := Evidence{List: Defaults, Version: defaults.Version, Listed: len(list)}
	looked := dtlsserver.Probe.From(in.Evidence)
	var accounts []*account.Account
	for _, l := range in.Logins.For(dtlsdoor.Service) {
		accounts = append(accounts, account.New(l, standing(looked, l.ID)))
	}
	spent := map[string]bool{}
	name := func(l dtlsserver.Listener) string { return evidence.UDP(l.Addr).Name }
	var err error
	e.Doors, err = probe.EachOf(ctx, 1, looked.Listeners, name, func(l dtlsserver.Listener) (Door, error) {
		v := &visit{in: in, opts: opts, control: account.First(accounts), spent: spent}
		v.Addr = l.Addr
		v.suites, v.Stopped = common(l)
		err := v.all(ctx, list[:min(len(list), maxPairs)])
		return v.Door, err
	})
	return e, err
}

// common returns the suites with which a whole handshake can be made by a
// pre-shared key, or says why there is none.
func common(l dtlsserver.Listener) ([]uint16, Stop) {
	var suites []uint16
	keyed := false
	for _, v := range l.Versions {
		for _, s := range v.Keyed() {
			keyed = true
			if v.Code == dtlsserver.DTLS12 && dtlsdoor.Knows(uint16(s.Code)) {
				suites = append(suites, uint16(s.Code))
			}
		}
	}
	switch {
	case !keyed:
		return nil, NoKeys
	case len(suites) == 0:
		return nil, NoSuite
	}
	return suites, GoneThrough
}

// standing is what dtls-server learned of a declared log-in.
func standing(e dtlsserver.Evidence, id string) account.Standing {
	s := account.Untold
	for _, l := range e.Listeners {
		for _, h := range l.Handshakes {
			switch {
			case string(h.Credential) != id:
			case h.Outcome == dtlsserver.Refusal:
				return account.Spoilt
			case h.Outcome == dtlsserver.Completed:
				s = account.Proven
			}
		}
	}
	return s
}
