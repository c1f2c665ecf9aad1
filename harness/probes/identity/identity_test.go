package identity

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/crypto/ssh"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/transport"
	"github.com/assay-iot/assay/internal/peers"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// device serves each connection to a port of 127.0.0.1.
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
				c.SetDeadline(time.Now().Add(10 * time.Second))
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

// twins is an endpoint behind which one of two devices is.
type twins struct {
	swapped atomic.Bool
	at      netip.AddrPort
	asked   atomic.Int32
}

func tlsTwins(t *testing.T) *twins {
	a := peers.NewAuthority(t)
	first, second := a.Issue(t, "device").TLS, a.Issue(t, "device").TLS
	d := &twins{}
	d.at = device(t, func(c net.Conn) {
		d.asked.Add(1)
		cert := first
		if d.swapped.Load() {
			cert = second
		}
		s := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{cert}})
		s.Handshake()
		s.Read(make([]byte, 1))
	})
	return d
}

func sshTwins(t *testing.T) *twins {
	configs := [2]*ssh.ServerConfig{}
	for i := range configs {
		_, key, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		signer, err := ssh.NewSignerFromKey(key)
		if err != nil {
			t.Fatal(err)
		}
		configs[i] = &ssh.ServerConfig{PasswordCallback: func(ssh.ConnMetadata, []byte) (*ssh.Permissions, error) {
			t.Error("a log-in was tried")
			return nil, errors.New("no")
		}}
		configs[i].AddHostKey(signer)
	}
	d := &twins{}
	d.at = device(t, func(c net.Conn) {
		d.asked.Add(1)
		config := configs[0]
		if d.swapped.Load() {
			config = configs[1]
		}
		ssh.NewServerConn(c, config)
	})
	return d
}

func input(t *testing.T, stop func(error), known ...netip.AddrPort) probe.Input {
	target := probe.Target{Unit: evidence.DUT, Addrs: []netip.Addr{netip.MustParseAddr("127.0.0.1")}, Pace: transport.Bench, Known: known}
	limits := transport.LimitsOf(transport.Bench)
	limits.Connections = max(1, bound(target).Connections)
	n := transport.New(transport.Config{Scope: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, Limits: limits})
	return probe.Input{Target: target, Net: n, Stop: stop}
}

func noTable() ([]byte, error) { return nil, nil }

func TestSameDevice(t *testing.T) {
	web, console, silent := tlsTwins(t), sshTwins(t), peers.Closer(t)
	w := &watcher{table: noTable, every: time.Hour}
	stop, err := w.watch(t.Context(), input(t, func(err error) { t.Error(err) }, web.at, console.at, silent))
	if err != nil {
		t.Fatal(err)
	}
	e, err := stop(t.Context())
	if err != nil || e.Same != evidence.Yes || e.Looks != 2 {
		t.Fatalf("got %+v, %v", e, err)
	}
	kinds := []Kind{Certificate, HostKey, Nothing}
	for i, k := range e.Start.Keys {
		if k.Kind != kinds[i] || (len(k.SHA256) == 64) != (k.Kind != Nothing) || k != e.End.Keys[i] {
			t.Errorf("key %d = %+v, then %+v", i, k, e.End.Keys[i])
		}
	}
	if n := console.asked.Load(); n != 3 { // TLS and SSH at first, then only SSH
		t.Errorf("the console was asked %d times", n)
	}
	data, err := evidence.Encode(e)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := evidence.Decode[Evidence](data); err != nil {
		t.Error(err)
	}
}

func TestChangedAtTheEnd(t *testing.T) {
	for name, d := range map[string]*twins{"certificate": tlsTwins(t), "host_key": sshTwins(t)} {
		t.Run(name, func(t *testing.T) {
			w := &watcher{table: noTable, every: time.Hour}
			stop, err := w.watch(t.Context(), input(t, nil, d.at))
			if err != nil {
				t.Fatal(err)
			}
			d.swapped.Store(true)
			if e, err := stop(t.Context()); !errors.Is(err, ErrChanged) || !strings.Contains(err.Error(), d.at.String()) {
				t.Errorf("got %+v, %v", e, err)
			}
		})
	}
}

