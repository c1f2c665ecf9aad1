package legacytls

import (
	"bytes"
	"slices"
	"testing"
)

// FuzzReadHello takes what any client may send.
func FuzzReadHello(f *testing.F) {
	f.Add(offer{version: TLS12, suites: []uint16{0x002f, 0xc013}, compressions: []byte{1, 0}}.bytes())
	f.Add(offer{version: SSL30, suites: []uint16{0x0003}}.bytes())
	f.Add([]byte{recordHandshake, 3, 1, 0, 1, ClientHello, recordHandshake, 3, 1, 0, 3, 0, 0, 0})
	s := &Server{Versions: []uint16{SSL30, TLS12}, Suites: Suites()}
	f.Fuzz(func(t *testing.T, b []byte) {
		hello, err := ReadHello(bytes.NewReader(b))
		if err != nil {
			return
		}
		if !bytes.HasPrefix(b, hello.Raw) {
			t.Fatalf("what was read is not what was sent: % x", hello.Raw)
		}
		if c, ok := s.Choose(hello); ok && (!slices.Contains(hello.Suites, c.Suite) || c.Version > hello.Version) {
			t.Errorf("chose %+v of %+v", c, hello)
		}
	})
}
