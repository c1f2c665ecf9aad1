package devices

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/netip"

	"github.com/assay-iot/assay/harness/device"
)

// Ports that faults open. No sound device wants them.
const (
	plainMQTTPort  = 1883
	plainHTTPPort  = 80
	telnetPort     = 2323
	undeclaredPort = 8443
	silentPort     = 7001
	dripPort       = 7002
	floodPort      = 7003
)

// A unit is what does not change while a device exists.
type unit struct {
	serial   string
	addr     netip.Addr
	file     *device.File
	faults   Faults
	oddities Oddities
	cert     tls.Certificate
}

func newUnit(serial string, addr netip.Addr, f Folder) (unit, error) {
	cert, err := certificate(serial, f.File.Device.Model, addr, f.Oddities.SelfSigned)
	return unit{serial, addr, f.File, f.Faults, f.Oddities, cert}, err
}

// leaf returns the certificate that the unit presents.
func (u unit) leaf() *x509.Certificate { return u.cert.Leaf }

func (u unit) tlsConfig() *tls.Config {
	c := &tls.Config{Certificates: []tls.Certificate{u.cert}, MinVersion: tls.VersionTLS13}
	if u.oddities.OlderTLS {
		c.MinVersion = tls.VersionTLS12
	}
	return c
}

// services lists what answers: the services that the device file declares and
// we can speak, then what the faults add.
func (b *boot) services() ([]service, []part) {
	u := b.unit
	mqtt, web, empty := newBroker(b), newWeb(b), newEmptyWeb()
	speak := map[string]func(net.Conn){"mqtt": mqtt.speak, "http": web.speak, "ssh": u.ssh}
	var all []service
	for _, row := range u.file.IXIT.SoftServ {
		for _, port := range row.TCP {
			if f, ok := speak[row.Protocol]; ok {
				all = append(all, service{row.Protocol, port, u.inside(row.TLS == device.Yes), f})
			}
		}
	}
	if u.faults.TLSStall {
		stall(all)
	}
	for _, extra := range []struct {
		on bool
		service
	}{
		{u.faults.MQTTPlainListener, service{"mqtt", plainMQTTPort, nil, mqtt.speak}},
		{u.faults.HTTPSetupPlain, service{"http", plainHTTPPort, nil, web.speak}},
		{u.faults.OpenTelnet, service{"telnet", telnetPort, nil, u.telnet}},
		{u.faults.UndeclaredService, service{"undeclared", undeclaredPort, u.inside(true), empty.speak}},
		{u.faults.AcceptAndSilent, service{"silent", silentPort, nil, silent}},
		{u.faults.Drip, service{"drip", dripPort, nil, drip}},
		{u.faults.Flood, service{"flood", floodPort, nil, flood}},
	} {
		if extra.on {
			all = append(all, extra.service)
		}
	}
	return all, []part{mqtt, web, empty}
}

// inside returns the configuration of a service inside TLS, or nothing.
func (u unit) inside(yes bool) *tls.Config {
	if !yes {
		return nil
	}
	return u.tlsConfig()
}

// stall makes the set-up page leave the ClientHello unanswered.
func stall(all []service) {
	for i := range all {
		if all[i].name == "http" && all[i].tls != nil {
			all[i].tls, all[i].speak = nil, silent
		}
	}
}

// greeting is how the device calls itself in clear text.
func (u unit) greeting() string {
	return fmt.Sprintf("%s %s", u.file.Device.Manufacturer, u.file.Device.Model)
}
