package tlsserver

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/internal/mqttdoor/doortest"
	"github.com/assay-iot/assay/harness/transport"
)

// Wherever our budget ends, the look says so, what was seen stays, and nothing
// counts as refused for it.
func TestCutAnywhere(t *testing.T) {
	at := goServer(t, &tls.Config{
		Certificates: []tls.Certificate{selfMade(t, ecKey(), template("device.example")), selfMade(t, rsaKey(), template("device.example"))},
		MinVersion:   tls.VersionTLS11, CipherSuites: []uint16{0xc02f, 0xc02b, 0x0005, 0x000a},
	})
	whole, err := collect(t, over(at))
	require.NoError(t, err)
	for n := 1; n < whole.Connections; n++ {
		limits := transport.LimitsOf(transport.Bench)
		limits.Connections = n
		e, err := collectIn(t.Context(), t, doortest.Limited(t, limits), over(at))
		require.ErrorIs(t, err, transport.ErrBudget, "%d connections", n)
		l := e.Listeners[0]
		assert.False(t, l.Served(), "%d connections: the second control was the last one", n)
		assert.Equal(t, NotTried, l.After.Outcome, n)
		assert.LessOrEqual(t, len(l.Versions), 5)
		for i, v := range l.Versions {
			assert.NotEqual(t, no, nowRefused(v, whole.Listeners[0].Versions[i]), "%d connections: %s was taken", n, v.Name)
			assert.Subset(t, suiteCodes(whole.Listeners[0].Versions[i]), suiteCodes(v))
		}
	}
}

// nowRefused is what a cut look says of a version that the whole one saw taken.
func nowRefused(v, whole Version) evidence.Tri {
	if whole.Accepts() != yes {
		return evidence.Unknown
	}
	return v.Accepts()
}

// A server that takes short hellos only is asked in parts.
func TestShortHellosOnly(t *testing.T) {
	t.Parallel()
	takes := []uint16{0xc02f, 0x009c, 0x003c, 0x0001, 0xc0a0}
	at := rawServer(t, func(o offer) []byte {
		i := slices.IndexFunc(takes, func(c uint16) bool { return slices.Contains(o.suites, c) })
		switch {
		case len(o.suites) > 2*chunk:
			return nil
		case o.version < uint16(TLS12) || i < 0:
			return refusal
		}
		return flight(uint16(TLS12), takes[i])
	})
	e, err := collect(t, over(at))
	require.NoError(t, err)
	l := e.Listeners[0]
	v := l.Versions[3]
	assert.Equal(t, []Outcome{Closed, Accepted}, outcomes(v.Tries)[:2])
	assert.Equal(t, yes, v.Accepts())
	assert.Equal(t, yes, v.Complete)
	want := slices.Clone(takes)
	slices.Sort(want)
	got := codes(v.Suites)
	slices.Sort(got)
	assert.Equal(t, want, got)
	assert.Equal(t, []evidence.Tri{no, no, no}, accepts(l)[:3])
}

// More doubtful suites than are asked for again are still all listed, and those
// that were asked for were seen twice.
func TestManyDoubtful(t *testing.T) {
	t.Parallel()
	at := rawServer(t, func(o offer) []byte {
		i := slices.IndexFunc(o.suites, func(c uint16) bool { s := SuiteOf(Code(c)); return s.HasAny(Doubtful()) })
		if i < 0 || o.version > uint16(TLS12) && !slices.Contains(o.suites, 0x002f) {
			return refusal
		}
		return hello(min(o.version, uint16(TLS12)), o.suites[i], 0)
	})
	in := doortest.New(t).Input
	k := newLook(in, over(at), AtOnce, &book{})
	v := Version{Code: TLS12, Name: versionName(TLS12)}
	for _, c := range suitesFor(TLS12) {
		if s := SuiteOf(Code(c)); s.HasAny(Doubtful()) {
			s.Seen = 1
			v.Suites = append(v.Suites, s)
		}
	}
	k.Versions = []Version{v, v}
	k.Versions[1].Suites = slices.Clone(v.Suites)
	require.NoError(t, k.confirm(t.Context()))
	twice := 0
	for _, v := range k.Versions {
		for _, s := range v.Suites {
			twice += s.Seen - 1
		}
	}
	assert.Equal(t, min(mostConfirmed, 2*len(v.Suites)), twice)
	assert.LessOrEqual(t, k.confirmed, mostConfirmed)
}

