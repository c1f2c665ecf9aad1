package services

import (
	"context"
	"crypto/rand"
	"net/netip"
	"slices"
	"sync/atomic"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/probes/internal/mqttwire"
	"github.com/assay-iot/assay/harness/transport"
)

// A member knows a log-in to the brokers that the manufacturer declares. Some of
// them hang up on strangers without a word, so that only a member learns what
// they speak.
type member struct {
	in      probe.Input
	brokers []uint16 // ports that are declared to speak MQTT
	login   *probe.Login
	proven  atomic.Bool // the log-in was accepted, and costs nothing any more
}

// newMember reads what is declared. It knows no log-in if none is.
func newMember(in probe.Input) *member {
	m := &member{in: in}
	for _, s := range declaration.Probe.From(in.Evidence).Services {
		if s.Protocol == declaration.Name(MQTT) && s.Enabled != evidence.No {
			m.brokers = append(m.brokers, s.TCP...)
		}
	}
	if in.Logins == nil || len(m.brokers) == 0 {
		return m
	}
	if logins := in.Logins.For(string(MQTT)); len(logins) > 0 {
		m.login = &logins[0]
	}
	return m
}

// knows reports whether a log-in may be tried on a port.
func (m *member) knows(addr netip.AddrPort) bool {
	return m != nil && m.login != nil && slices.Contains(m.brokers, addr.Port())
}

// dialogue is a CONNECT with the log-in, of which the budget allows one unless
// it is accepted.
func (m *member) dialogue() *dialogue {
	return &dialogue{hold: func(ctx context.Context, d transport.Dialer, e *ear) said {
		if !m.proven.Load() && d.Login(ctx, string(MQTT), m.login.User) != nil {
			return nothing
		}
		return m.connect(d, e)
	}}
}

func (m *member) connect(d transport.Dialer, e *ear) said {
	d.Hide("password", []byte(m.login.Password))
	hello := mqttwire.Connect{
		Version: mqttwire.V311, ClientID: "assay" + rand.Text()[:8], CleanStart: true, KeepAlive: keepAlive,
		UserName: &m.login.User, Password: &m.login.Password,
	}
	_, secret, err := hello.Encode()
	if err != nil {
		return nothing
	}
	s, ack, err := mqttwire.Open(&secretive{ear: e, secret: secret}, hello, mqttwire.Limits{PacketBytes: maxAnswer})
	if err != nil {
		return nothing
	}
	if ack.Accepted() {
		m.proven.Store(true)
		_ = s.Disconnect() // the answer is there already
	}
	return said{protocol: MQTT}
}

// secretive writes the first packet with the password hidden from the
// transcript.
type secretive struct {
	*ear
	secret mqttwire.Span
	begun  bool
}

// Write writes b.
func (s *secretive) Write(b []byte) (int, error) {
	if s.begun {
		return s.ear.Write(b)
	}
	s.begun = true
	n, err := s.WriteSecret(b, int(s.secret.Offset), int(s.secret.Length))
	s.keep(err)
	return n, err
}
