package device

import "net/netip"

// Bare returns the file of a device of which only the address is known. It
// declares nothing.
func Bare(addr netip.Addr) *File {
	return &File{Device: Device{Addresses: []netip.Addr{addr}}}
}