// What comes after a handshake in which a certificate was asked for.
func TestAfterHandshake(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		ask  tls.ClientAuthType
		then func(*tls.Conn)
		want Outcome
	}{
		"speaks":  {tls.RequestClientCert, func(c *tls.Conn) { c.Write([]byte("220 device\r\n")); c.Read(make([]byte, 1)) }, Accepted},
		"closes":  {tls.RequestClientCert, func(c *tls.Conn) { c.NetConn().Close() }, Closed},
		"waits":   {tls.RequestClientCert, func(c *tls.Conn) { c.Read(make([]byte, 1)) }, Silent},
		"refuses": {tls.RequireAnyClientCert, func(*tls.Conn) {}, Alerted},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := &tls.Config{Certificates: []tls.Certificate{selfMade(t, ecKey(), template())}, ClientAuth: tt.ask, MinVersion: tls.VersionTLS13}
			e, err := collect(t, over(device(t, func(conn net.Conn) {
				if s := tls.Server(conn, config); s.Handshake() == nil {
					tt.then(s)
				}
			})))
			require.NoError(t, err)
			for _, h := range e.Listeners[0].Handshakes {
				assert.Equal(t, Completed, h.Outcome)
				assert.Equal(t, yes, h.Asked)
				assert.Equal(t, tt.want, h.After)
				assert.Equal(t, tt.want == Alerted, h.Alert >= 0)
			}
		})
	}
}

// script is a server that says one thing and takes a number of writes.
type script struct {
	io.Reader
	writes int
}

var errWrite = errors.New("the connection is gone")

// Write takes what is said, as long as it does.
func (s *script) Write(b []byte) (int, error) {
	if s.writes--; s.writes < 0 {
		return 0, errWrite
	}
	return len(b), nil
}

// A dialogue that ends anywhere before its end does not begin TLS.
func TestPreludeCutAnywhere(t *testing.T) {
	for name, tt := range map[string]struct {
		talk   func(io.ReadWriter) error
		said   string
		writes int
	}{
		"smtp": {smtp, "220-hello\r\n220 device\r\n250-device\r\n250 STARTTLS\r\n220 go\r\n", 2},
		"ftp":  {ftp, "220 device\r\n234 go\r\n", 1},
		"imap": {imap, "* OK device\r\n* CAPABILITY X\r\na OK go\r\n", 1},
		"pop3": {pop3, "+OK device\r\n+OK go\r\n", 1},
		"xmpp": {xmpp, "<stream:stream><stream:features><starttls/></stream:features><proceed/>", 2},
		"ldap": {ldap, "\x30\x84\x00\x00\x00\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00", 1},
	} {
		require.NoError(t, tt.talk(&script{strings.NewReader(tt.said), tt.writes}), name)
		for n := range len(tt.said) {
			require.Error(t, tt.talk(&script{strings.NewReader(tt.said[:n]), tt.writes}), "%s, %d bytes", name, n)
		}
		for n := range tt.writes {
			require.ErrorIs(t, tt.talk(&script{strings.NewReader(tt.said), n}), errWrite, "%s, %d writes", name, n)
		}
	}
	for name, tt := range map[string]struct {
		talk func(io.ReadWriter) error
		said string
	}{
		"imap_babble": {imap, "* OK device\r\n" + strings.Repeat("* X\r\n", maxLines+1)}, "imap_other_tag": {imap, "* OK device\r\nb OK go\r\n"},
		"xmpp_babble": {xmpp, strings.Repeat("<x>", 4*maxLine)}, "xmpp_endless_tag": {xmpp, "</stream:features>" + strings.Repeat("x", 2*maxLine)},
		"ldap_long": {ldap, "\x30\x84\xff\xff\xff\xff"}, "ldap_other": {ldap, "\x31\x00"}, "ldap_empty": {ldap, "\x30\x00"},
		"pop3_error": {pop3, "-ERR\r\n"}, "smtp_other": {smtp, "554 no\r\n"},
	} {
		require.ErrorIs(t, tt.talk(&script{strings.NewReader(tt.said), 9}), errDialogue, name)
	}
}
