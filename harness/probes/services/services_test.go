package services

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	nethttp "net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/crypto/ssh"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/probes/tcpports"
	"github.com/assay-iot/assay/harness/transport"
	"github.com/assay-iot/assay/internal/peers"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// device answers each connection to a port of 127.0.0.1 by serve.
func device(t *testing.T, serve func(net.Conn)) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				c.SetDeadline(time.Now().Add(20 * time.Second))
				serve(c)
				c.Close()
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		running.Wait()
	})
	return l.Addr().(*net.TCPAddr).AddrPort()
}

// greets says text at once, and nothing ever after.
func greets(text string) func(net.Conn) {
	return func(c net.Conn) {
		io.WriteString(c, text)
		io.Copy(io.Discard, c)
	}
}

// says text to whatever is sent first.
func says(text string) func(net.Conn) {
	return func(c net.Conn) {
		if n, _ := c.Read(make([]byte, 4096)); n > 0 {
			io.WriteString(c, text)
		}
	}
}

// broker answers a CONNECT of one version with text, and hangs up on all else.
func broker(version byte, text string) func(net.Conn) {
	return func(c net.Conn) {
		b := make([]byte, 256)
		if n, _ := c.Read(b); n > 9 && b[0] == 0x10 && string(b[4:8]) == "MQTT" && b[8] == version {
			io.WriteString(c, text)
			io.Copy(io.Discard, c)
		}
	}
}

func webServer(t *testing.T, cert *tls.Certificate) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &nethttp.Server{Handler: nethttp.NotFoundHandler()}
	var serving sync.WaitGroup
	serving.Go(func() {
		if cert != nil {
			s.TLSConfig = &tls.Config{Certificates: []tls.Certificate{*cert}}
			s.ServeTLS(l, "", "")
			return
		}
		s.Serve(l)
	})
	t.Cleanup(func() {
		s.Close()
		serving.Wait()
	})
	return l.Addr().(*net.TCPAddr).AddrPort()
}

func sshServer(t *testing.T, key ssh.Signer) netip.AddrPort {
	t.Helper()
	config := &ssh.ServerConfig{PasswordCallback: func(ssh.ConnMetadata, []byte) (*ssh.Permissions, error) { return nil, errors.New("no") }}
	config.AddHostKey(key)
	return device(t, func(c net.Conn) { ssh.NewServerConn(c, config) })
}

// look asks all of the endpoints, and holds the probe to its plan.
func look(t *testing.T, pace transport.Pace, addrs ...netip.AddrPort) ([]Service, error) {
	t.Helper()
	var ports tcpports.Evidence
	for _, a := range addrs {
		ports.Open = append(ports.Open, tcpports.Port{Addr: a, Seen: 2})
	}
	target := probe.Target{Unit: evidence.DUT, Pace: pace, Open: len(addrs)}
	limits := transport.LimitsOf(pace)
	limits.Connections = bound(target).Connections
	e, err := run(t.Context(), probe.Input{
		Target:   target,
		Net:      transport.New(transport.Config{Scope: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Limits: limits}),
		Evidence: evidence.NewView(evidence.DUT, map[string]evidence.Page{tcpports.Probe.Name: {Value: ports}, declaration.Probe.Name: {Value: declaration.Evidence{}}}),
	})
	data, encodeErr := evidence.Encode(e)
	if encodeErr != nil {
		t.Fatal(encodeErr)
	}
	if _, err := evidence.Decode[Evidence](data); err != nil {
		t.Error(err)
	}
	return e.Services, err
}

type want struct {
	name     string
	at       netip.AddrPort
	protocol Protocol
	tls      evidence.Tri
	seen     int
	ended    Ending
	answer   string // the beginning
}

