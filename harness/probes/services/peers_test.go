package services

import (
	"net/netip"
	"testing"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/transport"
	"github.com/assay-iot/assay/internal/peers"
)

// Real programs are identified on ports that hint at nothing. A broker answers
// both versions of MQTT, and either may be the first.
func TestRealPeers(t *testing.T) {
	cert := peers.NewAuthority(t).Issue(t, "device")
	brokers := peers.Mosquitto(t, peers.MosquittoConfig{
		Users: map[string]string{"user": "secret"},
		Listeners: []peers.MosquittoListener{
			{Anonymous: true}, {}, {Certificate: &cert}, {Certificate: &cert, ClientCertificate: true},
		},
	}).Addrs
	web := peers.Nginx(t, peers.NginxConfig{Certificate: &cert, Pages: map[string]string{"/index.html": "hello"}}).Addrs
	all := []want{
		{"dropbear", peers.Dropbear(t, peers.DropbearConfig{}).Addr, SSH, evidence.No, 2, Understood, "SSH-2.0-dropbear"},
		{"telnetd", peers.BusyboxTelnetd(t, peers.TelnetConfig{Issue: "camera"}).Addr, Telnet, evidence.No, 2, Understood, "\xff"},
		{"mosquitto_open", brokers[0], MQTT, evidence.No, 2, Understood, "\x20"},
		{"mosquitto", brokers[1], MQTT, evidence.No, 2, Understood, "\x20"},
		{"mosquitto_tls", brokers[2], MQTT, evidence.Yes, 2, Understood, "\x20"},
		{"mosquitto_mutual_tls", brokers[3], OtherTLS, evidence.Yes, 2, Understood, "\x16\x03"},
		{"nginx", web[0], HTTP, evidence.No, 2, Understood, "HTTP/1.1 "},
		{"nginx_tls", web[1], HTTP, evidence.Yes, 2, Understood, "HTTP/1.1 "},
		{"openssl", peers.OpenSSLServer(t, peers.OpenSSLConfig{Certificate: cert, Args: []string{"-tls1_2"}}).Addr, HTTP, evidence.Yes, 2, Understood, "HTTP/1.0 200"},
	}
	var addrs []netip.AddrPort
	for _, w := range all {
		addrs = append(addrs, w.at)
	}
	found, err := look(t, transport.Bench, addrs...)
	if err != nil || len(found) != len(all) {
		t.Fatalf("%d services, %v", len(found), err)
	}
	for i, w := range all {
		check(t, w, found[i])
	}
}
