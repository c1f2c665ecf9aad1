//go:build !linux

package capture

import (
	"fmt"
	"net/netip"
	"runtime"
)

// open captures on Linux only.
func open(name string, _ []netip.Addr) (source, error) {
	return nil, fmt.Errorf("network interface %q: no live capture on %s: give a capture file", name, runtime.GOOS)
}
