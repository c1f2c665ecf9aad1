package e2e

import (
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/health"
	"github.com/assay-iot/assay/harness/result"
	"github.com/assay-iot/assay/internal/peers"
)

// answering is a device that reads once and then says these bytes, whoever
// asks what.
func answering(text string) func(testing.TB) netip.AddrPort {
	return func(t testing.TB) netip.AddrPort {
		return deviceAt(t, localhost, 0, func(c net.Conn) {
			if _, err := c.Read(make([]byte, 4096)); err == nil {
				_, _ = io.WriteString(c, text) // whoever hangs up on it has heard enough
				_, _ = io.Copy(io.Discard, c)
			}
		})
	}
}

// letIn is a CONNACK of MQTT 3.1.1 with code 0.
const letIn = "\x20\x02\x00\x00"

// hostile are devices from which nothing can be learned, each in its own way.
var hostile = []struct {
	name string
	peer func(testing.TB) netip.AddrPort
}{
	{"silent", func(t testing.TB) netip.AddrPort { return peers.Tarpit(t) }},
	{"drip", func(t testing.TB) netip.AddrPort { return peers.Drip(t, "HTTP/1.1 200 OK\r\nX: ") }},
	{"drip_connack", func(t testing.TB) netip.AddrPort { return peers.Drip(t, "\x20\x7f\x00") }},
	{"reset", func(t testing.TB) netip.AddrPort { return peers.Reset(t) }},
	{"closes", func(t testing.TB) netip.AddrPort { return peers.Closer(t) }},
	{"flood", func(t testing.TB) netip.AddrPort { return peers.Flood(t, "\x00") }},
	{"flood_text", func(t testing.TB) netip.AddrPort { return peers.Flood(t, "HTTP/1.1 200 OK\r\n") }},
	{"flood_connack", func(t testing.TB) netip.AddrPort { return peers.Flood(t, letIn) }},
	{"half_a_packet", answering("\x20\x02\x00")},
	{"length_of_256_MB", answering("\x20\xff\xff\xff\x7f")},
	{"length_of_256_MB_and_more", answering("\x20\xff\xff\xff\x7f" + strings.Repeat("x", 1<<20))},
	{"length_that_never_ends", answering("\x20" + strings.Repeat("\xff", 64))},
	{"random", answering("\x9b\x00\x41\xfe\x8c\xe2\x1d\x7f\x00\x33")},
}

// settled is by how much a probe may miss its bound: what it takes to cancel.
const settled = time.Second

// growth is what a hostile device may cost in memory, in bytes.
const growth = 64 << 20

func TestHostile(t *testing.T) {
	t.Parallel()
	calm := assay(t, t.TempDir(), "run", "127.0.0.1", "--ports", portOf(closedPort(t)), "--format", "json")
	for _, tt := range hostile {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			addr := tt.peer(t)
			ran := assay(t, t.TempDir(), "run", "127.0.0.1", "--ports", portOf(addr), "--format", "json", "--effect", "intrusive")
			r := ran.result(t)
			assert.Equal(t, 3, ran.Code, "standard error:\n%s", ran.Stderr)
			for _, d := range r.Decisions {
				want := inconclusive
				if overDTLS(d.Check) {
					want = without // UDP was asked, and the machine says that nobody listens
				}
				assert.Equal(t, want, d.Verdict, "%s%s", d.Check, why(r, d.Check))
			}
			inBounds(t, r, addr)
			assert.LessOrEqual(t, ran.Peak-calm.Peak, int64(growth), "bytes more than with a port that is closed")
		})
	}
}

// overDTLS reports whether a check speaks of nothing that TCP carries.
func overDTLS(check string) bool {
	return check == "coap.psk-defaults-refused" || strings.HasPrefix(check, "coap.dtls-")
}

// closedPort is one on which nobody listens.
func closedPort(t testing.TB) netip.AddrPort {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, ln.Close())
	return netip.MustParseAddrPort(ln.Addr().String())
}

// inBounds compares what each probe took with its bound for one open port.
func inBounds(t *testing.T, r result.Result, addr netip.AddrPort) {
	t.Helper()
	o := at(shipped(t), addr)
	o.Effect = probe.Intrusive
	s, err := o.Prepare()
	require.NoError(t, err)
	target := probe.Target{
		Unit: evidence.DUT, Addrs: []netip.Addr{addr.Addr()}, Ports: []uint16{addr.Port()},
		Pace: s.Pace, Open: 1, Known: []netip.AddrPort{addr},
	}
	bounds := map[string]probe.Bound{health.Probe.Name: health.Probe.Info().Bound(target)}
	for _, p := range s.Plan {
		bounds[p.Info().Name] = p.Info().Bound(target)
	}
	for _, rec := range r.Records {
		b, planned := bounds[rec.Probe]
		require.True(t, planned, "probe %q was not announced", rec.Probe)
		if watches(s, rec.Probe) {
			continue
		}
		assert.LessOrEqual(t, rec.Took, b.Time+settled, "probe %q", rec.Probe)
	}
}

