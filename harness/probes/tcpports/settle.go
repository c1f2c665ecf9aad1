package tcpports

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
)

const (
	// maxOpen bounds the open ports that are listed. A device that opens more
	// is a trap for scanners.
	maxOpen = 4096
	// maxRanges bounds each list of ranges, so that the record of a device
	// whose ports alternate stays under its limit.
	maxRanges = 10_000
)

var (
	errTrap   = errors.New("more open ports than are listed")
	errRagged = errors.New("more ranges of ports than are listed")
)

// evidence puts both looks together. What they do not hold, because of our own
// trouble, is named in a *probe.Partial.
func (s *survey) evidence() (Evidence, error) {
	e := Evidence{Addrs: s.in.Target.Addrs, Tried: len(s.in.Target.Ports), Controls: s.controls, Host: s.host}
	var missing []Range
	for i, end := range s.ends {
		if !e.add(end, s.looks[0][i], s.looks[1][i]) {
			missing = extend(missing, end)
		}
	}
	p := &probe.Partial{Cause: s.cause}
	for _, r := range missing {
		p.Missing = append(p.Missing, r.name())
	}
	e.trim(p)
	if len(p.Missing) == 0 {
		return e, nil
	}
	return e, p
}

// add takes in what two looks showed of a port, and reports whether both did.
func (e *Evidence) add(end netip.AddrPort, first, second state) bool {
	switch {
	case first == accepted && second == accepted:
		e.Open = append(e.Open, Port{Addr: end, Seen: 2})
	case first == accepted || second == accepted:
		e.Open = append(e.Open, Port{Addr: end, Seen: 1})
	case first == untried || second == untried:
		return false
	case first == refused && second == refused:
		e.Closed = extend(e.Closed, end)
	case first == silent && second == silent:
		e.Silent = extend(e.Silent, end)
	default:
		e.Mixed = extend(e.Mixed, end)
	}
	return true
}

// extend adds a port to the last range if it follows it.
func extend(rs []Range, end netip.AddrPort) []Range {
	if n := len(rs); n > 0 && rs[n-1].Addr == end.Addr() && int(rs[n-1].Last)+1 == int(end.Port()) {
		rs[n-1].Last++
		return rs
	}
	return append(rs, Range{end.Addr(), end.Port(), end.Port()})
}

// name says which ports r holds, in our own words.
func (r Range) name() string {
	first := evidence.TCP(netip.AddrPortFrom(r.Addr, r.First)).Name
	if r.First == r.Last {
		return first
	}
	return fmt.Sprintf("%s-%d", first, r.Last)
}

// trim cuts what would make the record too large, and names it.
func (e *Evidence) trim(p *probe.Partial) {
	if over := len(e.Open) - maxOpen; over > 0 {
		e.Open = e.Open[:maxOpen]
		p.Missing = append(p.Missing, fmt.Sprintf("%d more open ports", over))
		p.Cause = errors.Join(p.Cause, errTrap)
	}
	for _, list := range []*[]Range{&e.Closed, &e.Silent, &e.Mixed} {
		if over := len(*list) - maxRanges; over > 0 {
			*list = (*list)[:maxRanges]
			p.Missing = append(p.Missing, fmt.Sprintf("%d more ranges of ports", over))
			p.Cause = errors.Join(p.Cause, errRagged)
		}
	}
	if over := len(p.Missing) - maxNamed; over > 0 {
		p.Missing = append(p.Missing[:maxNamed], fmt.Sprintf("%d more ranges of ports", over))
	}
}

// maxNamed bounds the list of what is missing to what a person may read.
const maxNamed = 100
