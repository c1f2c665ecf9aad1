package tcpports

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/transport"
)

// A state is what one look showed of a port.
type state uint8

const (
	untried  state = iota // or our own trouble
	accepted              // a connection came about
	refused
	silent
)

// A survey is two looks at the same ports.
type survey struct {
	ctx      context.Context
	in       probe.Input
	ends     []netip.AddrPort // in order
	host     []netip.AddrPort // left out: they are not the device's
	looks    [2][]state
	controls []Control // in the order of the addresses
	cause    error     // of the first attempt that says nothing about the device
}

func newSurvey(ctx context.Context, in probe.Input) *survey {
	s := &survey{ctx: ctx, in: in}
	for _, end := range in.Target.Endpoints() {
		if slices.Contains(in.Target.Exclude, end) {
			s.host = append(s.host, end)
		} else {
			s.ends = append(s.ends, end)
		}
	}
	for i := range s.looks {
		s.looks[i] = make([]state, len(s.ends))
	}
	for _, a := range in.Target.Addrs {
		s.controls = append(s.controls, Control{Addr: a})
	}
	return s
}

// shuffled returns the places 0 to n-1 in an order that is the same each time,
// so that the neighbours of a port are not tried one right after the other.
func shuffled(n int) []int { return rand.New(rand.NewPCG(All, All)).Perm(n) }

func backward(order []int) []int {
	order = slices.Clone(order)
	slices.Reverse(order)
	return order
}

// look tries each port once.
func (s *survey) look(look int, order []int) { s.try(look, order, patience) }

// lookAgain tries those ports again, with more patience, that said nothing in a
// look. What the long try of the first look confirms is not tried a second
// time, and an address that never answered at all is left alone.
func (s *survey) lookAgain() {
	alive := s.alive()
	confirmed := make([]bool, len(s.ends))
	for look := range s.looks {
		var again []int
		for _, i := range shuffled(len(s.ends)) {
			quiet := s.looks[look][i] == silent || s.looks[look][i] == untried
			if quiet && alive[s.ends[i].Addr()] && !confirmed[i] {
				again = append(again, i)
			}
		}
		s.try(look, again, longPatience)
		for _, i := range again {
			confirmed[i] = s.looks[0][i] == silent && s.looks[1][i] == silent
		}
	}
}

// alive holds the addresses of which a port answered.
func (s *survey) alive() map[netip.Addr]bool {
	found := map[netip.Addr]bool{}
	for i, end := range s.ends {
		for _, states := range s.looks {
			if states[i] == accepted || states[i] == refused {
				found[end.Addr()] = true
			}
		}
	}
	return found
}

// try takes the ports at the given places batch by batch, a control after each
// batch.
func (s *survey) try(look int, places []int, patience time.Duration) {
	for part := range slices.Chunk(places, batch) {
		ends := make([]netip.AddrPort, len(part))
		for i, place := range part {
			ends[i] = s.ends[place]
		}
		transport.Knock(s.ctx, s.in.Net, ends, patience, func(i int, err error) {
			s.looks[look][part[i]] = s.state(err)
		})
		s.control()
	}
}

// state tells what the device did from what we could not do. A connection that
// was reset did come about.
func (s *survey) state(err error) state {
	act, err := transport.Did(s.ctx, err)
	switch {
	case err != nil:
		if s.cause == nil {
			s.cause = err
		}
		return untried
	case act == transport.Refused:
		return refused
	case act == transport.Silent:
		return silent
	}
	return accepted
}

// control asks one open port of each address whether it still answers.
func (s *survey) control() {
	var ends []netip.AddrPort
	var of []*Control
	for i := range s.controls {
		if end, ok := s.open(s.controls[i].Addr); ok {
			ends, of = append(ends, end), append(of, &s.controls[i])
		}
	}
	transport.Knock(s.ctx, s.in.Net, ends, longPatience, func(i int, err error) {
		act, err := transport.Did(s.ctx, err)
		if err != nil {
			return // our own trouble says nothing about the silent ones
		}
		of[i].Asked++
		if act == transport.Answered {
			of[i].Answered++
		}
	})
}

// open returns the first port of an address that accepted a connection.
func (s *survey) open(a netip.Addr) (netip.AddrPort, bool) {
	for i, end := range s.ends {
		if end.Addr() == a && (s.looks[0][i] == accepted || s.looks[1][i] == accepted) {
			return end, true
		}
	}
	return netip.AddrPort{}, false
}
