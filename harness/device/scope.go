package device

import (
	"net/netip"
	"slices"
	"strings"
	"time"
)

var (
	// local are the ranges that need nobody's word: loopback (RFC 1122, RFC
	// 4291), private (RFC 1918, RFC 4193) and link-local (RFC 3927, RFC 4291).
	local = prefixes("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16",
		"::1/128", "fc00::/7", "fe80::/10")

	// never are the ranges that no single device has: "this network" with the
	// unspecified address, multicast, reserved with broadcast, and IPv4 written
	// as IPv6.
	never = prefixes("0.0.0.0/8", "224.0.0.0/4", "240.0.0.0/4", "::/128", "ff00::/8", "::ffff:0:0/96")
)

func prefixes(list ...string) []netip.Prefix {
	var all []netip.Prefix
	for _, s := range list {
		all = append(all, netip.MustParsePrefix(s))
	}
	return all
}

// ScopeOf returns what may be tested at the time now. Without a scope in the
// file that is the device's own addresses and those of its units, if they are
// loopback, private or link-local. The prefixes have no zone: ask them about an
// address without one.
func (f *File) ScopeOf(now time.Time) ([]netip.Prefix, error) {
	if len(f.Scope) == 0 {
		return f.ownAddresses()
	}
	var allowed []netip.Prefix
	for i, s := range f.Scope {
		path := entry("scope", i)
		p, err := f.entryOf(path, s)
		if err != nil {
			return nil, err
		}
		if !s.Until.IsZero() && s.Until.over(now) {
			return nil, f.fault(path+".until", "have it renewed, and change the date", "the permission to test %s ended after %s", s.Address, s.Until)
		}
		allowed = append(allowed, p)
	}
	return allowed, nil
}

// over reports whether the day is past.
func (d Date) over(now time.Time) bool { return !now.Before(d.AddDate(0, 0, 1)) }

// String returns YYYY-MM-DD.
func (d Date) String() string { return d.Format(time.DateOnly) }

// ownAddresses allows each given address, no more.
func (f *File) ownAddresses() ([]netip.Prefix, error) {
	var allowed []netip.Prefix
	for _, a := range f.addresses() {
		p := netip.PrefixFrom(a.addr.WithZone(""), a.addr.BitLen())
		if err := f.permitted(a.path, p, Scope{}); err != nil {
			return nil, err
		}
		allowed = append(allowed, p)
	}
	return allowed, nil
}

// permitted refuses what nobody may allow, and what somebody has to allow by
// name and did not.
func (f *File) permitted(path string, p netip.Prefix, s Scope) error {
	within := func(q netip.Prefix) bool { return q.Bits() <= p.Bits() && q.Contains(p.Addr()) }
	switch {
	case slices.ContainsFunc(never, p.Overlaps):
		return f.fault(path, "name the device's own address", "%s holds unspecified, multicast, broadcast or reserved addresses, which are never tested", short(p))
	case slices.ContainsFunc(local, within):
		return nil
	case s.AuthorisedBy == "" || s.Until.IsZero():
		return f.fault(path, "add it under \"scope\" with authorised_by and until, if you are allowed to test it",
			"%s is public, and nobody is named who authorised testing it until when", short(p))
	}
	return nil
}

// short writes a prefix of one address as that address.
func short(p netip.Prefix) string {
	if p.IsSingleIP() {
		return p.Addr().String()
	}
	return p.String()
}

// entryOf reads an entry of the scope.
func (f *File) entryOf(path string, s Scope) (netip.Prefix, error) {
	p, err := parsePrefix(s.Address)
	switch {
	case err != nil:
		return p, f.fault(path+".address", "such as 192.168.1.20 or 192.168.1.0/24", "%q is no address and no prefix", s.Address)
	case p != p.Masked():
		return p, f.fault(path+".address", "", "%s has bits set after the prefix: write %s or %s", s.Address, p.Addr(), p.Masked())
	}
	return p, f.permitted(path, p, s)
}

// parsePrefix reads a prefix, or an address as the prefix of it alone.
func parsePrefix(text string) (netip.Prefix, error) {
	if strings.Contains(text, "/") {
		return netip.ParsePrefix(text)
	}
	addr, err := parseAddr(text)
	return netip.PrefixFrom(addr.WithZone(""), addr.BitLen()), err
}

// An address with its place in the file.
type placed struct {
	path string
	addr netip.Addr
}

// addresses returns the addresses of the device and of its units.
func (f *File) addresses() []placed {
	var all []placed
	for i, a := range f.Device.Addresses {
		all = append(all, placed{entry("device.addresses", i), a})
	}
	for i, u := range f.Units {
		for j, a := range u.Addresses {
			all = append(all, placed{entry(entry("units", i)+".addresses", j), a})
		}
	}
	return all
}

// validateAddresses sees to it that every address may be tested, the date left
// aside, and that no two units share one.
func (f *File) validateAddresses() error {
	allowed, err := f.ScopeOf(time.Time{})
	if err != nil {
		return err
	}
	seen := map[netip.Addr]bool{}
	for _, a := range f.addresses() {
		covers := func(p netip.Prefix) bool { return p.Contains(a.addr.WithZone("")) }
		switch {
		case seen[a.addr]:
			return f.fault(a.path, "", "address %s stands twice", a.addr)
		case !slices.ContainsFunc(allowed, covers):
			return f.fault(a.path, "add it under \"scope\" if you are allowed to test it", "address %s is outside the scope", a.addr)
		}
		seen[a.addr] = true
	}
	if len(f.Device.HostUDPPorts) > 0 && !f.OnlyLoopback() {
		return f.fault("device.host_udp_ports", "declare the ports under \"ixit\"", "only an emulated device shares a machine with others: every open port of a real one is its own")
	}
	if len(f.Device.HostPorts) > 0 && !f.OnlyLoopback() {
		return f.fault("device.host_ports", "declare the ports under \"ixit\"", "only an emulated device shares a machine with others: every open port of a real one is its own")
	}
	return nil
}

// OnlyLoopback reports whether every address of the device and its units is on
// this machine. No address at all is not.
func (f *File) OnlyLoopback() bool {
	all := f.addresses()
	elsewhere := func(a placed) bool { return !a.addr.IsLoopback() }
	return len(all) > 0 && !slices.ContainsFunc(all, elsewhere)
}
