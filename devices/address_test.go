package devices

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/internal/peers"
)

func TestPortChoices(t *testing.T) {
	assert.Equal(t, []uint16{443, 10443, 0}, PortsStandard.choices(443))
	assert.Equal(t, []uint16{10443, 0}, PortsOffset.choices(443))
	assert.Equal(t, []uint16{0}, PortsFree.choices(443))
	assert.Equal(t, []uint16{60000, 0}, PortsStandard.choices(60000))
}

func TestAddresses(t *testing.T) {
	assert.Equal(t, StableAddr("lock", "1"), StableAddr("lock", "1"))
	assert.NotEqual(t, StableAddr("lock", "1"), StableAddr("lock", "2"))
	for _, n := range []uint32{0, 1, 253, 254, 255, 1 << 31, 1<<32 - 1} {
		a := nth(n)
		assert.True(t, loopback.Contains(a), a)
		assert.NotContains(t, []byte{0, 255}, a.As4()[3])
	}
	a, shared, err := ownAddr(t.Context())
	require.NoError(t, err)
	b, _, err := ownAddr(t.Context())
	require.NoError(t, err)
	assert.True(t, shared || a != b)
}

// tableLine writes a socket as /proc/net/tcp does.
func tableLine(at netip.AddrPort, state string) string {
	b := at.Addr().AsSlice()
	for i := 0; i < len(b); i += 4 {
		binary.NativeEndian.PutUint32(b[i:], binary.BigEndian.Uint32(b[i:]))
	}
	return fmt.Sprintf("   0: %s:%04X 00000000:0000 %s 00000000:00000000 00:00000000", strings.ToUpper(hex.EncodeToString(b)), at.Port(), state)
}

func TestListening(t *testing.T) {
	lines := []string{"  sl  local_address rem_address   st tx_queue"}
	for at, state := range map[string]string{
		"127.64.0.1:1": "0A", "127.64.0.2:2": "0A", "0.0.0.0:3": "0A", "[::]:4": "0A",
		"127.64.0.1:5": "01", "[::ffff:127.64.0.1]:6": "0A", "[::1]:7": "0A",
	} {
		lines = append(lines, tableLine(netip.MustParseAddrPort(at), state))
	}
	lines = append(lines, "x", "0: zz:1 a 0A", "0: 0100007F 0:0 0A", "0: 0100007F:FFFFF 0:0 0A", "0: 01:0001 0:0 0A")
	got := waiting(strings.NewReader(strings.Join(lines, "\n")), netip.MustParseAddr("127.64.0.1"), tcpTables.state)
	assert.ElementsMatch(t, []uint16{1, 3, 4, 6}, got)
}

func FuzzTableAddr(f *testing.F) {
	f.Add("0100007F:1F90")
	f.Add("00000000000000000000000001000000:0050")
	f.Fuzz(func(t *testing.T, s string) {
		if at, ok := tableAddr(s); ok && !at.Addr().IsValid() {
			t.Errorf("%q is read as %v", s, at)
		}
	})
}

func TestOpenPorts(t *testing.T) {
	addr, _, err := ownAddr(t.Context())
	require.NoError(t, err)
	ln, err := net.Listen("tcp", netip.AddrPortFrom(addr, 0).String())
	require.NoError(t, err)
	defer ln.Close()
	port := int(ln.Addr().(*net.TCPAddr).AddrPort().Port())
	open, complete := openPorts(t.Context(), addr, port-50, min(port+50, 1<<16-1))
	assert.True(t, complete)
	assert.Equal(t, []uint16{uint16(port)}, open)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, complete = openPorts(ctx, addr, port, port)
	assert.False(t, complete)
}

// What listens on every address is the host's, on ours too.
func TestHostListeners(t *testing.T) {
	peers.Loud(t)
	ln, err := net.Listen("tcp4", "0.0.0.0:0")
	require.NoError(t, err)
	defer ln.Close()
	port := ln.Addr().(*net.TCPAddr).AddrPort().Port()
	d := launch(t)
	assert.Contains(t, d.Host, netip.AddrPortFrom(d.Addr, port))
	for _, own := range d.TCP() {
		assert.NotContains(t, d.Host, own)
	}
	assert.True(t, d.HostComplete)
}

// A port that the host keeps is replaced by the one 10000 above.
func TestPortTakenByTheHost(t *testing.T) {
	peers.Loud(t)
	ln, err := net.Listen("tcp4", "0.0.0.0:7003")
	if err != nil {
		t.Skip("port 7003 is in use here")
	}
	defer ln.Close()
	began := time.Now()
	d := launch(t, "flood")
	assert.EqualValues(t, 17003, d.At(floodPort).Port())
	assert.Less(t, time.Since(began), patience)
}
