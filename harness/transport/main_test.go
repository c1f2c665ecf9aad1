package transport

import (
	"bytes"
	"io"
	"net"
	"net/netip"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/assay-iot/assay/harness/evidence"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var loopback = netip.MustParseAddr("127.0.0.1")

// onlyLoopback is the scope of most tests.
var onlyLoopback = []netip.Prefix{netip.PrefixFrom(loopback, 32)}

// members collects what a Net writes.
type members struct {
	mu     sync.Mutex
	text   map[evidence.Member]*bytes.Buffer
	sealed map[evidence.Member]map[int64]string
	open   int
}

func newMembers() *members {
	return &members{text: map[evidence.Member]*bytes.Buffer{}, sealed: map[evidence.Member]map[int64]string{}}
}

type member struct {
	all *members
	buf *bytes.Buffer
}

func (m *members) create(name evidence.Member) (io.WriteCloser, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.open++
	m.text[name] = &bytes.Buffer{}
	return member{m, m.text[name]}, nil
}

func (m member) Write(b []byte) (int, error) {
	m.all.mu.Lock()
	defer m.all.mu.Unlock()
	return m.buf.Write(b)
}

func (m member) Close() error {
	m.all.mu.Lock()
	defer m.all.mu.Unlock()
	m.all.open--
	return nil
}

func (m *members) seal(name evidence.Member, offset int64, original []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.sealed[name] == nil {
		m.sealed[name] = map[int64]string{}
	}
	m.sealed[name][offset] = string(original)
	return nil
}

// device answers each connection to a port of 127.0.0.1 by serve, which the
// end of the test waits for.
func device(t testing.TB, serve func(net.Conn)) netip.AddrPort {
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

// say returns a device that sends text and waits for the end.
func say(text string) func(net.Conn) {
	return func(c net.Conn) {
		io.WriteString(c, text)
		io.Copy(io.Discard, c)
	}
}

// free returns a port on which nothing listens.
func free(t testing.TB) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).AddrPort()
}

func mustDial(t testing.TB, n *Net, addr netip.AddrPort) Conn {
	t.Helper()
	c, err := n.Dial(t.Context(), addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}
