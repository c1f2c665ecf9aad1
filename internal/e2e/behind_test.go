package e2e

import (
	"crypto/tls"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/devices"
	"github.com/assay-iot/assay/harness/device"
	"github.com/assay-iot/assay/internal/peers"
)

// A measured device is an emulated one behind a meter: the harness knows the
// meter's address only.
type measured struct {
	*devices.Device
	*meter
	File     string    // the device file, with the meter's address
	switched chan bool // what its plug was switched to; may be left unread
}

// plugged is more often than a test switches a device.
const plugged = 100

// measure starts a device behind a meter that opens the TLS of its declared
// ports.
func measure(t testing.TB, spec devices.Spec) measured {
	t.Helper()
	peers.Quiet(t)
	d, err := devices.Start(t.Context(), spec)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	addr := ownAddr(t)
	host := hostPorts(t)
	authority := peers.NewAuthority(t)
	cert := authority.Issue(t, addr.String())
	opened := &tls.Config{Certificates: []tls.Certificate{cert.TLS}}
	inside := tlsPorts(t, d)
	var routes []route
	for _, to := range d.TCP() {
		r := route{port: to.Port(), to: to}
		if inside[to.Port()] {
			r.tls = opened
		}
		routes = append(routes, r)
	}
	return measured{d, newMeter(t, addr, routes...), moved(t, d, addr, authority.File, host), make(chan bool, plugged)}
}

// tlsPorts are the ports that are declared to speak TLS.
func tlsPorts(t testing.TB, d *devices.Device) map[uint16]bool {
	t.Helper()
	f, err := d.File()
	require.NoError(t, err)
	inside := map[uint16]bool{}
	for _, row := range f.IXIT.SoftServ {
		for _, port := range row.TCP {
			inside[port] = row.TLS == device.Yes
		}
	}
	return inside
}

// moved writes the device file of a device as it is for one at another address,
// of which host ports are not the device's, and whose certificates come from
// another authority.
func moved(t testing.TB, d *devices.Device, to netip.Addr, anchor string, host []uint16) string {
	t.Helper()
	dir := t.TempDir()
	path, err := d.Write(dir) // the secrets, too
	require.NoError(t, err)
	f, err := d.File()
	require.NoError(t, err)
	f.Device.Addresses, f.Device.HostPorts, f.Trust.Pins = []netip.Addr{to}, host, nil
	require.NoError(t, os.WriteFile(path, f.Effective(), 0o600))
	for _, name := range f.Trust.Anchors {
		copyFile(t, anchor, filepath.Join(dir, name))
	}
	return path
}
