package capture

import (
	"encoding/binary"
	"net/netip"
)

// ends are the two ends of a frame's datagram.
type ends struct {
	src, dst netip.AddrPort // port 0 if the frame holds none
	header   int            // bytes up to the payload of TCP or UDP
}

const (
	etherHeader = 14
	etherIPv4   = 0x0800
	etherIPv6   = 0x86dd

	protoTCP = 6
	protoUDP = 17

	// maxExtensions bounds the chain of IPv6 extension headers that is
	// followed.
	maxExtensions = 8
)

// dissect reads the headers of an Ethernet frame; false if they are none of IP.
func dissect(b []byte) (ends, bool) {
	if len(b) < etherHeader {
		return ends{}, false
	}
	switch binary.BigEndian.Uint16(b[12:]) {
	case etherIPv4:
		return dissect4(b)
	case etherIPv6:
		return dissect6(b)
	}
	return ends{}, false
}

func dissect4(b []byte) (ends, bool) {
	ip := b[etherHeader:]
	if len(ip) < 20 || ip[0]>>4 != 4 {
		return ends{}, false
	}
	size := int(ip[0]&15) * 4
	if size < 20 || size > len(ip) {
		return ends{}, false
	}
	src, dst := netip.AddrFrom4([4]byte(ip[12:16])), netip.AddrFrom4([4]byte(ip[16:20]))
	if binary.BigEndian.Uint16(ip[6:])&0x1fff != 0 { // a later fragment
		return ends{netip.AddrPortFrom(src, 0), netip.AddrPortFrom(dst, 0), etherHeader + size}, true
	}
	return ports(b, etherHeader+size, ip[9], src, dst), true
}

func dissect6(b []byte) (ends, bool) {
	ip := b[etherHeader:]
	if len(ip) < 40 || ip[0]>>4 != 6 {
		return ends{}, false
	}
	src, dst := netip.AddrFrom16([16]byte(ip[8:24])), netip.AddrFrom16([16]byte(ip[24:40]))
	next, at := ip[6], etherHeader+40
	for range maxExtensions {
		var size int
		switch next {
		case 0, 43, 60: // hop by hop, routing, destination
			if at+2 > len(b) {
				return ends{netip.AddrPortFrom(src, 0), netip.AddrPortFrom(dst, 0), len(b)}, true
			}
			size = int(b[at+1])*8 + 8
		case 44: // fragment
			if at+8 > len(b) || binary.BigEndian.Uint16(b[at+2:])>>3 != 0 {
				return ends{netip.AddrPortFrom(src, 0), netip.AddrPortFrom(dst, 0), min(at+8, len(b))}, true
			}
			size = 8
		default:
			return ports(b, at, next, src, dst), true
		}
		next, at = b[at], min(at+size, len(b))
	}
	return ends{netip.AddrPortFrom(src, 0), netip.AddrPortFrom(dst, 0), at}, true
}

// ports reads the ports behind an IP header that ends at at.
func ports(b []byte, at int, proto byte, src, dst netip.Addr) ends {
	e := ends{netip.AddrPortFrom(src, 0), netip.AddrPortFrom(dst, 0), at}
	least := map[byte]int{protoTCP: 20, protoUDP: 8}[proto]
	if least == 0 || at+least > len(b) {
		return e
	}
	e.src = netip.AddrPortFrom(src, binary.BigEndian.Uint16(b[at:]))
	e.dst = netip.AddrPortFrom(dst, binary.BigEndian.Uint16(b[at+2:]))
	if e.header += least; proto == protoTCP {
		e.header = min(max(e.header, at+int(b[at+12]>>4)*4), len(b))
	}
	return e
}
