package tlsserver

import (
	"context"
	"slices"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/internal/tlswire"
)

const (
	// mostConfirmed bounds the hellos that ask for doubtful suites again, in all
	// versions together.
	mostConfirmed = 96
	// mostForward is how often forward secrecy is asked for where none was seen.
	mostForward = 2
)

// newest returns the newest version that was taken and is not newer than top,
// nil if there is none.
func (k *look) newest(top Code) *Version {
	for i := len(k.Versions) - 1; i >= 0; i-- {
		if v := &k.Versions[i]; v.Code <= top && len(v.Suites) > 0 {
			return v
		}
	}
	return nil
}

// choosers finds out, in the newest version and the newest before TLS 1.3, whose
// order decides: the suite that was chosen first is offered last.
func (k *look) choosers(ctx context.Context) error {
	var asked *Version
	for _, top := range []Code{TLS13, TLS12} {
		v := k.newest(top)
		if v == nil || v == asked || len(v.Suites) < 2 {
			continue
		}
		asked = v
		offer := codes(v.Suites)
		offer = append(offer[1:], offer[0])
		got, err := k.ask(ctx, k.hello(v.Code, offer), false)
		switch {
		case err != nil:
			return err
		case got.Outcome != Accepted:
		case got.Suite == v.Suites[0].Code:
			v.Chooser = ByServer
		case uint16(got.Suite) == offer[0]:
			v.Chooser = ByClient
		}
	}
	return nil
}

// confirm asks for the doubtful suites of each version again: together, and then
// each one alone that was not chosen so.
func (k *look) confirm(ctx context.Context) error {
	for i := range k.Versions {
		v := &k.Versions[i]
		left := v.doubtful()
		for len(left) > 0 && k.confirmed < mostConfirmed {
			taken, err := k.again(ctx, v, left)
			if err != nil {
				return err
			}
			if taken == 0 {
				break
			}
			left = v.doubtful()
		}
		for _, c := range left {
			if k.confirmed >= mostConfirmed {
				break
			}
			if _, err := k.again(ctx, v, []uint16{c}); err != nil {
				return err
			}
		}
	}
	return nil
}

// doubtful returns the suites with a doubtful trait that were seen once.
func (v *Version) doubtful() []uint16 {
	return codes(slices.DeleteFunc(slices.Clone(v.Suites), func(s Suite) bool { return s.Seen > 1 || !s.HasAny(Doubtful()) }))
}

// again offers suites once more and returns the one that was taken, 0 if none.
func (k *look) again(ctx context.Context, v *Version, offer []uint16) (uint16, error) {
	k.confirmed++
	got, err := k.ask(ctx, k.hello(v.Code, offer), false)
	if err != nil || got.Outcome != Accepted {
		return 0, err
	}
	v.Seen++
	v.take(got)
	return uint16(got.Suite), nil
}

// forward asks for forward secrecy twice more where no suite had it.
func (k *look) forward(ctx context.Context) error {
	v := k.newest(TLS13)
	if v == nil {
		return nil
	}
	for _, v := range k.Versions {
		if slices.ContainsFunc(v.Suites, func(s Suite) bool { return s.ForwardSecret == evidence.Yes && !s.Has(Anonymous) }) {
			return nil
		}
	}
	var offer []uint16
	for _, s := range tlswire.Suites() {
		if s.ForwardSecret && !s.TLS13 && s.Authentication != "anon" {
			offer = append(offer, s.Code)
		}
	}
	for range mostForward {
		got, err := k.ask(ctx, k.hello(v.Code, offer), false)
		if err != nil {
			return err
		}
		k.ForwardOnly = append(k.ForwardOnly, got.Try)
	}
	return nil
}
