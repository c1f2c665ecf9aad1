package draft

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/tcpports"
)

// Seen is what probes saw of a device, as far as a device file can say it. What
// the device sent stands in it only as evidence.Bytes shows it.
type Seen struct {
	MAC      string     // of its network interface, empty if it was not to be seen
	Search   []string   // how it was searched, each a sentence without full stop
	Gaps     []string   // what could not be seen, and why
	Services []*Service // by network and port
	Pins     []Pin      // by fingerprint
}

// A Service is what answered on one port.
type Service struct {
	Network  Network
	Port     uint16
	Protocol string       // as the device file names it, empty if nothing was understood
	TLS      evidence.Tri // whether it was inside TLS
	Notes    []string     // what else was seen
	// Resources are the paths of a CoAP server, in quotes, in the order in which
	// they were found.
	Resources []string
}

// Network is what a service is reached over.
type Network string

// The networks.
const (
	TCP Network = "tcp"
	UDP Network = "udp"
)

// A Pin is the fingerprint of a certificate that endpoints showed.
type Pin struct {
	SHA256 evidence.Digest
	At     []string // in order
}

// at returns the service on a port, a new one if nothing is known of it yet.
func (s *Seen) at(network Network, addr netip.AddrPort) *Service {
	for _, known := range s.Services {
		if known.Network == network && known.Port == addr.Port() {
			return known
		}
	}
	fresh := &Service{Network: network, Port: addr.Port()}
	s.Services = append(s.Services, fresh)
	return fresh
}

// note adds what was seen of a service, once.
func (s *Service) note(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(s.Notes, text) {
		s.Notes = append(s.Notes, text)
	}
}

// pin notes the certificate of an endpoint, once.
func (s *Seen) pin(addr netip.AddrPort, digest evidence.Digest) {
	at := evidence.TCP(addr).Key
	i := slices.IndexFunc(s.Pins, func(p Pin) bool { return p.SHA256 == digest })
	switch {
	case digest == "":
	case i < 0:
		s.Pins = append(s.Pins, Pin{digest, []string{at}})
	case !slices.Contains(s.Pins[i].At, at):
		s.Pins[i].At = append(s.Pins[i].At, at)
	}
}

// A source reads what one probe saw.
type source struct {
	probe probe.Any
	read  func(*Seen, evidence.View)
}

// sources holds one source for each probe that a draft rests on.
var sources []source

// register adds a source. It is called only from variable declarations in this
// package, one to a file.
func register(s source) source {
	sources = append(sources, s)
	return s
}

// inOrder returns the sources by the name of their probe, so that a draft does
// not depend on the names of files.
func inOrder() []source {
	return slices.SortedFunc(slices.Values(sources), func(a, b source) int {
		return cmp.Compare(a.probe.Info().Name, b.probe.Info().Name)
	})
}

// Probes returns the probes that a draft rests on. None does more than any
// client could.
func Probes() []probe.Any {
	var all []probe.Any
	for _, s := range inOrder() {
		all = append(all, s.probe)
	}
	return all
}

// errBlind says that there is nothing to draft from.
var errBlind = errors.New("no TCP port could be looked at")

// Read returns what the records of a run show of the unit under test. What
// brought no evidence is named in Gaps; without a look at the ports there is no
// draft.
func Read(log evidence.Log) (Seen, error) {
	var s Seen
	for _, from := range inOrder() {
		name := from.probe.Info().Name
		r, err := log.Find(evidence.DUT, name)
		if err != nil {
			return s, err
		}
		if r.Status != evidence.Collected {
			s.Gaps = append(s.Gaps, gap(r))
		}
		if !r.HasData() {
			if name == tcpports.Probe.Name {
				return s, fmt.Errorf("%w: %s", errBlind, shown(r.Reason.String()))
			}
			continue
		}
		page, err := from.probe.Open(r)
		if err != nil {
			return s, err
		}
		from.read(&s, evidence.NewView(evidence.DUT, map[string]evidence.Page{name: page}))
	}
	s.sort()
	return s, nil
}

func gap(r evidence.Record) string {
	text := fmt.Sprintf("probe %s: %s", r.Probe, shown(r.Reason.String()))
	if len(r.Missing) > 0 {
		text += "; missing: " + shown(strings.Join(r.Missing, ", "))
	}
	return text
}

func (s *Seen) sort() {
	slices.SortFunc(s.Services, func(a, b *Service) int {
		return cmp.Or(cmp.Compare(a.Network, b.Network), cmp.Compare(a.Port, b.Port))
	})
	for _, p := range s.Pins {
		slices.Sort(p.At)
	}
	slices.SortFunc(s.Pins, func(a, b Pin) int { return cmp.Compare(a.SHA256, b.SHA256) })
}