func zoo(t *testing.T) []want {
	cert := peers.NewAuthority(t).Issue(t, "device").TLS
	inTLS := func(serve func(net.Conn)) func(net.Conn) {
		return func(c net.Conn) { serve(tls.Server(c, &tls.Config{Certificates: []tls.Certificate{cert}})) }
	}
	mutual := func(c net.Conn) {
		tls.Server(c, &tls.Config{Certificates: []tls.Certificate{cert}, ClientAuth: tls.RequireAnyClientCert, MaxVersion: tls.VersionTLS12}).Handshake()
	}
	return []want{
		{"ssh", sshServer(t, signer(t)), SSH, evidence.No, 2, Understood, "SSH-2.0-"},
		{"telnet_options", device(t, greets("\xff\xfd\x01\xff\xfd\x1f\xff\xfb\x01\xff\xfb\x03\r\r\nfirmware 1\r\nlogin: ")), Telnet, evidence.No, 2, Understood, "\xff\xfd"},
		{"telnet_prompt", device(t, greets("Welcome\r\nUsername: ")), Telnet, evidence.No, 2, Understood, "Welcome"},
		{"http", webServer(t, nil), HTTP, evidence.No, 2, Understood, "HTTP/1.1 404"},
		{"http_400_to_all", device(t, says("HTTP/1.0 400 Bad Request\r\n\r\n")), HTTP, evidence.No, 2, Understood, "HTTP/1.0 400"},
		{"https", webServer(t, &cert), HTTP, evidence.Yes, 2, Understood, "HTTP/1.1 404"},
		{"mqtt_accepts", device(t, broker(4, "\x20\x02\x00\x00")), MQTT, evidence.No, 2, Understood, "\x20\x02\x00\x00"},
		{"mqtt_denies", device(t, broker(4, "\x20\x02\x00\x05")), MQTT, evidence.No, 2, Understood, "\x20\x02\x00\x05"},
		{"mqtt_5_only", device(t, broker(5, "\x20\x03\x00\x00\x00")), MQTT, evidence.No, 2, Understood, "\x20\x03"},
		{"mqtts", device(t, inTLS(broker(4, "\x20\x02\x00\x05"))), MQTT, evidence.Yes, 2, Understood, "\x20\x02"},
		{"telnets", device(t, inTLS(greets("login: "))), Telnet, evidence.Yes, 2, Understood, "login"},
		{"unknown_inside_tls", device(t, inTLS(says("hm"))), OtherTLS, evidence.Yes, 2, Understood, "\x16\x03"},
		{"coap_over_tcp", device(t, coapServer(csm, pongs)), CoAP, evidence.No, 2, Understood, "\x00\xe1"},
		{"coap_over_tls", device(t, inTLS(coapServer(csm, pongs))), CoAP, evidence.Yes, 2, Understood, "\x00\xe1"},
		{"coap_without_settings", device(t, coapServer("", pongs)), Unidentified, evidence.No, 0, Babble, "\x05\xe3"},
		{"coap_pong_of_another", device(t, coapServer(csm, func([]byte) string { return "\x05\xe3other" })), Unidentified, evidence.No, 0, Babble, "\x00\xe1"},
		{"client_certificate_wanted", device(t, mutual), OtherTLS, evidence.Yes, 2, Understood, "\x16\x03"},
		{"tls_alert", device(t, func(c net.Conn) {
			tls.Server(c, &tls.Config{Certificates: []tls.Certificate{cert}, CurvePreferences: []tls.CurveID{9999}}).Handshake()
		}), OtherTLS, evidence.Yes, 2, Understood, "\x15\x03"},
		{"old_tls", device(t, oldTLSOnly), OtherTLS, evidence.Yes, 2, Understood, "\x16\x03\x00"},
		{"silent", peers.Tarpit(t), Unidentified, evidence.No, 0, Silence, ""},
		{"reset", peers.Reset(t), Unidentified, evidence.No, 0, HungUp, ""},
		{"closes", peers.Closer(t), Unidentified, evidence.No, 0, HungUp, ""},
		{"drip", peers.Drip(t, "x"), Unidentified, evidence.No, 0, Babble, "x"},
		{"flood", peers.Flood(t, "endless "), Unidentified, evidence.No, 0, Babble, "endless"},
		{"ftp", device(t, greets("220 ready\r\n")), Unidentified, evidence.No, 0, Babble, "220"},
		{"lying_ssh_banner", device(t, greets("SSH-2.0-OpenSSH_9.9\r\n")), Unidentified, evidence.No, 0, Babble, "SSH-2.0"},
		{"ssh_banner_to_all", device(t, says("SSH-2.0-OpenSSH_9.9\r\n")), Unidentified, evidence.No, 0, Babble, "SSH-2.0"},
		{"connack_unasked", device(t, greets("\x20\x02\x00\x00")), Unidentified, evidence.No, 0, Babble, "\x20"},
		{"broken_connack", device(t, broker(4, "\x20\x02\x00\x63")), Unidentified, evidence.No, 0, Babble, "\x20"},
		{"echo", device(t, func(c net.Conn) { io.Copy(c, c) }), Unidentified, evidence.No, 0, Babble, ""},
	}
}

// oldTLSOnly hangs up on all but a hello that offers a suite of the last
// century, and answers that in SSL 3.0.
func oldTLSOnly(c net.Conn) {
	b := make([]byte, 4096)
	n, _ := c.Read(b)
	if n > 50 && b[0] == 22 && strings.Contains(string(b[44:n]), "\x00\x03\x00\x06\x00\x08") {
		c.Write([]byte("\x16\x03\x00\x00\x4a\x02\x00\x00\x46\x03\x00"))
	}
}

// csm is an empty CSM of CoAP over TCP.
const csm = "\x00\xe1"

// pongs is the pong to the ping at the end of b.
func pongs(b []byte) string { return "\x05\xe3" + string(b[len(b)-5:]) }

// coapServer answers a client that begins with its settings as CoAP over TCP
// does, and hangs up on all else.
func coapServer(first string, answer func([]byte) string) func(net.Conn) {
	return func(c net.Conn) {
		b := make([]byte, 512)
		if n, _ := c.Read(b); n >= 9 && string(b[:2]) == csm {
			io.WriteString(c, first+answer(b[:n]))
			c.Read(b)
		}
	}
}

