package tlswire

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"strings"
)

// A Session goes on where a handshake of TLS 1.2 with AES-GCM ended, which
// somebody else made and logged the secret of.
type Session struct {
	client, server half
	in             io.Reader
	verify         []byte // what the client said in its Finished
	begun          bool   // whether the server encrypts
}

// half protects one direction (RFC 5288, 3).
type half struct {
	aead cipher.AEAD
	salt []byte
	seq  uint64
}

// SessionSuites are the suites that a Session goes on with.
func SessionSuites() []uint16 { return []uint16{0xc02b, 0xc02f, 0xc02c, 0xc030, 0x009c, 0x009d} }

var errSession = errors.New("the handshake left nothing to go on with")

// Continue returns the session of a handshake: its key log in the format of NSS,
// and what the client and the server said.
func Continue(log string, said, heard []byte, more io.Reader) (*Session, error) {
	line := strings.Fields(log)
	if len(line) != 3 || line[0] != "CLIENT_RANDOM" {
		return nil, errSession
	}
	random, err := hex.DecodeString(line[1])
	master, err2 := hex.DecodeString(line[2])
	m, err3 := NewReader(bytes.NewReader(heard)).Next()
	if err := errors.Join(err, err2, err3); err != nil {
		return nil, err
	}
	hello, err := ParseServerHello(m.Body)
	if err != nil {
		return nil, err
	}
	s := &Session{in: io.MultiReader(bytes.NewReader(heard), more)}
	if err := s.keys(hello, master, random); err != nil {
		return nil, err
	}
	if err := s.finished(said); err != nil {
		return nil, err
	}
	return s, nil
}

// keys derives the keys (RFC 5246, 6.3).
func (s *Session) keys(hello ServerHello, master, random []byte) error {
	suite, _ := Lookup(hello.Suite)
	length, h := 16, sha256.New
	if strings.Contains(suite.Encryption, "256") {
		length, h = 32, sha512.New384
	}
	block := prf(h, master, "key expansion", append(hello.Random[:], random...), 2*length+8)
	var err error
	if s.client, err = newHalf(block[:length], block[2*length:2*length+4]); err != nil {
		return err
	}
	s.server, err = newHalf(block[length:2*length], block[2*length+4:])
	return err
}

func newHalf(key, salt []byte) (half, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return half{}, err
	}
	aead, err := cipher.NewGCM(block)
	return half{aead: aead, salt: salt}, err
}

// prf is that of TLS 1.2 (RFC 5246, 5).
func prf(h func() hash.Hash, secret []byte, label string, seed []byte, n int) []byte {
	seed = append([]byte(label), seed...)
	sum := func(parts ...[]byte) []byte {
		m := hmac.New(h, secret)
		for _, p := range parts {
			m.Write(p)
		}
		return m.Sum(nil)
	}
	var out []byte
	for a := sum(seed); len(out) < n; a = sum(a) {
		out = append(out, sum(a, seed)...)
	}
	return out[:n]
}

// finished finds the Finished in what the client said.
func (s *Session) finished(said []byte) error {
	r, encrypted := &Reader{r: bytes.NewReader(said)}, false
	for {
		kind, body, err := r.record()
		switch {
		case err != nil:
			return errSession
		case kind == contentCipherSpec:
			encrypted = true
		case encrypted:
			m, err := s.client.open(kind, body)
			if err != nil || len(m) != 16 || m[0] != 20 {
				return errSession
			}
			s.verify = m[4:]
			return nil
		}
	}
}

// nonceLength is the part of a nonce that a record carries.
const nonceLength = 8

func (h *half) open(kind byte, body []byte) ([]byte, error) {
	if len(body) < nonceLength+h.aead.Overhead() {
		return nil, malformed("an encrypted record of %d bytes", len(body))
	}
	nonce := append(bytes.Clone(h.salt), body[:nonceLength]...)
	plain, err := h.aead.Open(nil, nonce, body[nonceLength:], h.additional(kind, len(body)-nonceLength-h.aead.Overhead()))
	if err != nil {
		return nil, malformed("an encrypted record that does not open")
	}
	h.seq++
	return plain, nil
}

func (h *half) seal(kind byte, plain []byte) []byte {
	explicit := binary.BigEndian.AppendUint64(nil, h.seq)
	body := h.aead.Seal(explicit, append(bytes.Clone(h.salt), explicit...), plain, h.additional(kind, len(plain)))
	h.seq++
	record := binary.BigEndian.AppendUint16([]byte{kind, 3, 3}, uint16(len(body))) //nolint:gosec // a hello is short
	return append(record, body...)
}

// additional is what a record is authenticated with.
func (h *half) additional(kind byte, n int) []byte {
	b := binary.BigEndian.AppendUint64(nil, h.seq)
	return binary.BigEndian.AppendUint16(append(b, kind, 3, 3), uint16(n)) //nolint:gosec // of a record
}

// Renegotiate returns the record in which the client begins a new handshake.
func (s *Session) Renegotiate(h Hello) []byte {
	return s.client.seal(contentHandshake, h.Again(s.verify))
}

// Next returns what the server says next of a handshake: a message or an alert.
// Application data is left out. Its errors are those of a Reader.
func (s *Session) Next() (Message, error) {
	r := &Reader{r: s.in}
	for {
		kind, body, err := r.record()
		if err != nil {
			return Message{}, err
		}
		if kind == contentCipherSpec {
			s.begun = true
			continue
		}
		if !s.begun {
			continue
		}
		if body, err = s.server.open(kind, body); err != nil {
			return Message{}, err
		}
		switch {
		case kind == contentAlert && len(body) == 2:
			return Message{Alert: &Alert{body[0], body[1]}}, nil
		case kind == contentHandshake && len(body) >= 4 && s.server.seq > 1 && body[0] != 0: // Finished was the first, a HelloRequest is none
			return Message{Type: body[0], Body: body[4:]}, nil
		}
	}
}
