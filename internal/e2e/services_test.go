package e2e

import (
	"crypto/tls"
	"net"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/assay-iot/assay/harness/device"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/services"
	"github.com/assay-iot/assay/harness/transport"
	"github.com/assay-iot/assay/harness/verdict"
	"github.com/assay-iot/assay/internal/peers"
)

// A placed peer is a real server behind a port that it does not belong to.
type placed struct {
	port     uint16
	peer     func(testing.TB) netip.AddrPort
	protocol services.Protocol
	tls      evidence.Tri
}

func telnetd(t testing.TB) netip.AddrPort {
	return peers.BusyboxTelnetd(t, peers.TelnetConfig{Issue: "camera"}).Addr
}

func dropbear(t testing.TB) netip.AddrPort {
	return peers.Dropbear(t, peers.DropbearConfig{}).Addr
}

func nginx(t testing.TB) netip.AddrPort { return webServers(t)[0] }

func nginxTLS(t testing.TB) netip.AddrPort { return webServers(t)[1] }

func webServers(t testing.TB) []netip.AddrPort {
	cert := peers.NewAuthority(t).Issue(t, "127.0.0.1")
	return peers.Nginx(t, peers.NginxConfig{Certificate: &cert, Pages: map[string]string{"/index.html": "hello"}}).Addrs
}

func openssl(t testing.TB) netip.AddrPort {
	cert := peers.NewAuthority(t).Issue(t, "127.0.0.1")
	return peers.OpenSSLServer(t, peers.OpenSSLConfig{Certificate: cert}).Addr
}

// sealed is openssl behind a client certificate: nothing inside ever answers.
func sealed(t testing.TB) netip.AddrPort {
	cert := peers.NewAuthority(t).Issue(t, "127.0.0.1")
	return peers.OpenSSLServer(t, peers.OpenSSLConfig{Certificate: cert, Args: []string{"-Verify", "1", "-verify_return_error"}}).Addr
}

func mosquitto(t testing.TB) netip.AddrPort {
	return peers.Mosquitto(t, peers.MosquittoConfig{Users: users}).Addr
}

func mosquittoTLS(t testing.TB) netip.AddrPort {
	cert := peers.NewAuthority(t).Issue(t, "127.0.0.1")
	return peers.Mosquitto(t, peers.MosquittoConfig{Listeners: []peers.MosquittoListener{{Certificate: &cert}}, Users: users}).Addr
}

// A protocol is told by a dialogue. Where the port says something else, the
// port lies.
func TestServicesAreToldByDialogue(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name       string
		privileged bool
		pace       transport.Pace
		peers      []placed
		telnet     verdict.Verdict
	}{
		{"odd_ports", false, transport.Bench, []placed{
			{2022, dropbear, services.SSH, evidence.No}, {2323, telnetd, services.Telnet, evidence.No},
			{5000, nginx, services.HTTP, evidence.No}, {5683, mosquittoTLS, services.MQTT, evidence.Yes},
			{8081, sealed, services.OtherTLS, evidence.Yes}, {8883, mosquitto, services.MQTT, evidence.No},
			{9000, openssl, services.HTTP, evidence.Yes}, {9999, nginxTLS, services.HTTP, evidence.Yes},
		}, fail},
		// What looks like Telnet by its port is HTTPS; the search covers a
		// part of the ports, and so shows no absence.
		{"https_on_23", true, transport.Bench, []placed{{23, nginxTLS, services.HTTP, evidence.Yes}}, inconclusive},
		// TLS is asked for first there, and this server queues one client.
		{"telnet_on_443", true, transport.Normal, []placed{{443, telnetd, services.Telnet, evidence.No}}, fail},
		{"ssh_on_80_and_mqtt_on_22", true, transport.Bench, []placed{
			{22, mosquitto, services.MQTT, evidence.No}, {80, dropbear, services.SSH, evidence.No},
		}, inconclusive},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if tt.privileged {
				privileged(t)
			}
			addr := ownAddr(t)
			var ports []netip.AddrPort
			for _, p := range tt.peers {
				behind := p.peer(t)
				ports = append(ports, deviceAt(t, addr, p.port, func(c net.Conn) { forward(c, behind) }))
			}
			o := at(asking(t, "exposure.telnet-absent"), ports...)
			o.Pace = tt.pace
			tr := conduct(t, o)
			for i, s := range evidenceOf(t, tr.Case, services.Probe).Services {
				want := tt.peers[i]
				assert.Equal(t, want.protocol, s.Protocol, "port %d: %s", want.port, s.Answer)
				assert.Equal(t, want.tls, s.TLS, "port %d", want.port)
				assert.Equal(t, 2, s.Seen, "port %d", want.port)
			}
			expect(t, tr.Result, wanted{"exposure.telnet-absent": tt.telnet})
			for _, i := range items(tr.Result, "exposure.telnet-absent") {
				assert.Equal(t, tt.telnet == fail && i.Endpoint != "", i.Verdict == fail, "item %q: %s", i.Endpoint, i.Why)
			}
		})
	}
}

func forward(c net.Conn, to netip.AddrPort) {
	up, err := net.Dial("tcp", to.String())
	if err != nil {
		return
	}
	defer up.Close()
	join(c, up)
}

// On all ports of an address that nobody else listens on, HTTPS on port 23 is
// what shows that there is no Telnet.
func TestNoTelnetAnywhere(t *testing.T) {
	t.Parallel()
	privileged(t)
	addr := ownAddr(t)
	o := order(asking(t, "exposure.telnet-absent"), "all")
	o.File = device.Bare(addr)
	o.File.Device.HostPorts = hostPorts(t)
	behind := nginxTLS(t)
	deviceAt(t, addr, 23, func(c net.Conn) { forward(c, behind) })
	expect(t, conduct(t, o).Result, wanted{"exposure.telnet-absent": pass})
}

// A server that ends TLS at once, whatever is said inside, is TLS and no more.
func TestTLSWithNothingInside(t *testing.T) {
	t.Parallel()
	cert := peers.NewAuthority(t).Issue(t, "127.0.0.1")
	addr := deviceAt(t, localhost, 0, func(c net.Conn) {
		inside := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{cert.TLS}})
		_ = inside.Handshake() // whether or not it succeeds, that was all
	})
	tr := conduct(t, at(asking(t, "exposure.telnet-absent"), addr))
	found := evidenceOf(t, tr.Case, services.Probe).Services
	assert.Equal(t, services.OtherTLS, found[0].Protocol)
	expect(t, tr.Result, wanted{"exposure.telnet-absent": inconclusive})
}
