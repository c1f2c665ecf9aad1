package dtlswire

import (
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
)

const (
	fragmentHeader = 12
	// messageMost is the most that one message may hold. A chain of certificates
	// is the longest, and no device needs more for it.
	messageMost = 64 << 10
	// flightMost is the most that the messages of one flight may hold together.
	flightMost = 256 << 10
	// messagesMost is how many messages one flight may have; that of a server has
	// six.
	messagesMost = 16
	// fragmentsMost is how many fragments one flight may come in, copies counted.
	fragmentsMost = 4096
)

// Errors of flights that cannot be put together. What was whole before stays.
var (
	ErrTooMuch      = errors.New("more than a flight may hold")
	ErrContradicted = errors.New("two fragments contradict each other")
)

// A Fragment is a part of a handshake message.
type Fragment struct {
	Type   byte
	Seq    uint16 // of the message
	Whole  int    // length of the message
	Offset int    // of the part in it
	Body   []byte
}

// Bytes returns the fragment as it stands in a record.
func (f Fragment) Bytes() []byte {
	b := cryptobyte.NewBuilder(nil)
	b.AddUint8(f.Type)
	b.AddUint24(uint32(f.Whole)) //nolint:gosec // 24 bits by the format
	b.AddUint16(f.Seq)
	b.AddUint24(uint32(f.Offset)) //nolint:gosec // likewise
	b.AddUint24LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(f.Body) })
	return b.BytesOrPanic()
}

// fragments reads the body of a record of handshake.
func fragments(body []byte) ([]Fragment, error) {
	var list []Fragment
	s := cryptobyte.String(body)
	for !s.Empty() {
		var f Fragment
		var whole, offset uint32
		var part cryptobyte.String
		if !s.ReadUint8(&f.Type) || !s.ReadUint24(&whole) || !s.ReadUint16(&f.Seq) || !s.ReadUint24(&offset) || !s.ReadUint24LengthPrefixed(&part) {
			return list, errors.New("a fragment is cut off")
		}
		f.Whole, f.Offset, f.Body = int(whole), int(offset), part
		if f.Offset+len(f.Body) > f.Whole {
			return list, fmt.Errorf("a fragment reaches %d bytes into a message of %d", f.Offset+len(f.Body), f.Whole)
		}
		list = append(list, f)
	}
	return list, nil
}
