package coapcredentials

import (
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/defaults"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/dtlsserver"
	"github.com/assay-iot/assay/harness/probes/internal/coapwire"
	"github.com/assay-iot/assay/harness/probes/internal/dtlsdoor/dtlstest"
	"github.com/assay-iot/assay/harness/probes/internal/mqttdoor/doortest"
	"github.com/assay-iot/assay/harness/probes/tlsserver"
)

var (
	own    = probe.Login{ID: "device", User: dtlstest.Identity, Password: dtlstest.Key}
	hasty  = options{patience: 500 * time.Millisecond}
	listed = []probe.Login{{User: "Client_identity", Password: "secretPSK"}, {User: "password", Password: "sesame"}}
)

// answers is a device that answers every ping, and every request by 4.04.
func answers(c net.Conn) {
	buffer := make([]byte, 2048)
	for {
		n, err := c.Read(buffer)
		if err != nil {
			return
		}
		m, err := coapwire.Decode(buffer[:n])
		if err != nil {
			continue
		}
		reply := coapwire.Message{Type: coapwire.Reset, ID: m.ID}
		if m.Code == coapwire.GET {
			reply = coapwire.Message{Type: coapwire.Acknowledgement, Code: coapwire.NotFound, ID: m.ID, Token: m.Token}
		}
		b, _ := reply.Encode()
		if _, err := c.Write(b); err != nil {
			return
		}
	}
}

// only answers requests, but no ping.
func only(c net.Conn) {
	a, b := net.Pipe()
	defer a.Close()
	go answers(b)
	buffer, back := make([]byte, 2048), make([]byte, 2048)
	for {
		n, err := c.Read(buffer)
		if err != nil {
			return
		}
		if m, err := coapwire.Decode(buffer[:n]); err != nil || m.Code == coapwire.Empty {
			continue
		}
		_, _ = a.Write(buffer[:n])
		n, _ = a.Read(back)
		_, _ = c.Write(back[:n])
	}
}

// knows is a server's book of identities.
func knows(pairs ...probe.Login) func([]byte) ([]byte, error) {
	return func(who []byte) ([]byte, error) {
		i := slices.IndexFunc(pairs, func(p probe.Login) bool { return p.User == string(who) })
		if i < 0 {
			return dtlstest.PSK("", "")(who)
		}
		return []byte(pairs[i].Password), nil
	}
}

func server(t *testing.T, serve func(net.Conn), psk func([]byte) ([]byte, error)) netip.AddrPort {
	t.Helper()
	return dtlstest.Server(t, serve, dtls.WithPSK(psk), dtls.WithCipherSuites(dtls.TLS_PSK_WITH_AES_128_CCM_8))
}

// bench is a bench on which dtls-server found suites at an address.
func bench(t *testing.T, list []probe.Login, at netip.AddrPort, suites ...tlsserver.Code) *doortest.Bench {
	t.Helper()
	b := dtlstest.Bench(t, []probe.Login{own}, at)
	b.Input.Logins = dtlstest.Given{Own: []probe.Login{own}, Listed: list}
	offer := dtlsserver.Offer{Kind: dtlsserver.PSK, Offered: 62}
	for _, s := range suites {
		offer.Suites = append(offer.Suites, tlsserver.SuiteOf(s))
	}
	l := dtlsserver.Listener{Addr: at, Versions: []dtlsserver.Version{{Code: dtlsserver.DTLS12, Offers: []dtlsserver.Offer{offer}}}}
	b.Input.Evidence = evidence.NewView(evidence.DUT, map[string]evidence.Page{dtlsserver.Probe.Name: {Value: dtlsserver.Evidence{Listeners: []dtlsserver.Listener{l}}}})
	return b
}

const ccm8 = tlsserver.Code(0xc0a8)

func door(t *testing.T, b *doortest.Bench) Door {
	t.Helper()
	e, err := with(t.Context(), b.Input, hasty)
	require.NoError(t, err)
	require.Len(t, e.Doors, 1)
	_, err = evidence.Encode(e)
	require.NoError(t, err)
	return e.Doors[0]
}

