package mutualtls

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"time"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/probes/internal/mqttdoor"
	"github.com/assay-iot/assay/harness/probes/internal/mqttwire"
	"github.com/assay-iot/assay/harness/probes/internal/tlsinside"
	"github.com/assay-iot/assay/harness/probes/services"
	"github.com/assay-iot/assay/harness/probes/tlsserver"
	"github.com/assay-iot/assay/harness/transport"
	"github.com/assay-iot/assay/harness/verdict"
)

// Probe shows each TLS listener no certificate, a self-made one and the declared
// one.
var Probe = &probe.Probe[Evidence]{
	Name:    "mutual-tls",
	Version: 1,
	Doc:     "whether each TLS listener serves clients without a certificate, with a self-made one and with the declared one",
	Effect:  probe.Intrusive,
	Basis:   verdict.Tested,
	Needs:   []probe.Any{services.Probe, declaration.Probe},
	Bound:   bound,
	Run:     run,
}

const (
	// rounds are fresh exchanges for each of the two ways.
	rounds = 2
	// perListener is the most connections to one listener: strangers, and the
	// control before and after them.
	perListener = 2*rounds + 2
	// Service is the service under which a device file gives a certificate.
	Service = "client-certificate"
	// patience bounds a handshake and what follows it: a small device takes
	// seconds for a signature.
	patience = 12 * time.Second
	// benchPatience: on a bench nothing stands between us and the device.
	benchPatience = 1500 * time.Millisecond
	// mostAnswer is how much of an answer is kept, in bytes: enough to tell a
	// refusal of the protocol inside from a service.
	mostAnswer = 1024
)

func bound(t probe.Target) probe.Bound {
	n := perListener * t.Open
	pause := time.Duration(0)
	if t.PerSecond > 0 {
		pause = time.Second / time.Duration(t.PerSecond)
	}
	return probe.Bound{Time: time.Duration(n+1) * (patience + pause), Connections: n}
}

func run(ctx context.Context, in probe.Input) (Evidence, error) {
	secure := map[netip.AddrPort]services.Service{}
	var addrs []netip.AddrPort
	for _, s := range services.Probe.From(in.Evidence).Services {
		if s.TLS == evidence.Yes {
			secure[s.Addr] = s
			addrs = append(addrs, s.Addr)
		}
	}
	g := &guest{in: in, patience: patience}
	if given := in.Logins.For(Service); len(given) > 0 { // the first one is the control
		good, err := tls.X509KeyPair([]byte(given[0].Password), []byte(given[0].Password))
		if err != nil {
			return Evidence{}, fmt.Errorf("credential %q is no client certificate with its key in PEM form", given[0].ID)
		}
		g.credential, g.good = declaration.Name(given[0].ID), &good
	}
	if transport.LimitsOf(in.Target.Pace).AtOnce > 1 {
		g.patience = benchPatience
	}
	found, err := probe.Each(ctx, addrs, func(at netip.AddrPort) (Listener, error) {
		return g.visit(ctx, secure[at])
	})
	return Evidence{found}, err
}

// guest goes from listener to listener.
type guest struct {
	in         probe.Input
	patience   time.Duration
	credential declaration.Name // of the good certificate, empty if there is none
	good       *tls.Certificate
}

func (g *guest) visit(ctx context.Context, s services.Service) (Listener, error) {
	s.Protocol = g.protocol(s)
	l := Listener{Addr: s.Addr, Protocol: s.Protocol, Credential: g.credential}
	turns := slices.Repeat([]Shown{Nothing, SelfMade}, rounds)
	if g.good != nil {
		turns = slices.Concat([]Shown{Declared}, turns, []Shown{Declared})
	}
	for _, shown := range turns {
		t, err := g.try(ctx, s, shown)
		if err != nil {
			return l, err
		}
		l.Tries = append(l.Tries, t)
	}
	return l, nil
}

