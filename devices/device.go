// Package devices emulates devices on the loopback interface, sound ones and
// ones with deliberate faults. Each folder describes one of them. An emulator
// speaks through the libraries that real devices use, and knows nothing of
// those who test it.
package devices

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/assay-iot/assay/harness/device"
)

// A Spec says which device to start and where.
type Spec struct {
	Name   string     // of the folder
	Files  fs.FS      // that holds the folder; nil is what comes with the program
	Faults *Faults    // instead of those of the folder; nil keeps these
	Serial string     // of another unit of the model; empty is that of device.yaml
	Addr   netip.Addr // a loopback address; the zero value is one of its own
	Ports  PortMode
}

// A Device is one emulated device. Its methods may be called from several
// goroutines.
type Device struct {
	Folder       Folder            // with the faults that the device runs with
	Serial       string            // of this unit
	Addr         netip.Addr        // where it is
	Ports        map[uint16]uint16 // by the TCP port that a service wants, the one that it got
	UDPPorts     map[uint16]uint16 // the same of UDP ports
	Host         []netip.AddrPort  // what answered at Addr over TCP before the device was there
	HostUDP      []netip.AddrPort  // where UDP sockets of others were bound before
	HostComplete bool              // every port was looked at for Host

	unit    unit
	modes   PortMode
	servers lwm2mServers // where it connects to
	stop    func() bool  // forgets the context of the start
	mu      sync.Mutex   // held while the device is switched on or off
	now     *boot        // nil while it is off
	boots   int          // so far
	ended   bool
}

// Start switches a device on. It runs until Close, or until ctx ends.
func Start(ctx context.Context, spec Spec) (*Device, error) {
	folder, err := spec.folder()
	if err != nil {
		return nil, err
	}
	d, err := start(ctx, spec, folder)
	if err != nil {
		return nil, fmt.Errorf("starting device %q: %w", spec.Name, err)
	}
	// Close may be called first; then there is nothing left to do.
	d.stop = context.AfterFunc(ctx, func() { _ = d.end() })
	return d, nil
}

func (s Spec) folder() (Folder, error) {
	files := s.Files
	if files == nil {
		files = embedded
	}
	f, err := Load(files, s.Name)
	if err != nil {
		return f, err
	}
	if s.Faults != nil {
		f.Faults = *s.Faults
	}
	if s.Addr.IsValid() && !s.Addr.IsLoopback() {
		return f, fmt.Errorf("device %q: %s is no loopback address, and an insecure device belongs nowhere else", s.Name, s.Addr)
	}
	return f, nil
}

func start(ctx context.Context, spec Spec, folder Folder) (*Device, error) {
	d := &Device{Folder: folder, Serial: spec.Serial, Addr: spec.Addr, Ports: map[uint16]uint16{}, UDPPorts: map[uint16]uint16{}, modes: spec.Ports}
	if d.Serial == "" {
		d.Serial = folder.File.Device.Serial
	}
	if !d.Addr.IsValid() {
		addr, shared, err := ownAddr(ctx)
		if err != nil {
			return nil, err
		}
		d.Addr = addr
		if shared {
			d.modes = PortsFree
		}
	}
	d.Host, d.HostComplete = hostListeners(ctx, d.Addr)
	d.HostUDP = hostSockets(d.Addr)
	var err error
	if d.unit, err = newUnit(d.Serial, d.Addr, folder); err != nil {
		return nil, err
	}
	if d.servers, err = reachable(ctx, folder.File.IXIT.LwM2M); err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d, d.on(ctx)
}

// TCP lists where the device answers, in order. A service that a fault has
// ended is listed too.
func (d *Device) TCP() []netip.AddrPort { return d.at(d.Ports) }

// UDP is TCP for services over UDP.
func (d *Device) UDP() []netip.AddrPort { return d.at(d.UDPPorts) }

func (d *Device) at(ports map[uint16]uint16) []netip.AddrPort {
	var all []netip.AddrPort
	for _, port := range slices.Sorted(maps.Values(ports)) {
		all = append(all, netip.AddrPortFrom(d.Addr, port))
	}
	return all
}