// A device that is swapped during the run, and swapped back, is noticed.
func TestChangedInBetween(t *testing.T) {
	d := tlsTwins(t)
	told := make(chan error, 10)
	w := &watcher{table: noTable, every: 10 * time.Millisecond}
	stop, err := w.watch(t.Context(), input(t, func(err error) { told <- err }, d.at))
	if err != nil {
		t.Fatal(err)
	}
	d.swapped.Store(true)
	select {
	case err := <-told:
		if !errors.Is(err, ErrChanged) {
			t.Errorf("told %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Error("nobody was told")
	}
	d.swapped.Store(false)
	if e, err := stop(t.Context()); !errors.Is(err, ErrChanged) {
		t.Errorf("got %+v, %v", e, err)
	}
	if len(told) > 0 {
		t.Error("told twice")
	}
}

func TestHardwareChanges(t *testing.T) {
	mac := "02:00:5e:10:00:01"
	w := &watcher{every: time.Hour, table: func() ([]byte, error) {
		return []byte("127.0.0.1 0x1 0x2 " + mac + " * eth0\n"), nil
	}}
	stop, err := w.watch(t.Context(), input(t, nil))
	if err != nil {
		t.Fatal(err)
	}
	if e, err := stop(t.Context()); err != nil || e.Same != evidence.Yes || e.Start.Hardware[0].MAC != MAC(mac) {
		t.Errorf("got %+v, %v", e, err)
	}
	stop, err = w.watch(t.Context(), input(t, nil))
	if err != nil {
		t.Fatal(err)
	}
	mac = "02:00:5e:10:00:02"
	if e, err := stop(t.Context()); !errors.Is(err, ErrChanged) {
		t.Errorf("got %+v, %v", e, err)
	}
}

// Where there is nothing to compare, nothing is claimed and nobody is asked in
// between; and what is gone is not another device.
func TestNothingToCompare(t *testing.T) {
	w := &watcher{table: noTable, every: time.Nanosecond}
	stop, err := w.watch(t.Context(), input(t, nil))
	if err != nil {
		t.Fatal(err)
	}
	if e, err := stop(t.Context()); err != nil || e.Same != evidence.Unknown || e.Looks != 2 {
		t.Errorf("got %+v, %v", e, err)
	}
	then := Look{Hardware: []Hardware{{Addr: netip.MustParseAddr("192.0.2.1"), MAC: "02:00:5e:10:00:01"}}}
	gone := Look{Hardware: []Hardware{{Addr: netip.MustParseAddr("192.0.2.1")}}}
	if then.differs(gone) != nil || gone.differs(then) != nil || then.shares(gone) {
		t.Error("what is not known is another device")
	}
}

func TestGentleLooksTwiceOnly(t *testing.T) {
	d := tlsTwins(t)
	in := input(t, nil, d.at)
	in.Target.Pace = transport.Gentle
	w := &watcher{table: noTable, every: time.Millisecond}
	stop, err := w.watch(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(100 * time.Millisecond)
	e, err := stop(t.Context())
	if err != nil || d.asked.Load() != 2 || e.Looks != 2 {
		t.Errorf("asked %d times: %+v, %v", d.asked.Load(), e, err)
	}
	if bound(in.Target).Connections != 4 || bound(probe.Target{Pace: transport.Normal, Known: in.Target.Known}).Connections <= 4 {
		t.Errorf("bound = %+v", bound(in.Target))
	}
}

func TestOurOwnTrouble(t *testing.T) {
	out := netip.MustParseAddrPort("192.0.2.1:443")
	if _, err := (&watcher{table: noTable, every: every}).watch(t.Context(), input(t, nil, out)); !errors.Is(err, transport.ErrScope) {
		t.Errorf("out of scope: %v", err)
	}
	broken := errors.New("permission denied")
	w := &watcher{table: func() ([]byte, error) { return nil, broken }, every: every}
	if _, err := w.watch(t.Context(), input(t, nil)); !errors.Is(err, broken) {
		t.Errorf("no table: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	stop, err := (&watcher{table: noTable, every: every}).watch(ctx, input(t, nil, sshTwins(t).at))
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := stop(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// Hostile servers show no key and hold up nothing.
func TestHostileServers(t *testing.T) {
	known := []netip.AddrPort{peers.Closer(t), peers.Reset(t), peers.Flood(t, "SSH-2.0-x\r\n\x00\x00\x7f\xff"), peers.Flood(t, "x"), peers.Flood(t, "x\r\n"), peers.Flood(t, "\x16\x03\x03\x40\x00\x02")}
	begun := time.Now()
	l := &looker{in: input(t, nil, known...), table: noTable, kinds: map[int]Kind{}}
	seen, err := l.look(t.Context())
	if err != nil || len(seen.Keys) != len(known) {
		t.Fatalf("%d keys, %v", len(seen.Keys), err)
	}
	for _, k := range seen.Keys {
		if k.Kind != Nothing {
			t.Errorf("%+v", k)
		}
	}
	if took := time.Since(begun); took > handshake {
		t.Errorf("it took %s", took)
	}
}

func TestPatience(t *testing.T) {
	in := input(t, nil, peers.Tarpit(t))
	in.Target.Pace = transport.Bench
	begun := time.Now()
	l := &looker{in: in, table: noTable, kinds: map[int]Kind{}}
	if _, err := l.look(t.Context()); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begun); took > perEndpoint*(benchHandshake+time.Second) {
		t.Errorf("a silent endpoint of a bench took %s", took)
	}
	if got := patience(transport.Gentle); got != handshake {
		t.Errorf("patience = %s", got)
	}
}

const table = `IP address       HW type     Flags       HW address            Mask     Device
192.0.2.1        0x1         0x2         02:00:5E:10:00:01     *        eth0
192.0.2.2        0x1         0x0         00:00:00:00:00:00     *        eth0
192.0.2.3        0x1         0x6         02:00:5e:10:00:03     *        eth0
192.0.2.4        0x1         0x2         02:00:5e:10:00:04     *        eth0
192.0.2.4        0x1         0x2         02:00:5e:10:00:05     *        eth1
192.0.2.5        0x1         0x2         nonsense              *        eth0
`

func TestParse(t *testing.T) {
	got := parse([]byte(table))
	want := map[string]MAC{"192.0.2.1": "02:00:5e:10:00:01", "192.0.2.2": "", "192.0.2.3": "02:00:5e:10:00:03", "192.0.2.4": "", "192.0.2.5": ""}
	for addr, mac := range want {
		if got[netip.MustParseAddr(addr)] != mac {
			t.Errorf("%s = %q, want %q", addr, got[netip.MustParseAddr(addr)], mac)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(table))
	f.Fuzz(func(t *testing.T, b []byte) {
		for addr, mac := range parse(b) {
			if _, err := net.ParseMAC(string(mac)); !addr.IsValid() || mac != "" && err != nil {
				t.Errorf("%s has %q", addr, mac)
			}
		}
	})
}
