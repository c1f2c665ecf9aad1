package capture

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

const (
	// blockSize and blocks hold what comes in while the disk is slow: 32 MiB
	// are half a second of a gigabit.
	blockSize = 1 << 20
	blocks    = 32
	// frameSize is a hint only; frames take what they need.
	frameSize = 2 << 10
	// retire is how long the system keeps a block that is not full.
	retire = 20 * time.Millisecond
	// pollEvery is how late the end of a capture may be noticed, and more
	// than retire.
	pollEvery = 50 * time.Millisecond
)

// Where things lie in a block of TPACKET_V3: linux/if_packet.h.
const (
	blockStatus = 8
	blockCount  = 12
	blockFirst  = 16

	frameNext   = 0
	frameSec    = 4
	frameNsec   = 8
	frameKept   = 12
	frameLength = 16
	frameMAC    = 24
	frameType   = 48 + 10 // sll_pkttype behind the header
	frameHeader = 48 + 20
)

// A ring is a source on AF_PACKET whose buffer the system fills.
type ring struct {
	fd       int
	memory   []byte
	next     int // block
	lost     int64
	onlyHost bool
}

// open captures the frames of the addresses on a network interface.
func open(name string, addrs []netip.Addr) (source, error) {
	link, err := net.InterfaceByName(name)
	if err != nil {
		return nil, fmt.Errorf("network interface %q: %w", name, err)
	}
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0) // nothing before the filter
	if errors.Is(err, unix.EPERM) {
		return nil, fmt.Errorf("network interface %q: %w: %w", name, ErrNoCapture, err)
	}
	if err != nil {
		return nil, fmt.Errorf("network interface %q: %w", name, err)
	}
	r := &ring{fd: fd}
	if err := r.prepare(link.Index, filter(addrs)); err != nil {
		return nil, errors.Join(fmt.Errorf("network interface %q: %w", name, err), r.close())
	}
	return r, nil
}

// prepare sets the filter, maps the buffer and begins.
func (r *ring) prepare(index int, program []bpf.Instruction) error {
	raw, err := bpf.Assemble(program)
	if err != nil {
		return fmt.Errorf("filter: %w", err)
	}
	code := make([]unix.SockFilter, len(raw))
	for i, in := range raw {
		code[i] = unix.SockFilter{Code: in.Op, Jt: in.Jt, Jf: in.Jf, K: in.K}
	}
	size := unix.TpacketReq3{
		Block_size: blockSize, Block_nr: blocks, Frame_size: frameSize, Frame_nr: blockSize / frameSize * blocks,
		Retire_blk_tov: uint32(retire / time.Millisecond),
	}
	for _, step := range []func() error{
		func() error {
			program := unix.SockFprog{Len: uint16(len(code)), Filter: &code[0]} //nolint:gosec // assembling refuses more than 4,096
			return unix.SetsockoptSockFprog(r.fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &program)
		},
		func() error { return unix.SetsockoptInt(r.fd, unix.SOL_PACKET, unix.PACKET_VERSION, unix.TPACKET_V3) },
		func() error { return unix.SetsockoptTpacketReq3(r.fd, unix.SOL_PACKET, unix.PACKET_RX_RING, &size) },
		func() (err error) {
			r.memory, err = unix.Mmap(r.fd, 0, blockSize*blocks, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
			return err
		},
		func() error {
			return unix.Bind(r.fd, &unix.SockaddrLinklayer{Protocol: everything, Ifindex: index})
		},
		func() error { return r.kind(index) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// everything is ETH_P_ALL as the network writes it.
var everything = binary.NativeEndian.Uint16([]byte{0, unix.ETH_P_ALL})

// kind refuses what is not Ethernet, and asks for frames to others, which only
// a link has, not loopback.
func (r *ring) kind(index int) error {
	name, err := unix.Getsockname(r.fd)
	if err != nil {
		return err
	}
	switch at, _ := name.(*unix.SockaddrLinklayer); at.Hatype {
	case unix.ARPHRD_LOOPBACK:
		r.onlyHost = true
		return nil
	case unix.ARPHRD_ETHER:
		all := unix.PacketMreq{Ifindex: int32(index), Type: unix.PACKET_MR_PROMISC} //nolint:gosec // the system's own number
		return unix.SetsockoptPacketMreq(r.fd, unix.SOL_PACKET, unix.PACKET_ADD_MEMBERSHIP, &all)
	default:
		return fmt.Errorf("it is of type %d, and only Ethernet is captured", at.Hatype)
	}
}

func (r *ring) loopback() bool { return r.onlyHost }

// read waits at most pollEvery, and takes all blocks that are full or old.
func (r *ring) read(take func(frame)) error {
	poll := []unix.PollFd{{Fd: int32(r.fd), Events: unix.POLLIN}} //nolint:gosec // a descriptor of the system
	if _, err := unix.Poll(poll, int(pollEvery/time.Millisecond)); err != nil && !errors.Is(err, unix.EINTR) {
		return fmt.Errorf("waiting for frames: %w", err)
	}
	for range blocks {
		block := r.memory[r.next*blockSize:][:blockSize]
		status := (*uint32)(unsafe.Pointer(&block[blockStatus]))
		if atomic.LoadUint32(status)&unix.TP_STATUS_USER == 0 {
			return nil
		}
		walk(block, take)
		atomic.StoreUint32(status, unix.TP_STATUS_KERNEL)
		r.next = (r.next + 1) % blocks
	}
	return nil
}

// walk delivers the frames of a block.
func walk(block []byte, take func(frame)) {
	u32 := func(b []byte, at int) int { return int(binary.NativeEndian.Uint32(b[at:])) }
	at := u32(block, blockFirst)
	for range u32(block, blockCount) {
		if at+frameHeader > len(block) {
			return
		}
		h := block[at:]
		from := int(binary.NativeEndian.Uint16(h[frameMAC:]))
		to := min(from+u32(h, frameKept), len(h))
		take(frame{
			at:       time.Unix(int64(u32(h, frameSec)), int64(u32(h, frameNsec))).UTC(),
			data:     h[min(from, to):to],
			length:   u32(h, frameLength),
			outgoing: h[frameType] == unix.PACKET_OUTGOING,
		})
		at += u32(h, frameNext)
	}
}

// dropped adds up the counts, which the system sets back when it is asked.
func (r *ring) dropped() (int64, error) {
	s, err := unix.GetsockoptTpacketStatsV3(r.fd, unix.SOL_PACKET, unix.PACKET_STATISTICS)
	if err != nil {
		return 0, fmt.Errorf("asking for lost frames: %w", err)
	}
	r.lost += int64(s.Drops)
	return r.lost, nil
}

func (r *ring) close() error {
	var err error
	if r.memory != nil {
		err = unix.Munmap(r.memory)
	}
	return errors.Join(err, unix.Close(r.fd))
}