func TestDoors(t *testing.T) {
	t.Parallel()
	any := func([]byte) ([]byte, error) { return []byte("secretPSK"), nil }
	tests := []struct {
		name    string
		serve   func(net.Conn)
		psk     func([]byte) ([]byte, error)
		before  Outcome
		first   []Outcome // of the listed pairs
		again   []Outcome
		inside  Proof
		random  []Outcome
		after   Outcome
		stopped Stop
	}{
		{"refuses", answers, knows(own), Accepted, []Outcome{Refused, Refused}, []Outcome{NotTried, NotTried}, Pong, []Outcome{Refused, Refused}, Accepted, GoneThrough},
		{"listed_pair_is_let_in", answers, knows(own, listed[0]), Accepted, []Outcome{Accepted, Refused}, []Outcome{Accepted, NotTried}, Pong, []Outcome{Refused, Refused}, Accepted, GoneThrough},
		{"answers_requests_only", only, knows(own, listed[0]), Accepted, []Outcome{Accepted, Refused}, []Outcome{Accepted, NotTried}, Response, []Outcome{Refused, Refused}, Accepted, GoneThrough},
		{"no_declared_pair", answers, knows(listed[0]), Refused, []Outcome{Accepted, Refused}, []Outcome{Accepted, NotTried}, None, []Outcome{Refused, Refused}, NotTried, GoneThrough},
		{"silent_inside", nil, knows(own, listed[0]), Unproven, []Outcome{Unproven, Refused}, []Outcome{NotTried, NotTried}, None, []Outcome{Refused, Refused}, NotTried, GoneThrough},
		// A wrong key of an identity that is known is met by silence.
		{"one_key_for_all", answers, any, Silent, []Outcome{Accepted, Silent}, []Outcome{Accepted, NotTried}, None, []Outcome{Silent, Silent}, NotTried, GoneThrough},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := bench(t, listed, server(t, tt.serve, tt.psk), ccm8)
			d := door(t, b)
			var first, again, random []Outcome
			for _, try := range d.Tries {
				first, again = append(first, try.First.Outcome), append(again, try.Again.Outcome)
				assert.Equal(t, lost(try.First), try.Lost > 0)
			}
			for _, a := range d.Random {
				random = append(random, a.Outcome)
			}
			assert.Equal(t, tt.before, d.Before.Outcome)
			assert.Equal(t, tt.inside, d.Before.Inside)
			assert.Equal(t, tt.first, first)
			assert.Equal(t, tt.again, again)
			assert.Equal(t, tt.random, random)
			assert.Equal(t, tt.after, d.After.Outcome)
			assert.Equal(t, tt.stopped, d.Stopped)
			if slices.Contains(tt.first, Refused) {
				assert.GreaterOrEqual(t, d.Tries[1].First.Alert, 0, "the alert is on record")
			}
			for _, user := range b.Charged() {
				assert.LessOrEqual(t, strings.Count(strings.Join(b.Charged(), "\n"), user), 3, "%s", user)
			}
			assert.NotContains(t, b.Transcript(), dtlstest.Key)
		})
	}
}

// An identity bears three tries, whatever the list holds of it.
func TestAnIdentityBearsThreeTries(t *testing.T) {
	t.Parallel()
	var list []probe.Login
	for _, key := range []string{"a", "b", "c", "d", "e"} {
		list = append(list, probe.Login{User: "admin", Password: key})
	}
	b := bench(t, append(list, listed...), server(t, answers, knows(own)), ccm8)
	d := door(t, b)
	require.Len(t, d.Tries, 7)
	assert.Equal(t, Refused, d.Tries[2].First.Outcome)
	assert.Equal(t, NotTried, d.Tries[3].First.Outcome)
	assert.Equal(t, Refused, d.Tries[6].First.Outcome)
	assert.Equal(t, 1, strings.Count(strings.Join(b.Charged(), "\n"), own.User), "what was let in costs nothing more")
}

