package e2e

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/device"
)

// brokerFile is the device file of a product that is one MQTT broker.
type brokerFile struct {
	addr    netip.AddrPort
	tls     bool
	vendor  string
	anchor  string // PEM file, empty for none
	users   map[string]string
	host    []uint16 // ports of the machine, not of the product
	tenants []string // users with topics of their own, below their names
}

// write writes the file, with its secrets beside it, and returns its path.
func (f brokerFile) write(t testing.TB, dir string) string {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "device: {id: broker, manufacturer: %q, model: Hub, addresses: [%s], host_ports: %s}\n",
		f.vendor, f.addr.Addr(), strings.ReplaceAll(fmt.Sprint(f.host), " ", ", "))
	fmt.Fprintf(&b, "ixit:\n  soft_serv:\n    - id: broker\n      description: what the hub is for\n      status: enabled\n"+
		"      justification: the hub works without the Internet\n      allows_configuration: yes\n"+
		"      authentication_mechanism: [password]\n      tcp: [%d]\n      protocol: mqtt\n      tls: %s\n", f.addr.Port(), yesNo(f.tls))
	if len(f.tenants) > 0 {
		b.WriteString("      mqtt:\n        identities:\n")
		for _, u := range f.tenants {
			fmt.Fprintf(&b, "          - {credential: %s, topics: [%s/#], canary: %s/selftest}\n", u, u, u)
		}
		b.WriteString("        reads_all: admin\n")
	}
	if f.anchor != "" {
		copyFile(t, f.anchor, filepath.Join(dir, "anchor.pem"))
		b.WriteString("trust: {anchors: [anchor.pem]}\n")
	}
	if len(f.users) > 0 {
		b.WriteString("credentials:\n")
	}
	for user, password := range f.users {
		fmt.Fprintf(&b, "  - {id: %s, service: mqtt, user: %s, password: {file: secret-%s}}\n", user, user, user)
		require.NoError(t, os.WriteFile(filepath.Join(dir, "secret-"+user), []byte(password+"\n"), 0o600))
	}
	path := filepath.Join(dir, "device.yaml")
	require.NoError(t, os.WriteFile(path, []byte(b.String()), 0o600))
	return path
}

// read writes the file and reads it as the harness does.
func (f brokerFile) read(t testing.TB) *device.File {
	t.Helper()
	file, err := device.Read(f.write(t, t.TempDir()))
	require.NoError(t, err)
	return file
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func copyFile(t testing.TB, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(to, b, 0o600))
}
