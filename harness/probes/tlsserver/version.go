package tlsserver

import (
	"context"
	"errors"
	"slices"

	"github.com/assay-iot/assay/harness/evidence"
)

const (
	// mostHellos bounds the hellos that list the suites of one listener. Servers
	// with every suite of a common library take half of them; one that takes
	// whatever it is offered says nothing more after that.
	mostHellos = 256
	// mostTries is how often a version is offered where the tries differ.
	mostTries = 3
	// mostFlights is how many flights of a version are read to the end: a server
	// may stall after its ServerHello each time.
	mostFlights = 2
	// chunk is how many suites a short hello offers.
	chunk = 48
)

// errMany ends the listing of a server that takes more than is asked for.
var errMany = errors.New("the server takes more suites than are asked for")

// version offers one version, and lists the suites if it is taken.
func (k *look) version(ctx context.Context, code Code) (Version, error) {
	v := Version{Code: code, Name: versionName(code), Chooser: NobodyKnown, Complete: evidence.No}
	k.flights = 0
	long, short := suitesFor(code), shortFor(code)
	parts := [][]uint16{long}
	var first answer
	for len(v.Tries) < mostTries && !v.settled() {
		offer := long
		if len(v.Tries) == 1 { // the second hello is short
			offer = short
		}
		got, err := k.offer(ctx, &v, offer)
		if err != nil {
			return v, err
		}
		v.Tries = append(v.Tries, got.Try)
		if got.Outcome == Accepted {
			first, parts = got, [][]uint16{offer}
		}
	}
	if first.Outcome != Accepted {
		return v, nil
	}
	if len(parts[0]) < len(long) {
		parts = split(long)
		first = answer{}
	}
	err := k.list(ctx, &v, parts, first)
	return v, err
}

// settled reports whether the tries need no further one: it was taken, or two
// agree that it is not.
func (v *Version) settled() bool {
	seen := map[bool]int{}
	for _, t := range v.Tries {
		if t.Outcome == Accepted {
			return true
		}
		seen[t.Refused() || t.Outcome == NotOffered]++
	}
	return seen[true] >= 2 || seen[false] >= 2
}

// split cuts the suites into hellos that are short.
func split(suites []uint16) [][]uint16 { return slices.Collect(slices.Chunk(suites, chunk)) }

// offer sends a hello of one version and counts what it shows. The first two
// flights are read to the end.
func (k *look) offer(ctx context.Context, v *Version, suites []uint16) (answer, error) {
	if k.hellos++; k.hellos > mostHellos {
		return answer{}, errMany
	}
	all := v.Code < TLS13 && k.flights < mostFlights
	got, err := k.ask(ctx, k.hello(v.Code, suites), all)
	if err != nil || got.Outcome != Accepted {
		return got, err
	}
	if all {
		k.flights++
	}
	v.Seen++
	if got.Flight == evidence.Yes {
		v.Flights++
	}
	v.DHBits = max(v.DHBits, got.exchange.DHBits)
	k.served(got)
	return got, nil
}

// list lists the suites that the server takes, part by part. The first answer
// may be there already.
func (k *look) list(ctx context.Context, v *Version, parts [][]uint16, first answer) error {
	whole := true
	for _, part := range parts {
		done, err := k.eliminate(ctx, v, part, first)
		if err != nil {
			return err
		}
		whole = whole && done
		first = answer{}
	}
	if v.Complete = evidence.Unknown; whole {
		v.Complete = evidence.Yes
	}
	if v.Seen >= 2 {
		return nil
	}
	got, err := k.offer(ctx, v, codes(v.Suites)) // a second exchange
	v.Tries = append(v.Tries, got.Try)
	return err
}

// eliminate offers what is left until the server turns it away, and reports
// whether it did.
func (k *look) eliminate(ctx context.Context, v *Version, left []uint16, got answer) (bool, error) {
	left = slices.Clone(left)
	for repeated := false; ; {
		switch {
		case got.Outcome == Accepted:
			v.take(got)
			left = slices.DeleteFunc(left, func(c uint16) bool { return c == uint16(got.Suite) })
		case got.Outcome != "":
			v.Ends = append(v.Ends, got.Try)
			if got.Outcome == Alerted || repeated {
				return got.Refused() || got.Outcome == NotOffered && got.Version < v.Code, nil
			}
			repeated = true
		}
		if len(left) == 0 {
			return true, nil
		}
		var err error
		if got, err = k.offer(ctx, v, left); err != nil {
			return false, err
		}
	}
}

// take notes a suite that was chosen.
func (v *Version) take(got answer) {
	i := slices.IndexFunc(v.Suites, func(s Suite) bool { return s.Code == got.Suite })
	if i < 0 {
		i = len(v.Suites)
		v.Suites = append(v.Suites, SuiteOf(got.Suite))
		v.Suites[i].Span = got.Span
	}
	v.Suites[i].Seen++
}

func codes(suites []Suite) []uint16 {
	var all []uint16
	for _, s := range suites {
		all = append(all, uint16(s.Code))
	}
	return all
}
