package harness

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/device"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/capture"
	"github.com/assay-iot/assay/harness/probes/udpservices"
	"github.com/assay-iot/assay/harness/profile"
	"github.com/assay-iot/assay/harness/result"
	"github.com/assay-iot/assay/harness/transport"
)

// An Order is what the user wants tested, and how. Fields that are not set take
// the defaults that Prepare names.
type Order struct {
	// File is the device file, nil if only Address is known.
	File    *device.File
	Address netip.Addr
	Units   []UnitOrder

	Profiles  []*profile.Profile
	Checks    map[string]check.Check
	Selection Selection

	Effect   probe.Effect   // the most that may be done
	Consent  string         // who allows what is above active, and why; "" if the device file says so
	Pace     transport.Pace // bench on loopback, else normal
	Ports    Ports          // all with a device file
	Capture  string         // network interface, "" for no capture
	Trust    [][]byte       // PEM files of --trust
	Operator probe.Operator // who can act on the device by hand, nil for nobody
	By       string         // name of the operator, for the record
	Site     string
	Sample   string
	Program  string // name and version of this program
	Now      time.Time
	Clock    probe.ClockSource
}

// A UnitOrder is another unit of the same model.
type UnitOrder struct {
	Name string
	File *device.File
}

// A Session is an order that was found good: nothing was sent yet.
type Session struct {
	Order
	Plan   []probe.Any
	Scope  []netip.Prefix
	Limits transport.Limits
	units  []unitPlan
}

// unitPlan is one unit of a session.
type unitPlan struct {
	name   string
	file   *device.File // never nil
	target probe.Target
}

// Prepare finds out whether an order can be carried out. Its errors are the
// user's to put right; when it returns one, nothing was sent.
func (o Order) Prepare() (*Session, error) {
	s := &Session{Order: o}
	steps := []func() error{s.readUnits, s.choosePace, s.choosePorts, s.readScope, s.askConsent, s.checkLogins, s.choosePlan}
	for _, step := range steps {
		if err := step(); err != nil {
			return nil, err
		}
	}
	s.Limits = transport.LimitsOf(s.Pace)
	return s, nil
}

// readUnits puts the unit under test first, then the others.
func (s *Session) readUnits() error {
	dut := s.File
	if dut == nil {
		dut = device.Bare(s.Address)
	}
	if len(dut.Device.Addresses) == 0 {
		return errors.New("the device file gives no address; add device.addresses")
	}
	s.units = []unitPlan{{name: evidence.DUT, file: dut}}
	for _, u := range s.Units {
		if u.Name == evidence.DUT || slices.ContainsFunc(s.units, func(other unitPlan) bool { return other.name == u.Name }) {
			return fmt.Errorf("two units have the name %q", u.Name)
		}
		s.units = append(s.units, unitPlan{name: u.Name, file: u.File})
	}
	return nil
}

func (s *Session) choosePace() error {
	if s.Pace != "" {
		return nil
	}
	s.Pace = transport.Normal
	if s.loopback() {
		s.Pace = transport.Bench
	}
	return nil
}

func (s *Session) loopback() bool {
	return !slices.ContainsFunc(s.units, func(u unitPlan) bool { return !u.file.OnlyLoopback() })
}

// choosePorts takes the whole range where a device file says what belongs to
// the device. A bare loopback address needs a choice: all that listens on the
// machine would be taken for the device.
func (s *Session) choosePorts() error {
	if s.Ports.Name == "" && s.File == nil && s.loopback() {
		return errors.New("a loopback address belongs to everything that runs on this machine; name the device's ports with --ports LIST, or --ports all")
	}
	if s.Ports.Name == "" {
		s.Ports, _ = ParsePorts("all")
	}
	for i, u := range s.units {
		s.units[i].target = probe.Target{
			Unit: u.name, Addrs: u.file.Device.Addresses, Ports: s.Ports.List, Pace: s.Pace,
			Open:      min(probe.MaxOpen, len(s.Ports.List)*len(u.file.Device.Addresses)),
			PerSecond: transport.LimitsOf(s.Pace).PerSecond, Known: s.known(u.file), Exclude: hostPorts(u.file),
			UDP: s.datagramPorts(u.file), Second: s.second(), Roles: roles(u.file),
		}
	}
	return nil
}

// hostPorts are open ports of the machine that runs an emulated device: they are
// not the device's.
func hostPorts(f *device.File) []netip.AddrPort {
	var all []netip.AddrPort
	for _, addr := range f.Device.Addresses {
		for _, port := range f.Device.HostPorts {
			all = append(all, netip.AddrPortFrom(addr, port))
		}
	}
	return all
}

// second is another address of ours from which a device may be asked. On this
// machine every loopback address is one.
func (s *Session) second() netip.Addr {
	if !s.loopback() {
		return netip.Addr{}
	}
	return netip.AddrFrom4([4]byte{127, 0, 0, 2})
}

