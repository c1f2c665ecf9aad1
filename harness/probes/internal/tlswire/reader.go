package tlswire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

const (
	// maxMessage bounds a handshake message: a chain of ten long certificates
	// has room in it.
	maxMessage = 256 << 10
	// maxRecord is what a record may hold, with what encryption adds in old
	// versions (RFC 5246, 6.2.3).
	maxRecord = 1<<14 + 2048
	// maxRecords bounds the records of an exchange, so that empty ones end.
	maxRecords = 4096
	// maxWarnings bounds the alerts that change nothing.
	maxWarnings = 16
	// maxTotal bounds an exchange.
	maxTotal = 1 << 20
)

// ErrTooMuch says that a server sent more than an exchange may hold.
var ErrTooMuch = errors.New("the server sent more than an answer may hold")

// ErrEncrypted says that what follows cannot be read.
var ErrEncrypted = errors.New("what follows is encrypted")

// A FormatError says how what came is not TLS.
type FormatError struct{ What string }

// Error says so.
func (e *FormatError) Error() string { return "not TLS: " + e.What }

func malformed(format string, args ...any) error { return &FormatError{fmt.Sprintf(format, args...)} }

// A Message is a handshake message, or an alert if Alert is set.
type Message struct {
	Type  byte
	Body  []byte
	Alert *Alert
}

// An Alert ends a connection, or warns.
type Alert struct{ Level, Description byte }

// Fatal reports whether an alert ends the handshake: close_notify does so
// whatever its level.
func (a Alert) Fatal() bool { return a.Level != 1 || a.Description == 0 }

// A Reader reads what a server says before it encrypts.
type Reader struct {
	r        io.Reader
	pending  []byte // of handshake messages
	records  int
	total    int
	warnings int
}

// NewReader returns a Reader of r.
func NewReader(r io.Reader) *Reader { return &Reader{r: r} }

// Next returns the next message. Its error is a *FormatError, ErrTooMuch,
// ErrEncrypted or that of the connection; io.EOF in the middle of something is
// io.ErrUnexpectedEOF. Warnings are left out.
func (r *Reader) Next() (Message, error) {
	for {
		if m, ok, err := r.message(); ok || err != nil {
			return m, err
		}
		kind, body, err := r.record()
		if err != nil {
			return Message{}, err
		}
		switch kind {
		case contentHandshake:
			r.pending = append(r.pending, body...)
		case contentAlert:
			if a, err := r.alert(body); err != nil || a.Fatal() {
				return Message{Alert: &a}, err
			}
		default: // change_cipher_spec and what comes after it
			return Message{}, ErrEncrypted
		}
	}
}

// message takes one message from what is pending.
func (r *Reader) message() (Message, bool, error) {
	if len(r.pending) < 4 {
		return Message{}, false, nil
	}
	n := int(r.pending[1])<<16 | int(r.pending[2])<<8 | int(r.pending[3])
	if n > maxMessage {
		return Message{}, false, ErrTooMuch
	}
	if len(r.pending) < 4+n {
		return Message{}, false, nil
	}
	m := Message{Type: r.pending[0], Body: r.pending[4 : 4+n : 4+n]}
	r.pending = r.pending[4+n:]
	return m, true, nil
}

// record reads one record. Its first byte and its version are looked at before
// its length is believed.
func (r *Reader) record() (byte, []byte, error) {
	if r.records++; r.records > maxRecords {
		return 0, nil, ErrTooMuch
	}
	var head [5]byte
	if err := r.full(head[:1], len(r.pending) > 0); err != nil {
		return 0, nil, err
	}
	if head[0] < contentCipherSpec || head[0] > contentData {
		return 0, nil, malformed("a record begins with %#x", head[0])
	}
	if err := r.full(head[1:], true); err != nil {
		return 0, nil, err
	}
	n := int(binary.BigEndian.Uint16(head[3:]))
	switch {
	case head[1] != 3 || head[2] > 4:
		return 0, nil, malformed("a record has version %#x", head[1:3])
	case n > maxRecord:
		return 0, nil, malformed("a record is %d bytes long", n)
	case r.total+n > maxTotal:
		return 0, nil, ErrTooMuch
	}
	r.total += n
	body := make([]byte, n)
	return head[0], body, r.full(body, true)
}

// full fills b. The connection may end before it, but not within what began.
func (r *Reader) full(b []byte, begun bool) error {
	_, err := io.ReadFull(r.r, b)
	if begun && errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// alert reads an alert.
func (r *Reader) alert(body []byte) (Alert, error) {
	if len(body) != 2 || body[0] != 1 && body[0] != 2 {
		return Alert{}, malformed("an alert is %#x", body[:min(len(body), 4)])
	}
	if r.warnings++; r.warnings > maxWarnings {
		return Alert{}, ErrTooMuch
	}
	return Alert{body[0], body[1]}, nil
}