func TestNoMoreThanTwelvePairs(t *testing.T) {
	t.Parallel()
	var list []probe.Login
	for i := range 20 {
		list = append(list, probe.Login{User: strings.Repeat("x", i+1), Password: "key"})
	}
	b := bench(t, list, server(t, answers, knows(own)), ccm8)
	e, err := with(t.Context(), b.Input, hasty)
	require.NoError(t, err)
	assert.Equal(t, 20, e.Listed)
	assert.Equal(t, defaults.Version, e.Version)
	assert.Len(t, e.Doors[0].Tries, maxPairs)
	limits := bound(b.Input.Target)
	assert.LessOrEqual(t, len(b.Charged()), limits.Logins)
	assert.Equal(t, perDoor, limits.Connections)
}

func TestDoorsThatAreNotTried(t *testing.T) {
	t.Parallel()
	at := server(t, answers, knows(own))
	gone := netip.AddrPortFrom(at.Addr(), 1)
	for name, tt := range map[string]struct {
		at      netip.AddrPort
		suites  []tlsserver.Code
		stopped Stop
	}{
		"no_keys":         {at, nil, NoKeys},
		"certificates":    {at, []tlsserver.Code{0xc02b}, NoKeys},
		"no_common_suite": {at, []tlsserver.Code{0xc094}, NoSuite},
		"nobody_there":    {gone, []tlsserver.Code{ccm8}, NobodyThere},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := door(t, bench(t, listed, tt.at, tt.suites...))
			assert.Equal(t, tt.stopped, d.Stopped)
			assert.Empty(t, d.Tries)
			assert.NotEqual(t, Accepted, d.After.Outcome)
		})
	}
}

// A server that turns us away in the course of it is left alone.
func TestALockOut(t *testing.T) {
	t.Parallel()
	var list []probe.Login
	for i := range 8 {
		list = append(list, probe.Login{User: strings.Repeat("x", i+1), Password: "key"})
	}
	tries := make(chan struct{}, 6)
	locks := func(who []byte) ([]byte, error) {
		select {
		case tries <- struct{}{}:
			return knows(own)(who)
		default:
			return knows()(who)
		}
	}
	d := door(t, bench(t, list, server(t, answers, locks), ccm8))
	assert.Equal(t, ControlLost, d.Stopped)
	assert.Len(t, d.Tries, controlEvery)
	assert.Equal(t, Refused, d.After.Outcome)
}

// libcoap answers a wrong key, or an identity that it does not know, in a way of
// its own; whatever that is, a good pair is let in and a bad one is not.
func TestAgainstLibcoap(t *testing.T) {
	t.Parallel()
	table := filepath.Join(t.TempDir(), "identities")
	require.NoError(t, os.WriteFile(table, []byte("hint,"+dtlstest.Identity+","+dtlstest.Key+"\n"), 0o600))
	for _, library := range []string{"openssl", "gnutls"} {
		for name, args := range map[string][]string{
			"own_key":      {"-k", dtlstest.Key},
			"default_key":  {"-k", "secretPSK"},
			"own_identity": {"-k", dtlstest.Key, "-i", table},
		} {
			t.Run(library+"_"+name, func(t *testing.T) {
				t.Parallel()
				at := dtlstest.Secure(t, "usr/bin/coap-server-"+library, args...)
				d := door(t, bench(t, listed, at, ccm8, 0x00a8))
				t.Logf("before %s, random %s %d, first %s %d", d.Before.Outcome, d.Random[0].Outcome, d.Random[0].Alert, d.Tries[0].First.Outcome, d.Tries[0].First.Alert)
				assert.Equal(t, name == "default_key", d.Tries[0].First.Outcome == Accepted)
				assert.Equal(t, name != "default_key", d.Before.Outcome == Accepted)
				assert.NotEqual(t, Accepted, d.Random[0].Outcome)
				assert.NotEqual(t, Accepted, d.Tries[1].First.Outcome)
			})
		}
	}
}
