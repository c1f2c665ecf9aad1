package services

import (
	"net"
	"net/netip"
	"testing"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/probes/tcpports"
	"github.com/assay-iot/assay/harness/transport"
)

const canary = "canary-pass"

// shy hangs up on everybody but a client with the right password.
func shy(c net.Conn) {
	b := make([]byte, 256)
	n, _ := c.Read(b)
	if n > len(canary) && b[0] == 0x10 && string(b[n-len(canary):n]) == canary {
		c.Write([]byte{0x20, 2, 0, 0})
	}
}

type oneLogin struct{ password string }

func (o oneLogin) For(service string) []probe.Login {
	return []probe.Login{{ID: "app", User: "app", Password: o.password}}
}

func (oneLogin) List(string) []probe.Login { return nil }

// ledger counts log-ins.
type ledger struct{ tried int }

func (l *ledger) Tried(string, string) (int, error) { return l.tried, nil }

func (l *ledger) Try(string, string) error { l.tried++; return nil }

// A broker that tells strangers nothing is known by a member, where it is
// declared; its password goes nowhere else.
func TestMemberKnowsItsBroker(t *testing.T) {
	at := device(t, shy)
	tests := []struct {
		name     string
		port     uint16
		protocol declaration.Name
		password string
		want     Protocol
		tried    int
	}{
		{"declared", at.Port(), "mqtt", canary, MQTT, 1},
		{"wrong_password", at.Port(), "mqtt", "another-pass", Unidentified, 1},
		{"declared_elsewhere", at.Port() ^ 1, "mqtt", canary, Unidentified, 0},
		{"declared_as_something_else", at.Port(), "http", canary, Unidentified, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			count := &ledger{}
			in := probe.Input{
				Target: probe.Target{Open: 1, Pace: transport.Bench}, Logins: oneLogin{tt.password},
				Net: transport.New(transport.Config{Scope: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, Limits: transport.LimitsOf(transport.Bench), Ledger: count}),
				Evidence: evidence.NewView(evidence.DUT, map[string]evidence.Page{
					tcpports.Probe.Name: {Value: tcpports.Evidence{Open: []tcpports.Port{{Addr: at, Seen: 2}}}},
					declaration.Probe.Name: {Value: declaration.Evidence{Services: []declaration.Service{
						{ID: "broker", Enabled: evidence.Yes, Protocol: tt.protocol, TCP: []uint16{tt.port}}}}},
				}),
			}
			e, err := run(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			s := e.Services[0]
			if s.Protocol != tt.want || (s.Seen == 2) != (tt.want == MQTT) || count.tried != tt.tried {
				t.Errorf("service = %+v, %d log-ins; want %s, %d", s, count.tried, tt.want, tt.tried)
			}
		})
	}
}