// A device that says yes to every CONNECT has no log-in. That is a flaw of its
// own, and no default password.
func TestAcceptsAll(t *testing.T) {
	t.Parallel()
	addr := broker(t, func(packet) byte { return 0 })
	// It answers no malformed packet either, and each is waited for.
	asked := slices.DeleteFunc(everyCheck(), func(id string) bool { return id == "mqtt.malformed-survived" })
	o := at(asking(t, asked...), addr)
	o.Effect = probe.Intrusive
	r := conduct(t, o).Result
	expect(t, r, wanted{
		"mqtt.anonymous-refused": fail, "mqtt.listener-encrypted": fail,
		"credentials.mqtt-defaults-refused": inconclusive, "exposure.telnet-absent": inconclusive,
	})
	neverPasses(t, r)
}

// A device that takes every password, but asks for one, is another case.
func TestAcceptsAnyPassword(t *testing.T) {
	t.Parallel()
	addr := broker(t, func(p packet) byte {
		if p.Password == "" {
			return 5
		}
		return 0
	})
	o := at(asking(t, "mqtt.anonymous-refused", "credentials.random-refused", "credentials.mqtt-defaults-refused"), addr)
	o.Effect = probe.Intrusive
	r := conduct(t, o).Result
	expect(t, r, wanted{"credentials.random-refused": fail, "credentials.mqtt-defaults-refused": inconclusive})
}

// broker is a device that answers every CONNECT with the code that decide
// gives, and knows no more of MQTT than to stay connected.
func broker(t testing.TB, decide func(packet) byte) netip.AddrPort {
	t.Helper()
	return deviceAt(t, localhost, 0, func(c net.Conn) {
		var seen tap
		b := make([]byte, 4096)
		answered := false
		for {
			n, err := c.Read(b)
			if err != nil {
				return
			}
			seen.take(b[:n])
			if seen.other {
				return
			}
			if answered || len(seen.Packets) == 0 {
				continue
			}
			answered = true
			if _, err := c.Write(seen.connAck(decide(seen.Packets[0]))); err != nil {
				return
			}
		}
	})
}

// notAuthorized5 is what MQTT 5 has for code 5 of MQTT 3.1.1.
const notAuthorized5 = 0x87

// connAck is the answer to the CONNECT that p saw, in its version.
func (p *tap) connAck(code byte) []byte {
	if p.level < 5 {
		return []byte{connAck << 4, 2, 0, code}
	}
	if code != 0 {
		code = notAuthorized5
	}
	return []byte{connAck << 4, 3, 0, code, 0}
}

// flapRuns is how often a device is tested that never behaves twice alike.
const flapRuns = 10

// A device that lets every other stranger in is never told to refuse them, and
// never to let them in unless that was shown again.
func TestFlapping(t *testing.T) {
	t.Parallel()
	for run := range flapRuns {
		var turn atomic.Int64
		turn.Add(int64(run)) // half of the runs begin with a yes
		var let atomic.Int64
		addr := broker(t, func(packet) byte {
			if turn.Add(1)%2 == 0 {
				return 5
			}
			let.Add(1)
			return 0
		})
		flaps(t, conduct(t, at(asking(t, "mqtt.anonymous-refused"), addr)), let.Load())
	}
}

func flaps(t *testing.T, tr trial, let int64) {
	t.Helper()
	for _, i := range items(tr.Result, "mqtt.anonymous-refused") {
		assert.NotEqual(t, pass, i.Verdict, "item %q: %s", i.Endpoint, i.Why)
		assert.NotEmpty(t, i.Why.Template)
		if i.Verdict == fail {
			assert.GreaterOrEqual(t, let, int64(2), "a fail that was not shown again: %s", i.Why)
			assert.NotEmpty(t, i.Refs)
		}
	}
	assert.Contains(t, []string{"fail", "inconclusive"}, string(decided(tr.Result)["mqtt.anonymous-refused"]))
}

// Whatever is hostile, what one port does takes nothing from another one.
func TestHostileBesideSound(t *testing.T) {
	t.Parallel()
	open := peers.Mosquitto(t, peers.MosquittoConfig{Listeners: []peers.MosquittoListener{{Anonymous: true}}}).Addr
	addrs := []netip.AddrPort{open, peers.Tarpit(t), peers.Reset(t), peers.Flood(t, "\x00")}
	tr := conduct(t, at(asking(t, "mqtt.anonymous-refused", "exposure.telnet-absent"), addrs...))
	expect(t, tr.Result, wanted{"mqtt.anonymous-refused": fail, "exposure.telnet-absent": inconclusive})
	for _, i := range items(tr.Result, "mqtt.anonymous-refused") {
		if i.Verdict == fail {
			assert.True(t, strings.HasPrefix(i.Endpoint, evidence.TCP(open).Name), "item %q", i.Endpoint)
		}
	}
}
