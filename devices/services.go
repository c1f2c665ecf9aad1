package devices

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/assay-iot/assay/harness/device"
)

// Ports that faults open. No sound device wants them.
const (
	plainMQTTPort  = 1883
	plainHTTPPort  = 80
	telnetPort     = 2323
	plainCoAPPort  = 5683
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
	pinned   *x509.Certificate // that the maker declares
}

func newUnit(serial string, addr netip.Addr, f Folder) (unit, error) {
	u := unit{serial: serial, addr: addr, file: f.File, faults: f.Faults, oddities: f.Oddities}
	return u.certified(time.Now())
}

// services lists what answers: the services that the device file declares and
// we can speak, then what the faults add.
func (b *boot) services() ([]service, []part) {
	u := b.unit
	mqtt, web, empty := newBroker(b), newWeb(b), newEmptyWeb()
	parts := []part{mqtt, web, empty}
	speak := map[string]func(net.Conn){"mqtt": mqtt.speak, "http": web.speak, "ssh": u.ssh}
	var all []service
	for _, row := range u.file.IXIT.SoftServ {
		for _, port := range row.TCP {
			if f, ok := speak[row.Protocol]; ok {
				all = append(all, service{name: row.Protocol, port: port, tls: u.inside(row.TLS == device.Yes), speak: f})
			}
		}
	}
	if u.faults.TLSStall {
		stall(all)
	}
	coap, doors := b.coapServices()
	all, parts = append(all, coap...), append(parts, doors...)
	if b.servers != (lwm2mServers{}) {
		parts = append(parts, newLwM2MClient(u, b.servers))
	}
	for _, extra := range []struct {
		on bool
		service
	}{
		{u.faults.MQTTPlainListener, service{name: "mqtt", port: plainMQTTPort, speak: mqtt.speak}},
		{u.faults.HTTPSetupPlain, service{name: "http", port: plainHTTPPort, speak: web.speak}},
		{u.faults.OpenTelnet, service{name: "telnet", port: telnetPort, speak: u.telnet}},
		{u.faults.UndeclaredService, service{name: "undeclared", port: undeclaredPort, tls: u.inside(true), speak: empty.speak}},
		{u.faults.AcceptAndSilent, service{name: "silent", port: silentPort, speak: silent}},
		{u.faults.Drip, service{name: "drip", port: dripPort, speak: drip}},
		{u.faults.Flood, service{name: "flood", port: floodPort, speak: flood}},
	} {
		if extra.on {
			all = append(all, extra.service)
		}
	}
	return all, parts
}

// coapServices lists the CoAP servers, one for each way in.
func (b *boot) coapServices() ([]service, []part) {
	things := newResources(b)
	var all []service
	var doors []part
	door := func(row *device.CoAP, secure, stream bool) *coapDoor {
		d := newCoAPDoor(b, row, things, secure, stream)
		doors = append(doors, d)
		return d
	}
	var first *device.CoAP
	for _, row := range b.unit.file.IXIT.SoftServ {
		if row.Protocol != "coap" || row.CoAP == nil {
			continue
		}
		if first == nil {
			first = row.CoAP
		}
		secure := row.TLS == device.Yes
		for _, port := range row.UDP {
			s := service{name: "coap", port: port, udp: true, speak: door(row.CoAP, secure, false).speak}
			if secure {
				s.dtls = b.unit.dtlsOptions()
			}
			all = append(all, s)
		}
		for _, port := range row.TCP {
			// TLS here proves who the server is and not who the client is.
			all = append(all, service{name: "coap", port: port, tls: b.unit.inside(secure), speak: door(row.CoAP, false, true).speak})
		}
	}
	if b.unit.faults.plainCoAP() && first != nil {
		all = append(all, service{name: "coap", port: plainCoAPPort, udp: true, speak: door(first, false, false).speak})
	}
	return all, doors
}

// plainCoAP says whether a fault needs a port that speaks CoAP in clear.
func (f Faults) plainCoAP() bool {
	return f.CoAPWriteOpen || f.CoAPObserveOpen || f.CoAPPlainSideDoor || f.CoAPLargeListing || f.LwM2MNoSecRead
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
