package tlsserver

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/probes/internal/tlsinside"
	"github.com/assay-iot/assay/harness/probes/internal/tlswire"
	"github.com/assay-iot/assay/harness/transport"
)

const (
	// mostServerNames bounds the server names that a listener is called by.
	mostServerNames = 4
	// mostHandshakes is two without and two with each server name.
	mostHandshakes = 2 + 2*mostServerNames
	// lateRefusal is how long a server may take to refuse, after the handshake,
	// a client that brought no certificate.
	lateRefusal = 2 * time.Second
	// benchRefusal is as long on a bench: an alert is there in milliseconds.
	benchRefusal = 700 * time.Millisecond
	// mostAuthorities is how many issuers of client certificates are kept.
	mostAuthorities = 10
)

// protocols are offered in ALPN.
var protocols = []string{"h2", "http/1.1", "mqtt", "coap", "x-amzn-mqtt-ca"}

// handshakes makes whole ones: without a server name, and with those that are
// declared or, if none is, with the first one that the certificate is for.
func (k *look) handshakes(ctx context.Context) error {
	names := k.declaredNames()
	if err := k.twice(ctx, ""); err != nil {
		return err
	}
	if name := k.servedName(); len(names) == 0 && name != "" {
		names = []Name{name}
	}
	for _, n := range names {
		if err := k.twice(ctx, n); err != nil {
			return err
		}
	}
	return nil
}

// declaredNames returns the host names that the device file declares for the
// listener, each once.
func (k *look) declaredNames() []Name {
	var names []Name
	for _, s := range declaration.Probe.From(k.in.Evidence).Services {
		for _, n := range s.ServerNames {
			if slices.Contains(s.TCP, k.Addr.Port()) && isHost(string(n)) && !slices.Contains(names, Name(n)) && len(names) < mostServerNames {
				names = append(names, Name(n))
			}
		}
	}
	return names
}

func (k *look) twice(ctx context.Context, name Name) error {
	for _, alpn := range []evidence.Tri{evidence.No, evidence.Yes} {
		h, err := k.handshake(ctx, name, alpn)
		if err != nil {
			return err
		}
		k.Handshakes = append(k.Handshakes, h)
	}
	return nil
}

// servedName returns the first host name of the certificates that the listener
// served, which may be sent to it.
func (k *look) servedName() Name {
	for _, c := range k.Chains {
		if len(c.Places) == 0 {
			continue
		}
		for _, n := range k.book.certificates[c.Places[0]].Names {
			if isHost(string(n)) {
				return Name(n)
			}
		}
	}
	return ""
}

// isHost reports whether a name has the form of a host name (RFC 1123, 2.1).
func isHost(name string) bool {
	if len(name) > 253 || net.ParseIP(name) != nil {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		ok := label != "" && len(label) <= 63 && label[0] != '-' && label[len(label)-1] != '-'
		if !ok || strings.ContainsFunc(label, func(r rune) bool {
			return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-'
		}) {
			return false
		}
	}
	return true
}

// handshake makes one, and then waits for a late refusal if a certificate was
// asked for. An error says nothing about the device.
func (k *look) handshake(ctx context.Context, name Name, alpn evidence.Tri) (Handshake, error) {
	h := Handshake{ServerName: name, ALPN: alpn, Outcome: NotReached, Alert: -1, Chain: -1, After: NotTried}
	c, act, err := k.open(ctx)
	if c == nil || err != nil {
		return h, errors.Join(err, k.count(act))
	}
	from := c.Span().Length
	var chain [][]byte
	t, log := &tap{Conn: c}, &bytes.Buffer{}
	config := k.config(&h, &chain)
	config.KeyLogWriter = log
	made, err := tlsinside.OpenWith(ctx, k.in.Net, t, config)
	h.Span = since(c.Span(), from)
	if err != nil && !errors.Is(err, transport.ErrTooMuch) {
		return h, err
	}
	k.shown(&h, chain, log.String(), t.heard)
	h.Alert, h.Outcome = made.Alert, EndingOf(made.Session != nil, made.Alert, made.Act)
	if made.Session == nil {
		return h, k.count(outcomeOf(h.Outcome))
	}
	k.silent = 0
	h.settled(made.Session.State)
	if h.Chain >= 0 {
		k.Chains[h.Chain].Proven = evidence.Yes
	}
	if h.Asked = orNo(h.Asked); h.Asked == evidence.Yes {
		h.After, h.Alert, err = late(ctx, made.Session, k.refusal)
	}
	h.Span = since(c.Span(), from)
	return h, errors.Join(err, made.Session.Close())
}

// shown notes the chain, and in TLS 1.3 the signature. What crypto/tls does not
// bear, such as a key that is too large, is read from what was heard.
func (k *look) shown(h *Handshake, chain [][]byte, log string, heard []byte) {
	served := len(chain)
	if f, err := tlswire.ReadFlight13(log, heard); err == nil || f.Served > 0 {
		chain, served = f.Chain, f.Served
		k.signed(Code(f.Signature))
	}
	if served > 0 {
		h.Chain = k.chain(chain[:min(len(chain), mostInChain)], served, h.Span)
	}
}

// mostInChain is how many certificates of a chain are kept.
const mostInChain = 10

func orNo(t evidence.Tri) evidence.Tri {
	if t == evidence.Unknown {
		return evidence.No
	}
	return t
}

// config offers all that crypto/tls can, and notes what it asks for or gets.
func (k *look) config(h *Handshake, chain *[][]byte) *tls.Config {
	c := tlsinside.Config()
	c.ServerName = string(h.ServerName)
	if h.ALPN == evidence.Yes {
		c.NextProtos = protocols
	}
	c.VerifyPeerCertificate = func(raw [][]byte, _ [][]*x509.Certificate) error {
		*chain = raw
		return nil
	}
	c.GetClientCertificate = func(r *tls.CertificateRequestInfo) (*tls.Certificate, error) {
		h.Asked = evidence.Yes
		for _, name := range r.AcceptableCAs[:min(len(r.AcceptableCAs), mostAuthorities)] {
			h.Authorities = append(h.Authorities, short(name))
		}
		return &tls.Certificate{}, nil
	}
	return c
}

// EndingOf says how a handshake ended: whether it was completed, the alert that
// came or -1, and how the device ended it otherwise.
func EndingOf(completed bool, alert int, act transport.Act) Ending {
	switch {
	case completed:
		return Completed
	case alert >= 0:
		return Refusal
	case act == transport.Closed:
		return HungUp
	case act == transport.Silent:
		return Stalled
	}
	return NotOurs
}

// outcomeOf is the outcome of a hello that ended like a handshake.
func outcomeOf(e Ending) Outcome {
	if e == Stalled {
		return Silent
	}
	return Closed
}

func (h *Handshake) settled(s tls.ConnectionState) {
	h.Version, h.Suite, h.Group = Code(s.Version), Code(s.CipherSuite), Code(s.CurveID)
	h.Protocol = evidence.Bytes(s.NegotiatedProtocol)
}

// late waits for what the server does next.
func late(ctx context.Context, s *tlsinside.Session, wait time.Duration) (Outcome, int, error) {
	if err := s.SetReadDeadline(time.Now().Add(wait)); err != nil {
		return NotTried, -1, err
	}
	n, err := s.Read(make([]byte, 1))
	switch alert := tlsinside.AlertOf(err); {
	case n > 0:
		return Accepted, -1, nil
	case alert >= 0:
		return Alerted, alert, nil
	}
	o, err := ending(ctx, err)
	return o, -1, err
}
