// Package doortest gives tests of MQTT probes a broker with rules of its own
// and all that a probe may use.
package doortest

import (
	"bytes"
	"io"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/services"
	"github.com/assay-iot/assay/harness/transport"
)

// A Bench is what a probe may use, and what it did with it.
type Bench struct {
	Input probe.Input

	mu       sync.Mutex
	tried    map[string]int
	order    []string
	readable map[evidence.Member]*bytes.Buffer
}

// New returns a bench without a limit but the log-ins, which a device file with
// logins would give.
func New(t testing.TB, logins ...probe.Login) *Bench {
	t.Helper()
	return Limited(t, transport.LimitsOf(transport.Bench), logins...)
}

// Limited returns a bench with limits.
func Limited(t testing.TB, limits transport.Limits, logins ...probe.Login) *Bench {
	t.Helper()
	b := &Bench{tried: map[string]int{}, readable: map[evidence.Member]*bytes.Buffer{}}
	net := transport.New(transport.Config{
		Scope: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Limits: limits, Ledger: b,
		Transcript: b.open, CompareKey: []byte("compare"),
	})
	b.Input = probe.Input{
		Target: probe.Target{Unit: evidence.DUT, Pace: transport.Bench, Open: probe.MaxOpen},
		Net:    net, Mask: net.Mask, Logins: given(logins),
	}
	return b
}

// given are log-ins of a device file that speaks of MQTT alone.
type given []probe.Login

// For returns them for MQTT.
func (g given) For(service string) []probe.Login {
	if service != "mqtt" {
		return nil
	}
	return g
}

// List returns no default pair.
func (given) List(string) []probe.Login { return nil }

// Tried counts the log-ins of an account.
func (b *Bench) Tried(service, account string) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.tried[service+" "+account], nil
}

// Try notes one more.
func (b *Bench) Try(service, account string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tried[service+" "+account]++
	b.order = append(b.order, account)
	return nil
}

// Charged returns the accounts of the log-ins that were counted, in order.
func (b *Bench) Charged() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string{}, b.order...)
}

func (b *Bench) open(name evidence.Member) (io.WriteCloser, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.readable[name] = &bytes.Buffer{}
	return member{b, b.readable[name]}, nil
}

// Transcript returns all that was written down, in one piece.
func (b *Bench) Transcript() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var all strings.Builder
	for _, m := range b.readable {
		all.Write(m.Bytes())
		all.WriteByte('\n')
	}
	return all.String()
}

// Member returns what was written down under one name.
func (b *Bench) Member(name evidence.Member) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if m := b.readable[name]; m != nil {
		return m.String()
	}
	return ""
}

type member struct {
	bench *Bench
	buf   *bytes.Buffer
}

// Write takes a part of the transcript.
func (m member) Write(p []byte) (int, error) {
	m.bench.mu.Lock()
	defer m.bench.mu.Unlock()
	return m.buf.Write(p)
}

// Close has nothing to do.
func (member) Close() error { return nil }

// Listeners is what the services probe says where MQTT is spoken at each
// address, in plain text.
func Listeners(addrs ...netip.AddrPort) services.Evidence {
	var e services.Evidence
	for _, a := range addrs {
		e.Services = append(e.Services, services.Service{Addr: a, Protocol: services.MQTT, TLS: evidence.No, Seen: 2})
	}
	return e
}