// At returns where the TCP service that wants the port answers. The result is
// not valid if the device has no such service.
func (d *Device) At(want uint16) netip.AddrPort { return d.where(d.Ports, want) }

// AtUDP is At for services over UDP.
func (d *Device) AtUDP(want uint16) netip.AddrPort { return d.where(d.UDPPorts, want) }

func (d *Device) where(ports map[uint16]uint16, want uint16) netip.AddrPort {
	got, ok := ports[want]
	if !ok {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(d.Addr, got)
}

// Password returns the password of the credential with that ID in device.yaml,
// as it is written down: a pre-shared key that is no text in hexadecimal.
func (d *Device) Password(credential string) (string, error) {
	c, ok := known(d.Folder.File, credential)
	if !ok || c.Encoding != device.Hex {
		return password(d.Serial, credential)
	}
	key, err := preShared(d.Serial, c)
	return hex.EncodeToString(key), err
}

const (
	// away is how long a restarting device is off: long enough to be noticed.
	away = 300 * time.Millisecond
	// portPatience is how long a restarting device waits for its own ports; the
	// system may still hold connections that used them.
	portPatience = 5 * time.Second
)

// Restart switches the device off and on again: sessions, retained messages of
// others and the time since the start are gone.
func (d *Device) Restart(ctx context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ended {
		return fmt.Errorf("device %q is closed", d.Folder.Name)
	}
	if err := d.off(); err != nil {
		return err
	}
	select {
	case <-time.After(away):
	case <-ctx.Done():
		return fmt.Errorf("restarting device %q: it stays off: %w", d.Folder.Name, context.Cause(ctx))
	}
	if err := d.on(ctx); err != nil {
		return fmt.Errorf("restarting device %q: %w", d.Folder.Name, err)
	}
	return nil
}

// Close switches the device off for good. All its ports are free afterwards.
func (d *Device) Close() error {
	d.stop()
	return d.end()
}

func (d *Device) end() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ended = true
	return d.off()
}

func (d *Device) on(ctx context.Context) error {
	d.boots++
	b := newBoot(d)
	if err := b.begin(func(s service) (net.Listener, error) { return d.listen(ctx, s) }); err != nil {
		return errors.Join(err, b.end())
	}
	d.now = b
	return nil
}

func (d *Device) off() error {
	b := d.now
	d.now = nil
	if b == nil {
		return nil
	}
	return b.end()
}

// listen opens a port: at the first start one that can be had, later the same.
func (d *Device) listen(ctx context.Context, s service) (net.Listener, error) {
	ports, open := d.Ports, listenTCP
	if s.udp {
		ports, open = d.UDPPorts, d.listenUDP
	}
	if got, ok := ports[s.port]; ok {
		return listenAgain(ctx, netip.AddrPortFrom(d.Addr, got), open)
	}
	ln, err := d.modes.listen(ctx, d.Addr, s.port, open)
	if err != nil {
		return nil, fmt.Errorf("port %d: %w", s.port, err)
	}
	ports[s.port] = portOf(ln.Addr())
	return ln, nil
}

func (d *Device) listenUDP(ctx context.Context, at netip.AddrPort) (net.Listener, error) {
	socket, err := bindUDP(ctx, at)
	if err != nil {
		return nil, err
	}
	return newDatagrams(socket), nil
}

func listenAgain(ctx context.Context, at netip.AddrPort, open opener) (net.Listener, error) {
	ctx, cancel := context.WithTimeout(ctx, portPatience)
	defer cancel()
	for {
		ln, err := open(ctx, at)
		if err == nil || !errors.Is(err, syscall.EADDRINUSE) {
			return ln, err
		}
		select {
		case <-time.After(away / 10):
		case <-ctx.Done():
			return nil, err
		}
	}
}

// known finds a credential of device.yaml.
func known(f *device.File, id string) (device.Credential, bool) {
	i := slices.IndexFunc(f.Credentials, func(c device.Credential) bool { return c.ID == id })
	if i < 0 {
		return device.Credential{}, false
	}
	return f.Credentials[i], true
}
