package dtlswire

import (
	"encoding/binary"
	"errors"

	"golang.org/x/crypto/cryptobyte"
)

const (
	// recordHeader is the length of the header of a record in clear.
	recordHeader = 13
	// recordMost is the most that a record in clear may hold: RFC 6347, 4.1.
	recordMost = 1 << 14
	// recordsMost is how many records of one datagram are read. A flight of a
	// server has about six.
	recordsMost = 64
	// unified are the first three bits of a sealed record of 1.3: RFC 9147, 4.
	unified, unifiedMask = 0x20, 0xe0
)

// ErrNotDTLS is what is no record of DTLS.
var ErrNotDTLS = errors.New("not a record of DTLS")

// A Record is one record. Of a sealed one of DTLS 1.3 nothing but that is known.
type Record struct {
	Type    byte
	Version Version
	Epoch   uint16
	Seq     uint64 // 48 bits
	Body    []byte
	Sealed  bool
}

// Records returns the records of a datagram, those before the first that cannot
// be read even if it returns an error.
func Records(datagram []byte) ([]Record, error) {
	var records []Record
	for len(datagram) > 0 {
		if len(records) == recordsMost {
			return records, errors.New("too many records in one datagram")
		}
		if len(records) > 0 && datagram[0]&unifiedMask == unified {
			return append(records, Record{Sealed: true}), nil // may reach to the end
		}
		r, rest, err := record(datagram)
		if err != nil {
			return records, err
		}
		records, datagram = append(records, r), rest
	}
	return records, nil
}

// record reads the first record of b.
func record(b []byte) (Record, []byte, error) {
	if len(b) < recordHeader || b[0] < contentChangeCipher || b[0] >= unified || b[1] != 0xfe {
		return Record{}, nil, ErrNotDTLS
	}
	length := int(binary.BigEndian.Uint16(b[11:]))
	if length > recordMost || length > len(b)-recordHeader {
		return Record{}, nil, ErrNotDTLS
	}
	r := Record{
		Type:    b[0],
		Version: Version(binary.BigEndian.Uint16(b[1:])),
		Epoch:   binary.BigEndian.Uint16(b[3:]),
		Seq:     binary.BigEndian.Uint64(b[3:]) & (1<<48 - 1),
		Body:    b[recordHeader : recordHeader+length],
	}
	return r, b[recordHeader+length:], nil
}

// Bytes returns the record as it is sent.
func (r Record) Bytes() []byte {
	b := cryptobyte.NewBuilder(nil)
	b.AddUint8(r.Type)
	b.AddUint16(uint16(r.Version))
	b.AddUint16(r.Epoch)
	b.AddUint48(r.Seq)
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(r.Body) })
	return b.BytesOrPanic()
}
