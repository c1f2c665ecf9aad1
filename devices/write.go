package devices

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"

	"github.com/assay-iot/assay/harness/device"
)

// File returns the device file of the running device: that of its folder with
// the address, ports, serial number and certificate that this unit has.
func (d *Device) File() (*device.File, error) {
	name := d.Folder.Name + ".yaml"
	f, err := device.Parse(name, d.Folder.text, "")
	if err != nil {
		return nil, err
	}
	f.Device.Serial = d.Serial
	f.Device.Addresses = []netip.Addr{d.Addr}
	f.Device.HostPorts, f.Device.HostUDPPorts = portsOf(d.Host), portsOf(d.HostUDP)
	f.Trust.Pins = []string{fingerprint(d.unit.pinned)}
	if l := f.IXIT.LwM2M; l != nil {
		l.BootstrapServer, l.Server = d.servers.bootstrap, d.servers.server
	}
	for i := range f.IXIT.SoftServ {
		row := &f.IXIT.SoftServ[i]
		for j, want := range row.TCP {
			if got, ok := d.Ports[want]; ok {
				row.TCP[j] = got
			}
		}
		for j, want := range row.UDP {
			if got, ok := d.UDPPorts[want]; ok {
				row.UDP[j] = got
			}
		}
	}
	return f, nil
}

func portsOf(all []netip.AddrPort) []uint16 {
	var ports []uint16
	for _, a := range all {
		ports = append(ports, a.Port())
	}
	return ports
}

// Write writes the device file into dir, with the secrets and certificates that
// it refers to, and returns its path. Secrets are for their owner only.
func (d *Device) Write(dir string) (string, error) {
	f, err := d.File()
	if err != nil {
		return "", err
	}
	for _, c := range f.Credentials {
		secret, err := d.Password(c.ID)
		if err != nil {
			return "", err
		}
		if err := writeFile(dir, c.Password.File, []byte(secret+"\n"), 0o600); err != nil {
			return "", err
		}
	}
	ca, _, err := authority()
	if err != nil {
		return "", err
	}
	for _, anchor := range f.Trust.Anchors {
		if err := writeFile(dir, anchor, certificatePEM(ca), 0o644); err != nil {
			return "", err
		}
	}
	return filepath.Join(dir, "device.yaml"), writeFile(dir, "device.yaml", f.Effective(), 0o644)
}

// writeFile replaces a file below dir. The name comes from a device file, which
// a student may have edited.
func writeFile(dir, name string, b []byte, mode os.FileMode) error {
	if !filepath.IsLocal(name) {
		return fmt.Errorf("file %q is not below %q", name, dir)
	}
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	// A file that is there keeps its mode when it is written.
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		return err
	}
	return os.WriteFile(path, b, mode)
}
