package e2e

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/device"
	"github.com/assay-iot/assay/harness/probe"
)

// scoped is the device that may be tested; its neighbours may not.
var scoped = netip.MustParseAddr("127.77.0.1")

// neighbours are devices beside it that nobody allowed to touch.
const firstNeighbour, lastNeighbour = 2, 10

// Whatever a device says of its neighbours, nobody knocks there: not at the
// address that it redirects to, nor at the server that it names, nor at any
// other of the network.
func TestScope(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var touched []string
	note := func(c net.Conn) {
		mu.Lock()
		defer mu.Unlock()
		touched = append(touched, c.LocalAddr().String())
	}
	web := deviceAt(t, scoped, 0, redirects)
	mqtt := deviceAt(t, scoped, 0, moves)
	for n := firstNeighbour; n <= lastNeighbour; n++ {
		neighbour := netip.AddrFrom4([4]byte{127, 77, 0, byte(n)})
		for _, port := range []uint16{web.Port(), mqtt.Port(), 11883, 18080} {
			deviceAt(t, neighbour, port, note)
		}
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "device.yaml")
	text := fmt.Sprintf("device: {id: scoped, addresses: [%s]}\nscope: [{address: %s/32}]\nixit: {soft_serv: []}\n", scoped, scoped)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	o := order(asking(t, everyCheck()...), "")
	var err error
	o.File, err = device.Read(path)
	require.NoError(t, err)
	o.Effect = probe.Disruptive
	tr := conduct(t, o)
	expect(t, tr.Result, wanted{"exposure.tcp-ports-declared": fail}) // it did look
	mu.Lock()
	defer mu.Unlock()
	assert.Empty(t, touched)
}

// An order for what the scope leaves out is refused before the first packet.
func TestOutOfScopeIsRefused(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"203.0.113.9", "224.0.0.1", "255.255.255.255", "0.0.0.0"} {
		o := order(asking(t, "exposure.telnet-absent"), "23")
		o.Address = netip.MustParseAddr(address)
		_, err := o.Prepare()
		assert.Error(t, err, address)
		ran := assay(t, t.TempDir(), "run", address, "--ports", "23")
		assert.Equal(t, 2, ran.Code, "%s: %s", address, ran.Stderr)
		assert.Contains(t, ran.Stderr, "assay: error: ")
	}
}

// redirects is a web server that sends everybody to a neighbour.
func redirects(c net.Conn) {
	if _, err := c.Read(make([]byte, 4096)); err != nil {
		return
	}
	_, _ = io.WriteString(c, "HTTP/1.1 302 Found\r\nLocation: http://127.77.0.2:18080/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
}

// moves is a broker of MQTT 5 that names a neighbour as the server to use:
// reason code 0x9d, with a Server Reference (MQTT 5, 3.2.2.3.16).
func moves(c net.Conn) {
	if _, err := c.Read(make([]byte, 4096)); err != nil {
		return
	}
	const reference = "127.77.0.3:11883"
	property := append([]byte{0x1c, 0, byte(len(reference))}, reference...)
	packet := append([]byte{0x20, byte(3 + len(property)), 0, 0x9d, byte(len(property))}, property...)
	_, _ = c.Write(packet)
}
