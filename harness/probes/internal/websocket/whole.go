package websocket

import "io"

// whole reads a message at a time. After a time-out reading goes on where it
// was.
type whole struct {
	*framed
	most int
	have []byte // of the message that is being read
}

// Read takes one message. What is longer than the cap, or than b, is an error.
func (w *whole) Read(b []byte) (int, error) {
	for {
		for w.left == 0 && !w.done() {
			if err := w.header(); err != nil {
				return 0, err
			}
		}
		if w.left > uint64(w.most-len(w.have)) { //nolint:gosec // never negative
			return 0, badFrame("of a message that is too long")
		}
		if w.left == 0 {
			return w.hand(b)
		}
		begun := len(w.have)
		w.have = append(w.have, make([]byte, w.left)...)
		n, err := io.ReadFull(w.reader, w.have[begun:])
		w.have, w.left = w.have[:begun+n], w.left-uint64(n) //nolint:gosec // never negative
		if err != nil {
			return 0, noEnd(err)
		}
	}
}

// done reports whether the last frame of the message was read.
func (w *whole) done() bool { return w.begun && w.fin && w.left == 0 }

// hand hands out the message and begins the next.
func (w *whole) hand(b []byte) (int, error) {
	n := copy(b, w.have)
	short := n < len(w.have)
	w.have, w.begun, w.fin = nil, false, false
	if short {
		return 0, badFrame("of a message that is too long")
	}
	return n, nil
}

// noEnd is the error of a message that does not end.
func noEnd(err error) error {
	if err == io.EOF { //nolint:errorlint // of io.ReadFull
		return io.ErrUnexpectedEOF
	}
	return err
}