// datagramPorts are the UDP ports that are asked: those that somebody named, and
// the standard ones, without those of the machine that runs an emulated device.
func (s *Session) datagramPorts(f *device.File) []uint16 {
	var ports []uint16
	for _, service := range f.IXIT.SoftServ {
		ports = append(ports, service.UDP...)
	}
	ports = append(ports, udpservices.Ports()...)
	if len(s.Ports.List) <= probe.MaxOpen {
		ports = append(ports, s.Ports.List...)
	}
	slices.Sort(ports)
	return slices.DeleteFunc(slices.Compact(ports), func(p uint16) bool { return slices.Contains(f.Device.HostUDPPorts, p) })
}

// known are the endpoints that somebody named.
func (s *Session) known(f *device.File) []netip.AddrPort {
	var ports []uint16
	for _, service := range f.IXIT.SoftServ {
		ports = append(ports, service.TCP...)
	}
	if len(s.Ports.List) <= probe.MaxOpen {
		ports = append(ports, s.Ports.List...)
	}
	slices.Sort(ports)
	var all []netip.AddrPort
	for _, addr := range f.Device.Addresses {
		for _, port := range slices.Compact(ports) {
			all = append(all, netip.AddrPortFrom(addr, port))
		}
	}
	return all[:min(len(all), probe.MaxOpen)]
}

func (s *Session) readScope() error {
	for _, u := range s.units {
		scope, err := u.file.ScopeOf(s.Now)
		if err != nil {
			return err
		}
		s.Scope = append(s.Scope, scope...)
	}
	return nil
}

// askConsent refuses what is above active and nobody agreed to. What runs on
// this machine needs no consent.
func (s *Session) askConsent() error {
	if s.Effect <= probe.Active || s.Consent != "" || s.loopback() {
		return nil
	}
	for _, u := range s.units {
		who, err := u.file.ConsentTo(s.Effect.String(), s.Now)
		if err != nil {
			return err
		}
		if u.name == evidence.DUT {
			s.Consent = who
		}
	}
	return nil
}

// checkLogins refuses credentials that cannot be read.
func (s *Session) checkLogins() error {
	for _, u := range s.units {
		if _, _, err := readLogins(u.file); err != nil {
			return err
		}
	}
	return nil
}

func (s *Session) choosePlan() error {
	ids := make([]string, 0, len(s.Checks))
	for _, c := range Checks(s.Profiles, Selection{Also: s.Selection.Also}, s.Checks) {
		ids = append(ids, c.ID)
	}
	if err := s.Selection.Err(ids); err != nil {
		return err
	}
	var extra []probe.Any
	if s.Capture != "" {
		extra = append(extra, capture.Probe)
	}
	s.Plan = Plan(Checks(s.Profiles, s.Selection, s.Checks), extra...)
	return nil
}

// head is what the result says about the run.
func (s *Session) head(id string) result.Run {
	var scope []string
	for _, p := range s.Scope {
		scope = append(scope, p.String())
	}
	return result.Run{
		ID: id, Operator: s.By, Site: s.Site, Sample: s.Sample, CollectedBy: s.Program, JudgedBy: s.Program,
		Effect: s.Effect.String(), Consent: s.Consent, Pace: string(s.Pace), Scope: scope, Vantage: "unknown",
		Profiles: sources(s.Profiles), Deviations: s.deviations(),
	}
}

func (s *Session) deviations() []result.Deviation {
	list := append([]result.Deviation{}, s.Selection.deviations()...)
	for _, u := range s.units {
		if len(u.file.Device.HostPorts) > 0 {
			list = append(list, result.Deviation{What: msg.T("unit {unit}: TCP ports of the machine that emulates it were left out: {ports}", "unit", u.name, "ports", u.file.Device.HostPorts)})
		}
	}
	if !s.Ports.All() {
		list = append(list, result.Deviation{What: msg.T("TCP ports looked at: {n} of 65535 ({choice})", "n", len(s.Ports.List), "choice", s.Ports.Name)})
	}
	return list
}

// describe is what the result says about each unit, as declared.
func (s *Session) describe() []result.Unit {
	var list []result.Unit
	for _, u := range s.units {
		d, role := u.file.Device, "comparison"
		if u.name == evidence.DUT {
			role = "under test"
		}
		unit := result.Unit{
			Unit: u.name, Role: role, ID: d.ID, Manufacturer: d.Manufacturer, Model: d.Model, Hardware: d.Hardware,
			Firmware: d.Firmware, Serial: d.Serial, Addresses: []string{}, Identity: []string{},
		}
		for _, a := range d.Addresses {
			unit.Addresses = append(unit.Addresses, a.String())
		}
		list = append(list, unit)
	}
	return list
}

// RunID returns the name of a run: the device and when it began.
func (s *Session) RunID() string {
	name := s.units[0].file.Device.ID
	if name == "" {
		name = strings.NewReplacer(":", "-", "%", "-").Replace(s.units[0].file.Device.Addresses[0].String())
	}
	return name + "_" + s.Now.UTC().Format("20060102T150405Z")
}
