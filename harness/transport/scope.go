package transport

import (
	"fmt"
	"net/netip"
)

// scope is a set of addresses.
type scope []netip.Prefix

// check refuses an address that is not in s, and every one that stands for
// more than one device.
func (s scope) check(a netip.Addr) error {
	plain := a.WithZone("").Unmap()
	if !plain.IsValid() || plain.IsUnspecified() || plain.IsMulticast() || plain == allHosts {
		return fmt.Errorf("address %q is no single device: %w", a, ErrScope)
	}
	for _, p := range s {
		if p.Contains(plain) && !broadcast(p, plain) {
			return nil
		}
	}
	return fmt.Errorf("address %q: %w", a, ErrScope)
}

var allHosts = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// broadcast reports whether a speaks to every host of p: its last address, and
// its first by an older custom.
func broadcast(p netip.Prefix, a netip.Addr) bool {
	if !a.Is4() || p.Bits() > 30 {
		return false
	}
	return a == p.Masked().Addr() || !p.Contains(a.Next())
}
