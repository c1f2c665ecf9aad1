package capture

import (
	"encoding/binary"
	"net/netip"

	"golang.org/x/net/bpf"
)

const (
	etherARP = 0x0806

	// maxFrame is more than any frame holds: loopback passes on segments of
	// 64 KiB.
	maxFrame = 256 << 10
)

// Where addresses lie in an Ethernet frame.
const (
	type4    = 12
	source4  = etherHeader + 12
	target4  = etherHeader + 16
	sourceAR = etherHeader + 14
	targetAR = etherHeader + 24
	source6  = etherHeader + 8
	target6  = etherHeader + 24
)

// filter keeps frames of IPv4, ARP and IPv6 from and to the addresses.
func filter(addrs []netip.Addr) []bpf.Instruction {
	var ip4, arp, ip6 []bpf.Instruction
	for _, a := range addrs {
		if a = a.WithZone("").Unmap(); a.Is4() {
			ip4 = append(append(ip4, keep(source4, a)...), keep(target4, a)...)
			arp = append(append(arp, keep(sourceAR, a)...), keep(targetAR, a)...)
		} else {
			ip6 = append(append(ip6, keep(source6, a)...), keep(target6, a)...)
		}
	}
	program := []bpf.Instruction{bpf.LoadAbsolute{Off: type4, Size: 2}}
	program = append(program, section(etherIPv4, ip4)...)
	program = append(program, section(etherARP, arp)...)
	program = append(program, section(etherIPv6, ip6)...)
	return append(program, bpf.RetConstant{Val: 0})
}

// section runs body, and drops what it does not keep, if the frame is of a
// type, which is loaded.
func section(etherType uint32, body []bpf.Instruction) []bpf.Instruction {
	head := []bpf.Instruction{
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: etherType, SkipTrue: 1},
		bpf.Jump{Skip: uint32(len(body) + 1)}, //nolint:gosec // a few instructions for each address
	}
	return append(append(head, body...), bpf.RetConstant{Val: 0})
}

// keep returns the whole frame if a lies at an offset.
func keep(offset uint32, a netip.Addr) []bpf.Instruction {
	raw := a.AsSlice()
	var program []bpf.Instruction
	for i := 0; i < len(raw); i += 4 {
		rest := uint8((len(raw) - i - 4) / 4) //nolint:gosec // at most 3
		program = append(program,
			bpf.LoadAbsolute{Off: offset + uint32(i), Size: 4},
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: binary.BigEndian.Uint32(raw[i:]), SkipFalse: 2*rest + 1},
		)
	}
	return append(program, bpf.RetConstant{Val: maxFrame})
}