func TestRun(t *testing.T) {
	all := zoo(t)
	var addrs []netip.AddrPort
	for _, w := range all {
		addrs = append(addrs, w.at)
	}
	begun := time.Now()
	found, err := look(t, transport.Bench, addrs...)
	if err != nil || len(found) != len(all) {
		t.Fatalf("%d services, %v", len(found), err)
	}
	t.Logf("%d ports in %s", len(all), time.Since(begun))
	for i, w := range all {
		check(t, w, found[i])
	}
}

func check(t *testing.T, w want, s Service) {
	t.Helper()
	if s.Addr != w.at || s.Protocol != w.protocol || s.TLS != w.tls || s.Seen != w.seen || s.Ended != w.ended || !strings.HasPrefix(string(s.Answer), w.answer) {
		t.Errorf("%s: got %+v (%s), want %+v", w.name, s, s.Answer, w)
	}
	hangsOrSpeaks := s.Protocol == Unidentified && slices.Contains([]string{"reset", "drip", "flood", "ftp", "lying_ssh_banner", "connack_unasked"}, w.name)
	if (s.Telnet != "") != hangsOrSpeaks || hangsOrSpeaks && s.Telnet != w.ended {
		t.Errorf("%s: Telnet's own question ended as %q", w.name, s.Telnet)
	}
	if len(s.Answer) > maxAnswer || (len(s.Answer) > 0) != (s.Span.Length > 0) {
		t.Errorf("%s: %d bytes of answer, span %+v", w.name, len(s.Answer), s.Span)
	}
}

// At the pace of real devices ports are asked one by one, the likeliest
// dialogue first, and no two connections at once.
func TestOneByOne(t *testing.T) {
	for _, w := range zoo(t) {
		if slices.Contains([]string{"ssh", "telnet_prompt", "lying_ssh_banner"}, w.name) {
			found, err := look(t, transport.Normal, w.at)
			if err != nil || len(found) != 1 {
				t.Fatalf("%s: %v", w.name, err)
			}
			check(t, w, found[0])
		}
	}
}

// Nine ports with one silent one cost about one time-out.
func TestSilentPortCostsOneTimeOut(t *testing.T) {
	var addrs []netip.AddrPort
	for range 8 {
		addrs = append(addrs, webServer(t, nil))
	}
	addrs = append(addrs, peers.Tarpit(t))
	begun := time.Now()
	if _, err := look(t, transport.Bench, addrs...); err != nil {
		t.Fatal(err)
	}
	if took, most := time.Since(begun), headStart+benchPatience; took > 2*most {
		t.Errorf("it took %s, and one time-out is %s", took, most)
	}
}

// A device that changes its mind is seen once.
func TestSecondDialogueDiffers(t *testing.T) {
	var mu sync.Mutex
	n := 0
	at := device(t, func(c net.Conn) {
		mu.Lock()
		n++
		first := n == 1
		mu.Unlock()
		if first {
			greets("login: ")(c)
		}
	})
	found, err := look(t, transport.Bench, at)
	if err != nil || found[0].Protocol != Telnet || found[0].Seen != 1 {
		t.Errorf("got %+v, %v", found, err)
	}
}

func TestOnePortNeverDiscardsTheOthers(t *testing.T) {
	web := webServer(t, nil)
	outside := netip.MustParseAddrPort("192.0.2.1:80") // refused by the scope
	for _, pace := range []transport.Pace{transport.Bench, transport.Normal} {
		found, err := look(t, pace, outside, web)
		partial, _ := errors.AsType[*probe.Partial](err)
		if partial == nil || !slices.Equal(partial.Missing, []string{"tcp/192.0.2.1:80"}) || !errors.Is(err, transport.ErrScope) || len(found) != 1 || found[0].Protocol != HTTP {
			t.Errorf("%s: %+v, %v", pace, found, err)
		}
	}
}

func TestTrap(t *testing.T) {
	var addrs []netip.AddrPort
	for range probe.MaxOpen {
		addrs = append(addrs, device(t, greets("login:")))
	}
	found, err := look(t, transport.Bench, append(addrs, addrs[0], addrs[1])...)
	partial, _ := errors.AsType[*probe.Partial](err)
	if partial == nil || !slices.Equal(partial.Missing, []string{"2 more open ports"}) || len(found) != probe.MaxOpen {
		t.Errorf("%d services, %v", len(found), err)
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(100*time.Millisecond, cancel)
	l := &looker{ctx: ctx, manner: mannerOf(transport.Bench), dial: transport.New(transport.Config{Scope: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}})}
	begun := time.Now()
	if s, err := l.identify(peers.Tarpit(t)); !errors.Is(err, context.Canceled) || time.Since(begun) > time.Second {
		t.Errorf("got %+v, %v after %s", s, err, time.Since(begun))
	}
}

func TestLikelyFirst(t *testing.T) {
	for port, first := range map[uint16]*dialogue{22: greeting, 80: web, 443: secured, 8883: secured, 1883: mqtt3, 9999: greeting} {
		if got := likelyFirst(port, outside); got[0] != first || len(got) != len(outside) {
			t.Errorf("port %d: another dialogue comes first", port)
		}
	}
	if got := likelyFirst(8883, inside); got[0] != mqtt3 || inside[0] != web {
		t.Error("inside TLS on port 8883 another dialogue comes first")
	}
}