// protocol is what is spoken inside TLS. Where a stranger is turned away before
// anything is said, only the device file can tell.
func (g *guest) protocol(s services.Service) services.Protocol {
	if s.Protocol != services.OtherTLS {
		return s.Protocol
	}
	for _, row := range declaration.Probe.From(g.in.Evidence).Services {
		if row.Protocol != "" && row.Enabled != evidence.No && slices.Contains(row.TCP, s.Addr.Port()) {
			return services.Protocol(row.Protocol)
		}
	}
	return s.Protocol
}

// try shakes hands and asks. An error says nothing about the device.
func (g *guest) try(ctx context.Context, s services.Service, shown Shown) (Try, error) {
	t := Try{Shown: shown, Outcome: tlsserver.NotReached, Alert: -1, Request: evidence.No, After: tlsserver.NotTried}
	c, err := g.in.Net.Dial(transport.Within(ctx, g.patience), s.Addr)
	if err != nil {
		_, err = transport.Did(ctx, err)
		return t, err
	}
	made, err := tlsinside.OpenWith(ctx, g.in.Net, c, t.config(g.good))
	t.Span = c.Span()
	switch {
	case errors.Is(err, transport.ErrTooMuch):
		t.Outcome = tlsserver.NotOurs
		return t, nil
	case err != nil:
		return t, err
	}
	t.Outcome, t.Alert = tlsserver.EndingOf(made.Session != nil, made.Alert, made.Act), made.Alert
	if made.Session == nil {
		return t, nil
	}
	t.Version = tlsserver.Code(made.Session.State.Version)
	if t.Asked == evidence.Unknown {
		t.Asked = evidence.No
	}
	err = t.ask(ctx, made.Session, s.Protocol)
	return t, errors.Join(err, made.Session.Close())
}

// config shows what is to be shown, if it is asked for.
func (t *Try) config(good *tls.Certificate) *tls.Config {
	c := tlsinside.Config()
	c.GetClientCertificate = func(r *tls.CertificateRequestInfo) (*tls.Certificate, error) {
		t.Asked = evidence.Yes
		switch t.Shown {
		case Nothing:
			return &tls.Certificate{}, nil
		case Declared:
			return good, nil
		case SelfMade:
		}
		if len(r.AcceptableCAs) > 0 && isName(r.AcceptableCAs[0]) {
			t.Issuer = r.AcceptableCAs[0]
		}
		return selfMade(t.Issuer)
	}
	return c
}

// ask sends one request and reads what the server says to it.
func (t *Try) ask(ctx context.Context, s *tlsinside.Session, p services.Protocol) error {
	request, err := requestFor(p)
	if err != nil {
		return err
	}
	if len(request) > 0 {
		t.Request = evidence.Yes
		if _, err := s.Write(request); err != nil {
			return t.ended(ctx, err)
		}
	}
	buf := make([]byte, mostAnswer)
	n, err := s.Read(buf)
	if n > 0 {
		t.After, t.Answer, t.Span = tlsserver.Accepted, buf[:n], s.Span()
		return nil
	}
	return t.ended(ctx, err)
}

// ended says how the device ended the session.
func (t *Try) ended(ctx context.Context, err error) error {
	if alert := tlsinside.AlertOf(err); alert >= 0 {
		t.After, t.Alert = tlsserver.Alerted, alert
		return nil
	}
	if errors.Is(err, io.EOF) || errors.Is(err, transport.ErrTooMuch) {
		t.After = tlsserver.Closed
		return nil
	}
	act, err := transport.Did(ctx, err)
	t.After = tlsserver.Closed
	if act == transport.Silent {
		t.After = tlsserver.Silent
	}
	return err
}

// requestFor returns what any client of a protocol says first, nothing if the
// server speaks first or the protocol is not known.
func requestFor(p services.Protocol) ([]byte, error) {
	switch p {
	case services.HTTP:
		return []byte("GET / HTTP/1.0\r\n\r\n"), nil
	case services.MQTT:
		packet, _, err := mqttwire.Connect{Version: mqttwire.V311, ClientID: mqttdoor.ClientID(), CleanStart: true}.Encode()
		return packet, err
	}
	return nil, nil
}
