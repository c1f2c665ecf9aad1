package coapdoor

import (
	"errors"

	"github.com/assay-iot/assay/harness/probes/internal/coapwire"
	"github.com/assay-iot/assay/harness/transport"
)

// A line carries messages. What receive returns with a *coapwire.MalformedError
// took up size bytes and is no message; over a stream nothing comes after it.
type line interface {
	send(m coapwire.Message) (size int, err error)
	receive() (m coapwire.Message, size int, err error)
}

// overDatagrams is a line on which each Read takes one message.
type overDatagrams struct {
	conn   transport.Conn
	buf    []byte
	header int // bytes of UDP and IP around a message
}

const (
	headerUDP = 8
	headerIP4 = 20
	headerIP6 = 40
)

// maxDatagram bounds a datagram, and one byte shows that more came.
const maxDatagram = coapwire.MaxMessage + 1

func (l *overDatagrams) send(m coapwire.Message) (int, error) {
	b, err := m.Encode()
	if err != nil {
		return 0, err
	}
	_, err = l.conn.Write(b)
	return len(b) + l.header, err
}

func (l *overDatagrams) receive() (coapwire.Message, int, error) {
	n, err := l.conn.Read(l.buf)
	if err != nil {
		return coapwire.Message{}, n, err
	}
	m, err := coapwire.Decode(append([]byte(nil), l.buf[:n]...))
	return m, n + l.header, err
}

// overWeb is a line inside WebSocket.
type overWeb struct {
	conn transport.Conn
	buf  []byte
}

func (l *overWeb) send(m coapwire.Message) (int, error) {
	b, err := m.EncodeWeb()
	if err != nil {
		return 0, err
	}
	_, err = l.conn.Write(b)
	return len(b), err
}

func (l *overWeb) receive() (coapwire.Message, int, error) {
	n, err := l.conn.Read(l.buf)
	if err != nil {
		return coapwire.Message{}, n, err
	}
	m, err := coapwire.DecodeWeb(append([]byte(nil), l.buf[:n]...))
	return m, n, err
}

// overStream is a line over TCP or TLS.
type overStream struct {
	conn   transport.Conn
	reader *coapwire.Reader
}

func (l *overStream) send(m coapwire.Message) (int, error) {
	b, err := m.EncodeStream()
	if err != nil {
		return 0, err
	}
	_, err = l.conn.Write(b)
	return len(b), err
}

func (l *overStream) receive() (coapwire.Message, int, error) { return l.reader.Next() }

// lineOf returns the line of a door.
func lineOf(d Door, conn transport.Conn) line {
	switch d.Transport {
	case UDP, DTLS:
		header := headerUDP + headerIP4
		if d.Addr.Addr().Unmap().Is6() {
			header = headerUDP + headerIP6
		}
		return &overDatagrams{conn, make([]byte, maxDatagram), header}
	case WS, WSS:
		return &overWeb{conn, make([]byte, maxDatagram)}
	}
	return &overStream{conn, coapwire.NewReader(conn)}
}

// malformed reports whether err is about what came, and not about how.
func malformed(err error) bool {
	_, ok := errors.AsType[*coapwire.MalformedError](err)
	return ok
}
