package tlswire

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"strings"

	"golang.org/x/crypto/chacha20poly1305"
	"golang.org/x/crypto/cryptobyte"
)

// A Flight13 is what a server of TLS 1.3 said under encryption, before the
// client finished.
type Flight13 struct {
	Chain     [][]byte // the first ten certificates
	Served    int      // how many there were
	Signature uint16   // scheme of its CertificateVerify, 0 if none came
}

// The types of messages of that flight.
const (
	typeCertificateVerify = 15
	typeFinished          = 20
)

// ReadFlight13 opens what a server said, with the secrets that the client's
// side logged in the format of NSS. What is broken ends the flight.
func ReadFlight13(log string, heard []byte) (Flight13, error) {
	var f Flight13
	secret, err := secretOf(log, "SERVER_HANDSHAKE_TRAFFIC_SECRET")
	if err != nil {
		return f, err
	}
	r := &Reader{r: bytes.NewReader(heard)}
	keys, err := r.keys13(secret)
	if err != nil {
		return f, err
	}
	r.pending = nil
	for {
		kind, body, err := r.record()
		if err != nil {
			return f, err
		}
		if kind != contentData {
			continue // change_cipher_spec, which means nothing
		}
		if kind, body, err = keys.open(body); err != nil || kind != contentHandshake {
			return f, malformed("an encrypted record that is no handshake")
		}
		r.pending = append(r.pending, body...)
		if done, err := f.take(r); done || err != nil {
			return f, err
		}
	}
}

// secretOf finds a secret in a log.
func secretOf(log, label string) ([]byte, error) {
	for line := range strings.Lines(log) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == label {
			return hex.DecodeString(fields[2])
		}
	}
	return nil, errSession
}

// keys13 reads to the ServerHello, past a request for another one, and derives
// the keys of its suite (RFC 8446, 7.3).
func (r *Reader) keys13(secret []byte) (*half13, error) {
	for {
		m, err := r.Next()
		if err == ErrEncrypted { //nolint:errorlint // a change_cipher_spec after a retry request
			continue
		}
		if err != nil {
			return nil, err
		}
		hello, err := ParseServerHello(m.Body)
		if err != nil || m.Type != TypeServerHello || hello.Version != TLS13 {
			return nil, errSession
		}
		if !hello.Retry {
			return newHalf13(hello.Suite, secret)
		}
	}
}

// half13 protects one direction of TLS 1.3.
type half13 struct {
	aead cipher.AEAD
	iv   []byte
	seq  uint64
}

func newHalf13(suite uint16, secret []byte) (*half13, error) {
	length, h := 16, sha256.New
	switch suite {
	case 0x1302:
		length, h = 32, sha512.New384
	case 0x1303:
		length = chacha20poly1305.KeySize
	}
	key, err := expand(h, secret, "key", length)
	if err != nil {
		return nil, err
	}
	iv, err := expand(h, secret, "iv", chacha20poly1305.NonceSize)
	if err != nil {
		return nil, err
	}
	if suite == 0x1303 {
		aead, err := chacha20poly1305.New(key)
		return &half13{aead: aead, iv: iv}, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	return &half13{aead: aead, iv: iv}, err
}

// expand is HKDF-Expand-Label without a context (RFC 8446, 7.1).
func expand(h func() hash.Hash, secret []byte, label string, n int) ([]byte, error) {
	info := append(binary.BigEndian.AppendUint16(nil, uint16(n)), byte(len("tls13 ")+len(label))) //nolint:gosec // of a key
	info = append(append(info, "tls13 "+label...), 0)
	return hkdf.Expand(h, secret, string(info), n)
}

// open opens a record and takes its padding off.
func (k *half13) open(body []byte) (byte, []byte, error) {
	nonce := bytes.Clone(k.iv)
	for i, b := range binary.BigEndian.AppendUint64(nil, k.seq) {
		nonce[len(nonce)-8+i] ^= b
	}
	head := binary.BigEndian.AppendUint16([]byte{contentData, 3, 3}, uint16(len(body))) //nolint:gosec // of a record
	plain, err := k.aead.Open(nil, nonce, body, head)
	if err != nil {
		return 0, nil, err
	}
	k.seq++
	if plain = bytes.TrimRight(plain, "\x00"); len(plain) == 0 {
		return 0, nil, malformed("a record of nothing but padding")
	}
	return plain[len(plain)-1], plain[:len(plain)-1], nil
}

// take takes in the messages that are whole, and reports whether the last one is
// among them.
func (f *Flight13) take(r *Reader) (bool, error) {
	for {
		m, ok, err := r.message()
		if !ok || err != nil {
			return false, err
		}
		switch m.Type {
		case TypeCertificate:
			err = f.certificates(m.Body)
		case typeCertificateVerify:
			if len(m.Body) < 2 {
				return false, malformed("a certificate verify of %d bytes", len(m.Body))
			}
			f.Signature = binary.BigEndian.Uint16(m.Body)
		case typeFinished:
			return true, nil
		}
		if err != nil {
			return false, err
		}
	}
}

// certificates reads a Certificate message (RFC 8446, 4.4.2).
func (f *Flight13) certificates(body []byte) error {
	var context, list cryptobyte.String
	in := cryptobyte.String(body)
	if !in.ReadUint8LengthPrefixed(&context) || !in.ReadUint24LengthPrefixed(&list) || !in.Empty() {
		return malformed("a certificate message of %d bytes", len(body))
	}
	f.Chain, f.Served = nil, 0
	for !list.Empty() {
		var c, extensions cryptobyte.String
		if !list.ReadUint24LengthPrefixed(&c) || c.Empty() || !list.ReadUint16LengthPrefixed(&extensions) {
			return malformed("certificate %d of a chain", f.Served+1)
		}
		if f.Served++; f.Served <= maxCertificates {
			f.Chain = append(f.Chain, c)
		}
	}
	return nil
}
