package bundle

import (
	"encoding/binary"

	"github.com/assay-iot/assay/harness/evidence"
)

// part is one member as the zip around it tells of it. Nothing else in a zip is
// left to choice: stored, the earliest date there is, no flags, no comments, no
// extra fields. So a reader can work out every byte that is not a member's, and
// compare.
type part struct {
	name   evidence.Member
	length int64
	crc    uint32
}

// Fixed values of the format (PKWARE APPNOTE 4.3.7, 4.3.12, 4.3.16).
const (
	localMagic     = 0x04034b50
	directoryMagic = 0x02014b50
	endMagic       = 0x06054b50
	versionStored  = 10       // 1.0, enough for stored members
	firstDate      = 1<<5 | 1 // 1 January 1980

	// lengthAt is where a local header holds the member's length, and
	// localLen how long it is without the name.
	lengthAt = 22
	localLen = 30
)

// header is what stands before the member.
func (p part) header() []byte {
	return p.common(binary.LittleEndian.AppendUint32(nil, localMagic), nil)
}

// end is where the member stops if its header begins at offset.
func (p part) end(offset int64) int64 { return offset + localLen + int64(len(p.name)) + p.length }

// common appends the fields that the local and the central header share, what
// the central one has besides, and the name.
func (p part) common(b, more []byte) []byte {
	le := binary.LittleEndian
	for _, v := range []uint16{versionStored, 0 /* flags */, 0 /* stored */, 0 /* midnight */, firstDate} {
		b = le.AppendUint16(b, v)
	}
	for _, v := range []uint32{p.crc, in32(p.length), in32(p.length)} {
		b = le.AppendUint32(b, v)
	}
	b = le.AppendUint16(b, in16(len(p.name)))
	b = le.AppendUint16(b, 0) // extra fields
	return append(append(b, more...), p.name...)
}

// directory is what stands after the last member.
func directory(parts []part) []byte {
	le := binary.LittleEndian
	var b []byte
	var offset int64
	for _, p := range parts {
		b = le.AppendUint32(b, directoryMagic)
		b = le.AppendUint16(b, versionStored)
		more := make([]byte, 10) // comment, disk, attributes: none
		b = p.common(b, le.AppendUint32(more, in32(offset)))
		offset = p.end(offset)
	}
	length := in32(int64(len(b)))
	b = le.AppendUint32(b, endMagic)
	b = le.AppendUint32(b, 0) // disks
	b = le.AppendUint16(b, in16(len(parts)))
	b = le.AppendUint16(b, in16(len(parts)))
	b = le.AppendUint32(b, length)
	b = le.AppendUint32(b, in32(offset))
	return le.AppendUint16(b, 0) // comment
}

// in32 and in16 fit a number into its field. What could not fit was refused
// before: see MaxBundle, MaxMembers and maxName.
func in32(n int64) uint32 { return uint32(n) } //nolint:gosec // bounded, as said above
func in16(n int) uint16   { return uint16(n) } //nolint:gosec // bounded, as said above
