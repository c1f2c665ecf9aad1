package identity

import (
	"bufio"
	"bytes"
	"errors"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
)

// neighbours returns Linux's table of neighbours, which knows IPv4 alone, and
// nothing on other systems.
func neighbours() ([]byte, error) {
	b, err := os.ReadFile("/proc/net/arp")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return b, err
}

// complete marks an entry of the table whose hardware address is known:
// ATF_COM of linux/if_arp.h.
const complete = 0x2

// parse reads the table: a heading, then lines of address, type, flags,
// hardware address, mask and interface. An address that two interfaces know by
// different hardware addresses is left out.
func parse(table []byte) map[netip.Addr]MAC {
	found := map[netip.Addr]MAC{}
	for lines := bufio.NewScanner(bytes.NewReader(table)); lines.Scan(); {
		f := strings.Fields(lines.Text())
		if len(f) != 6 {
			continue
		}
		addr, err := netip.ParseAddr(f[0])
		flags, flagErr := strconv.ParseUint(f[2], 0, 16)
		mac, macErr := net.ParseMAC(f[3])
		if err != nil || flagErr != nil || macErr != nil || flags&complete == 0 {
			continue
		}
		if old, twice := found[addr]; twice && old != MAC(mac.String()) {
			mac = nil
		}
		found[addr] = MAC(mac.String())
	}
	return found
}
