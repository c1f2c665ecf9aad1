package devices

import (
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func listenDatagrams(t *testing.T) *datagrams {
	t.Helper()
	socket, err := bindUDP(t.Context(), netip.MustParseAddrPort("127.0.0.1:0"))
	require.NoError(t, err)
	d := newDatagrams(socket)
	t.Cleanup(func() { _ = d.Close() }) // it may be closed already
	return d
}

func send(t *testing.T, c net.Conn, texts ...string) {
	t.Helper()
	for _, text := range texts {
		_, err := c.Write([]byte(text))
		require.NoError(t, err)
	}
}

func dialUDP(t *testing.T, at net.Addr) net.Conn {
	t.Helper()
	c, err := net.Dial("udp", at.String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func readText(t *testing.T, c net.Conn) string {
	t.Helper()
	require.NoError(t, c.SetReadDeadline(time.Now().Add(patience)))
	b := make([]byte, 100)
	n, err := c.Read(b)
	require.NoError(t, err)
	return string(b[:n])
}

// Each sender is a connection of its own, and each datagram one read.
func TestSendersAreApart(t *testing.T) {
	d := listenDatagrams(t)
	one, two := dialUDP(t, d.Addr()), dialUDP(t, d.Addr())
	send(t, one, "a", "b")
	first, err := d.Accept()
	require.NoError(t, err)
	send(t, two, "c")
	second, err := d.Accept()
	require.NoError(t, err)
	assert.Equal(t, "a", readText(t, first))
	assert.Equal(t, "b", readText(t, first))
	assert.Equal(t, "c", readText(t, second))
	assert.Equal(t, one.LocalAddr().String(), first.RemoteAddr().String())
	send(t, second, "d")
	assert.Equal(t, "d", readText(t, two))

	// A connection that was closed begins anew.
	require.NoError(t, first.Close())
	_, err = first.Write([]byte("x"))
	assert.ErrorIs(t, err, net.ErrClosed)
	send(t, one, "again")
	third, err := d.Accept()
	require.NoError(t, err)
	assert.Equal(t, "again", readText(t, third))
}

func TestDatagramDeadline(t *testing.T) {
	d := listenDatagrams(t)
	c := dialUDP(t, d.Addr())
	send(t, c, "a")
	p, err := d.Accept()
	require.NoError(t, err)
	assert.Equal(t, "a", readText(t, p))
	require.NoError(t, p.SetDeadline(time.Now().Add(quiet)))
	_, err = p.Read(make([]byte, 1))
	assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
	require.NoError(t, p.SetWriteDeadline(time.Now()))
	require.NoError(t, p.SetDeadline(time.Time{}))
	send(t, c, "b")
	assert.Equal(t, "b", readText(t, p))
}

// Close ends the listener, and whoever reads.
func TestDatagramsClose(t *testing.T) {
	d := listenDatagrams(t)
	c := dialUDP(t, d.Addr())
	send(t, c, "a")
	p, err := d.Accept()
	require.NoError(t, err)
	assert.Equal(t, "a", readText(t, p))
	require.NoError(t, p.SetDeadline(time.Time{}))
	ended := make(chan error)
	go func() {
		_, err := p.Read(make([]byte, 1))
		ended <- err
	}()
	require.NoError(t, d.Close())
	assert.ErrorIs(t, <-ended, net.ErrClosed)
	_, err = d.Accept()
	assert.ErrorIs(t, err, net.ErrClosed)
}

// Where others receive datagrams before a device is there, belongs to them.
func TestHostSockets(t *testing.T) {
	addr, shared, err := ownAddr(t.Context())
	require.NoError(t, err)
	if shared {
		t.Skip("this system has one loopback address")
	}
	here, err := bindUDP(t.Context(), netip.AddrPortFrom(addr, 0))
	require.NoError(t, err)
	defer here.Close()
	everywhere, err := net.ListenPacket("udp4", "0.0.0.0:0")
	require.NoError(t, err)
	defer everywhere.Close()
	want := []uint16{portOf(here.LocalAddr()), portOf(everywhere.LocalAddr())}
	assert.Subset(t, portsOf(hostSockets(addr)), want)

	d := run(t, Spec{Name: "thermostat-hardened", Addr: addr})
	f, err := d.File()
	require.NoError(t, err)
	assert.Subset(t, f.Device.HostUDPPorts, want)
	assert.NotContains(t, f.Device.HostUDPPorts, d.AtUDP(coapsPort).Port())
	assert.Equal(t, []uint16{d.AtUDP(coapsPort).Port()}, f.IXIT.SoftServ[0].UDP)
}

func TestUDPPortModes(t *testing.T) {
	d := run(t, Spec{Name: "thermostat-hardened", Ports: PortsOffset})
	assert.EqualValues(t, 15684, d.AtUDP(coapsPort).Port())
	assert.Equal(t, []netip.AddrPort{d.AtUDP(coapsPort)}, d.UDP())
	asApp(t, d)
	assert.False(t, d.AtUDP(plainCoAPPort).IsValid())
}
