package dtlsdoor_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/dtls/v3"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	. "github.com/assay-iot/assay/harness/probes/internal/dtlsdoor"
	"github.com/assay-iot/assay/harness/probes/internal/dtlsdoor/dtlstest"
	"github.com/assay-iot/assay/harness/probes/internal/dtlswire"
)

var own = probe.Login{ID: "device", User: dtlstest.Identity, Password: dtlstest.Key}

const hasty = 400 * time.Millisecond

func echo(c net.Conn) { _, _ = io.Copy(c, c) }

func certificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func TestOpen(t *testing.T) {
	t.Parallel()
	cert := certificate(t)
	psk := func(t *testing.T) netip.AddrPort {
		return dtlstest.Server(t, echo, dtls.WithPSK(dtlstest.PSK(own.User, own.Password)), dtls.WithCipherSuites(dtls.TLS_PSK_WITH_AES_128_CCM_8))
	}
	x509s := func(opts ...dtls.ServerOption) func(*testing.T) netip.AddrPort {
		return func(t *testing.T) netip.AddrPort {
			return dtlstest.Server(t, echo, append(opts, dtls.WithCertificates(cert))...)
		}
	}
	fake := func(script func([]byte, func(...[]byte))) func(*testing.T) netip.AddrPort {
		return func(t *testing.T) netip.AddrPort { return dtlstest.Fake(t, script) }
	}
	wrong, stranger := own, own
	wrong.Password, stranger.User = "another key", "nobody"
	tests := []struct {
		name    string
		server  func(*testing.T) netip.AddrPort
		client  Client
		outcome Outcome
		alert   bool // whether one came in clear
		suite   dtls.CipherSuiteID
		met     evidence.Tri
	}{
		{"psk", psk, Client{Login: &own}, Opened, false, dtls.TLS_PSK_WITH_AES_128_CCM_8, evidence.Yes},
		{"wrong_key", psk, Client{Login: &wrong}, Silent, false, 0, evidence.Yes},
		{"unknown_identity", psk, Client{Login: &stranger}, Refused, true, 0, evidence.Yes},
		{"no_common_suite", psk, Client{Login: &own, Suites: []uint16{0x00a8}}, Refused, true, 0, evidence.Yes},
		{"certificate", x509s(dtls.WithCipherSuites(dtls.TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8)), Client{Suites: []uint16{0xc0ae}}, Opened, false, dtls.TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8, evidence.Yes},
		{"client_certificate", x509s(dtls.WithClientAuth(dtls.RequireAnyClientCert)), Client{}, Refused, true, 0, evidence.Yes},
		{"silence", fake(func([]byte, func(...[]byte)) {}), Client{Login: &own}, Silent, false, 0, evidence.No},
		{"garbage", fake(func(_ []byte, reply func(...[]byte)) { reply(bytes.Repeat([]byte{0x16}, 900)) }), Client{Login: &own}, Silent, false, 0, evidence.Yes},
		{"alert", fake(func(_ []byte, reply func(...[]byte)) { reply(dtlstest.AlertOf(40)) }), Client{}, Refused, true, 0, evidence.Yes},
		{"cookie_loop", fake(func(_ []byte, reply func(...[]byte)) { reply(dtlstest.VerifyRequest(rand.Text())) }), Client{}, Silent, false, 0, evidence.Yes},
		{"half_flight", fake(func(_ []byte, reply func(...[]byte)) {
			reply(dtlstest.Handshake(dtlswire.ServerHello, 0, dtlstest.HelloBody(dtlswire.V12, []byte("r"), 0xc0a8)))
		}), Client{Login: &own}, Silent, false, 0, evidence.Yes},
		{"closed", func(t *testing.T) netip.AddrPort { return netip.MustParseAddrPort("127.0.0.1:1") }, Client{}, Closed, false, 0, evidence.No},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := dtlstest.Bench(t, []probe.Login{own})
			tt.client.Patience = hasty
			begun := time.Now()
			s, answer, err := Open(t.Context(), b.Input, tt.server(t), tt.client)
			if err != nil || answer.Outcome != tt.outcome || (answer.Alert >= 0) != tt.alert || answer.Suite != uint16(tt.suite) || answer.Met != tt.met {
				t.Fatalf("answer = %+v, %v", answer, err)
			}
			if took := time.Since(begun); took > hasty+time.Second {
				t.Errorf("it took %s", took)
			}
			if (s != nil) != (tt.outcome == Opened) {
				t.Fatal("session", s)
			}
			if s == nil {
				return
			}
			if _, err := s.Write([]byte("hello")); err != nil {
				t.Error(err)
			}
			got := make([]byte, 9)
			if n, err := s.Read(got); err != nil || string(got[:n]) != "hello" {
				t.Errorf("echo = %q, %v", got[:n], err)
			}
			if (len(s.Certificates) > 0) != (tt.client.Login == nil) || s.Below().Length == 0 {
				t.Errorf("certificates = %d, span = %+v", len(s.Certificates), s.Below())
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestBudget(t *testing.T) {
	t.Parallel()
	b := dtlstest.Bench(t, nil)
	at := dtlstest.Server(t, echo, dtls.WithPSK(dtlstest.PSK("x", "y")), dtls.WithCipherSuites(dtls.TLS_PSK_WITH_AES_128_CCM_8))
	for i := range 4 {
		_, answer, err := Open(t.Context(), b.Input, at, Client{Login: &own, Charge: true, Patience: hasty})
		if want := map[bool]Outcome{true: NotTried, false: Refused}[i == 3]; err != nil || answer.Outcome != want {
			t.Errorf("try %d = %+v, %v, want %s", i+1, answer, err, want)
		}
	}
	if n := len(b.Charged()); n != 3 {
		t.Errorf("%d tries were charged", n)
	}
}

// The end of the run is never the device's doing.
func TestEndOfTheRun(t *testing.T) {
	t.Parallel()
	b := dtlstest.Bench(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	at := dtlstest.Fake(t, func([]byte, func(...[]byte)) { cancel() })
	if _, answer, err := Open(ctx, b.Input, at, Client{}); !errors.Is(err, context.Canceled) || answer.Outcome != NotTried {
		t.Errorf("answer = %+v, %v", answer, err)
	}
	if _, _, err := Open(t.Context(), b.Input, netip.MustParseAddrPort("192.0.2.1:5684"), Client{}); err == nil {
		t.Error("an address outside of the scope was dialled")
	}
}

func TestKnows(t *testing.T) {
	for suite, want := range map[uint16]bool{0xc0a8: true, 0xc0ae: true, 0x00ae: true, 0xc094: false, 0x1301: false, 0: false} {
		if got := Knows(suite); got != want {
			t.Errorf("Knows(%#04x) = %v", suite, got)
		}
	}
}
