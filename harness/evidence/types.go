package evidence

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
)

// Tri is a fact that may not be known. The zero value is Unknown.
type Tri int

const (
	Unknown Tri = iota
	Yes
	No
)

var triNames = []string{"unknown", "yes", "no"}

// String returns "unknown", "yes" or "no".
func (t Tri) String() string { return triNames[t] }

// MarshalText writes t as String does.
func (t Tri) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText accepts what MarshalText writes.
func (t *Tri) UnmarshalText(b []byte) error {
	i := slices.Index(triNames, string(b))
	if i < 0 {
		return fmt.Errorf("%q is not one of %q", b, triNames)
	}
	*t = Tri(i)
	return nil
}

// Bytes is something that a device sent. It is kept as it came; its preview is
// safe to show anywhere.
type Bytes []byte

// maxPreview bounds a preview, in bytes of the original.
const maxPreview = 64

// String returns a preview in printable ASCII, everything else escaped.
func (b Bytes) String() string {
	s := strconv.QuoteToASCII(string(b[:min(len(b), maxPreview)]))
	return s[1 : len(s)-1]
}

type storedBytes struct {
	Raw     []byte `json:"base64"`
	Preview string `json:"preview"`
}

// MarshalJSON writes the raw bytes and the preview.
func (b Bytes) MarshalJSON() ([]byte, error) {
	return json.Marshal(storedBytes{append([]byte{}, b...), b.String()})
}

// UnmarshalJSON reads the raw bytes; the preview only has to agree with them.
func (b *Bytes) UnmarshalJSON(data []byte) error {
	var s storedBytes
	if err := json.Unmarshal(data, &s); err != nil {
		return err
	}
	if *b = s.Raw; s.Preview != b.String() {
		return fmt.Errorf("preview %q does not show the bytes", s.Preview)
	}
	return nil
}

// A Secret stands for a password or key that the record must not hold. Two
// secrets of one run are the same if and only if their tags are.
type Secret struct {
	Class  SecretClass `json:"class"`
	Length int         `json:"length_bytes"`
	Mask   Bytes       `json:"mask"` // first byte of secrets of 8 bytes or more
	Tag    Digest      `json:"tag"`  // HMAC-SHA-256 under the run's compare key
}

// SecretClass is the kind of a secret: "password", "pin", "token".
type SecretClass string

// A Digest is a hash in lower-case hexadecimal.
type Digest string

// Hide returns the stand-in for raw. The key is the run's compare key, which no
// public part of a bundle holds.
func Hide(key []byte, class SecretClass, raw []byte) Secret {
	h := hmac.New(sha256.New, key)
	h.Write(raw)
	s := Secret{Class: class, Length: len(raw), Tag: Digest(hex.EncodeToString(h.Sum(nil)))}
	if len(raw) >= 8 {
		s.Mask = bytes.Clone(raw[:1])
	}
	return s
}

// A Span is where the bytes lie that show a fact.
type Span struct {
	Member Member `json:"member"` // of the bundle; empty if nothing was received
	Offset int64  `json:"offset"`
	Length int64  `json:"length"`
}

// Frames is a run of frames of a capture, counted from 1. The zero value is
// none.
type Frames struct {
	Member Member `json:"member"`
	First  int64  `json:"first"`
	Count  int64  `json:"count"`
}

// A Member is the name of a file in a bundle.
type Member string

// An Endpoint is the place that an item speaks of. The zero value is the device
// as a whole.
type Endpoint struct {
	Name string // "tcp/192.0.2.1:23", optionally "#SUBJECT"
	Key  string // the same without the address: stable from run to run
}

// TCP returns the endpoint of a TCP port.
func TCP(a netip.AddrPort) Endpoint {
	return Endpoint{"tcp/" + a.String(), "tcp/" + strconv.Itoa(int(a.Port()))}
}

// UDP returns the endpoint of a UDP port.
func UDP(a netip.AddrPort) Endpoint {
	return Endpoint{"udp/" + a.String(), "udp/" + strconv.Itoa(int(a.Port()))}
}

// Bench returns the endpoint of a server that the harness plays for the device.
func Bench(role string) Endpoint { return Endpoint{"bench/" + role, "bench/" + role} }

// Subject returns the endpoint of a topic, path or server name at e.
func (e Endpoint) Subject(s string) Endpoint { return Endpoint{e.Name + "#" + s, e.Key + "#" + s} }
