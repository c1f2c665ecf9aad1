package tlswire

import (
	"bytes"
	"crypto/ecdh"
	"crypto/mlkem"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"
	"time"
)

// seen is what crypto/tls reads from a hello.
func seen(t *testing.T, record []byte) *tls.ClientHelloInfo {
	t.Helper()
	ours, theirs := net.Pipe()
	var info *tls.ClientHelloInfo
	enough := errors.New("enough")
	done := make(chan error, 1)
	go func() {
		done <- tls.Server(theirs, &tls.Config{GetConfigForClient: func(i *tls.ClientHelloInfo) (*tls.Config, error) {
			info = i
			return nil, enough
		}}).Handshake()
		theirs.Close()
	}()
	if err := ours.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := ours.Write(record); err != nil {
		t.Fatal(err)
	}
	ours.Read(make([]byte, 64)) // its alert
	if err := <-done; !errors.Is(err, enough) {
		t.Fatalf("crypto/tls does not read it: %v", err)
	}
	ours.Close()
	return info
}

func share(t *testing.T, group uint16) Share {
	t.Helper()
	s, err := NewShare(group)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestHello(t *testing.T) {
	h := Hello{
		Version: TLS13, Older: []uint16{TLS12, TLS11}, Suites: []uint16{0x1301, 0xc02f}, Groups: []uint16{X25519MLKEM768, X25519},
		Shares: []Share{share(t, X25519MLKEM768), share(t, X25519)}, Signatures: Signatures(),
		ServerName: "device.example", Protocols: []string{"h2", "mqtt"},
	}
	info := seen(t, h.Record())
	if !slices.Equal(info.CipherSuites, h.Suites) || info.ServerName != h.ServerName || !slices.Equal(info.SupportedProtos, h.Protocols) ||
		!slices.Equal(info.SupportedVersions, []uint16{TLS13, TLS12, TLS11}) || len(info.SignatureSchemes) != len(h.Signatures) ||
		!slices.Equal(info.SupportedCurves, []tls.CurveID{tls.X25519MLKEM768, tls.X25519}) {
		t.Errorf("crypto/tls reads %+v", info)
	}
	for _, version := range []uint16{TLS10, TLS11, TLS12} {
		info := seen(t, Hello{Version: version, Suites: []uint16{0x002f, 0x0005}, Groups: []uint16{P256}, Signatures: Signatures()}.Record())
		if slices.Max(info.SupportedVersions) != version || !slices.Equal(info.CipherSuites, []uint16{0x002f, 0x0005}) {
			t.Errorf("%x: crypto/tls reads %+v", version, info)
		}
		if (len(info.SignatureSchemes) > 0) != (version == TLS12) || info.ServerName != "" || info.SupportedProtos != nil {
			t.Errorf("%x: signatures %v, name %q", version, info.SignatureSchemes, info.ServerName)
		}
	}
}

// The bytes of a hello of SSL 3.0: no extensions, RFC 5746 by a suite.
func TestHelloSSL30(t *testing.T) {
	got := Hello{Version: SSL30, Suites: []uint16{0x0005}, Groups: []uint16{P256}, Deflate: true, ServerName: "x"}.Record()
	clear(got[11:43]) // random
	want := "16030000300100002c0300" + strings.Repeat("00", 32) + "00" + "0004000500ff" + "020100"
	if hex.EncodeToString(got) != want {
		t.Errorf("got  %x\nwant %s", got, want)
	}
}

func TestHelloVersions(t *testing.T) {
	for version, want := range map[uint16]string{SSL30: "160300", TLS10: "160301", TLS11: "160301", TLS12: "160301", TLS13: "160301"} {
		h := Hello{Version: version, Suites: []uint16{0x1301}}
		if got := hex.EncodeToString(h.Record()[:3]); got != want {
			t.Errorf("%x: record begins %s, want %s", version, got, want)
		}
		m := h.Message()
		if got := uint16(m[4])<<8 | uint16(m[5]); got != min(version, TLS12) {
			t.Errorf("%x: the message says %x", version, got)
		}
		if (m[38] == 32) != (version == TLS13) {
			t.Errorf("%x: session of %d bytes", version, m[38])
		}
		if bytes.Equal(m[6:38], h.Message()[6:38]) {
			t.Error("the random is the same twice")
		}
	}
	plain, again := Hello{Version: TLS12, Suites: []uint16{1}}, []byte("twelve bytes")
	if !bytes.Contains(plain.Again(again), append([]byte{0xff, 0x01, 0, 13, 12}, again...)) || !bytes.Contains(plain.Message(), []byte{0xff, 0x01, 0, 1, 0}) {
		t.Error("renegotiation_info is not what RFC 5746 wants")
	}
}

// Each share has the size of its group, and the parts of a hybrid one are keys.
func TestShares(t *testing.T) {
	for group, length := range map[uint16]int{
		X25519: 32, P256: 65, P384: 97, P521: 133, MLKEM768: 1184,
		X25519MLKEM768: 1184 + 32, SecP256r1MLKEM768: 65 + 1184, SecP384r1MLKEM1024: 97 + 1568,
	} {
		s := share(t, group)
		if s.Group != group || len(s.Public) != length {
			t.Errorf("%s: %d bytes, want %d", GroupName(group), len(s.Public), length)
		}
	}
	x, p := share(t, X25519MLKEM768).Public, share(t, SecP256r1MLKEM768).Public
	_, err := mlkem.NewEncapsulationKey768(x[:1184])
	_, err2 := ecdh.P256().NewPublicKey(p[:65])
	_, err3 := mlkem.NewEncapsulationKey768(p[65:])
	if err := errors.Join(err, err2, err3); err != nil {
		t.Errorf("a part is no key: %v", err)
	}
	if _, err := NewShare(0x0100); err == nil || !strings.Contains(err.Error(), "ffdhe2048") {
		t.Errorf("a share that cannot be made: %v", err)
	}
}

func TestGroups(t *testing.T) {
	for _, g := range Groups(TLS13) {
		if g.Code < 23 || g.Code >= 26 && g.Code <= 28 {
			t.Errorf("TLS 1.3 knows no %s", g.Name)
		}
	}
	for _, g := range Groups(TLS12) {
		if g.Code >= 0x0200 && g.Code != 0xff01 {
			t.Errorf("TLS 1.2 knows no %s", g.Name)
		}
	}
	if n, m := len(Groups(TLS13)), len(Groups(TLS12)); n < 18 || m < 30 || GroupName(X25519MLKEM768) != "X25519MLKEM768" || GroupName(0xffff) != "" {
		t.Errorf("%d and %d groups", n, m)
	}
	if VersionName(SSL30) != "SSL 3.0" || VersionName(TLS13) != "TLS 1.3" || VersionName(0x0305) != "" {
		t.Error("versions are called otherwise")
	}
}
