package tlsserver

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/internal/mqttdoor/doortest"
	"github.com/assay-iot/assay/harness/probes/services"
	"github.com/assay-iot/assay/harness/transport"
)

// line is what a server says after it heard something; heard is how that
// begins, empty for what is said first.
type line struct{ heard, say string }

// dialogue speaks in clear text, and then TLS.
func dialogue(t *testing.T, config *tls.Config, delimiter byte, lines ...line) services.Service {
	t.Helper()
	at := device(t, func(c net.Conn) {
		r := bufio.NewReader(c)
		for _, l := range lines {
			if l.heard != "" {
				for heard := ""; !strings.HasPrefix(heard, l.heard); {
					var err error
					if heard, err = r.ReadString(delimiter); err != nil {
						return
					}
				}
			}
			if _, err := io.WriteString(c, l.say); err != nil {
				return
			}
		}
		s := tls.Server(buffered{r, c}, config)
		s.Read(make([]byte, 1))
		s.Close()
	})
	return services.Service{Addr: at, TLS: evidence.No, Seen: 2}
}

// buffered reads through a buffer.
type buffered struct {
	io.Reader
	net.Conn
}

// Read reads from the buffer first.
func (b buffered) Read(p []byte) (int, error) { return b.Reader.Read(p) }

func TestPreludes(t *testing.T) {
	config := &tls.Config{Certificates: []tls.Certificate{selfMade(t, ecKey(), template("device.example"))}}
	success := "\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00"
	long := "\x30\x84\x00\x00\x00\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00"
	tests := []struct {
		name      string
		protocol  services.Protocol
		delimiter byte
		lines     []line
		way       Way
		begins    bool
	}{
		{"smtp", "smtp", '\n', []line{{"", "220-hello\r\n220 device\r\n"}, {"EHLO", "250-device\r\n250-STARTTLS\r\n250 SIZE\r\n"}, {"STARTTLS", "220 go\r\n"}}, OverSMTP, true},
		{"smtp_declined", "smtp", '\n', []line{{"", "220 device\r\n"}, {"EHLO", "250 device\r\n"}, {"STARTTLS", "502 no\r\n"}}, OverSMTP, false},
		{"ftp", "ftp", '\n', []line{{"", "220-hello\r\n there\r\n220 device\r\n"}, {"AUTH TLS", "234 go\r\n"}}, OverFTP, true},
		{"ftp_declined", "ftp", '\n', []line{{"", "220 device\r\n"}, {"AUTH TLS", "530 log in first\r\n"}}, OverFTP, false},
		{"imap", "imap", '\n', []line{{"", "* OK device\r\n"}, {"a STARTTLS", "* CAPABILITY X\r\na OK go\r\n"}}, OverIMAP, true},
		{"imap_bye", "imap", '\n', []line{{"", "* BYE\r\n"}}, OverIMAP, false},
		{"imap_declined", "imap", '\n', []line{{"", "* OK device\r\n"}, {"a STARTTLS", "a BAD\r\n"}}, OverIMAP, false},
		{"pop3", "pop3", '\n', []line{{"", "+OK device\r\n"}, {"STLS", "+OK go\r\n"}}, OverPOP3, true},
		{"pop3_declined", "pop3", '\n', []line{{"", "+OK device\r\n"}, {"STLS", "-ERR no\r\n"}}, OverPOP3, false},
		{"xmpp", "xmpp", '>', []line{{"<stream:stream", "<stream:stream><stream:features><starttls/></stream:features>"}, {"<starttls", "<proceed xmlns='x'/>"}}, OverXMPP, true},
		{"xmpp_declined", "xmpp", '>', []line{{"<stream:stream", "<stream:features></stream:features>"}, {"<starttls", "<failure/>"}}, OverXMPP, false},
		{"ldap", "ldap", '7', []line{{"\x30\x1d", success}}, OverLDAP, true},
		{"ldap_long", "ldap", '7', []line{{"\x30\x1d", long}}, OverLDAP, true},
		{"ldap_declined", "ldap", '7', []line{{"\x30\x1d", strings.Replace(success, "\x0a\x01\x00", "\x0a\x01\x02", 1)}}, OverLDAP, false},
		{"endless_line", "smtp", '\n', []line{{"", strings.Repeat("2", 100_000)}}, OverSMTP, false},
		{"endless_lines", "smtp", '\n', []line{{"", strings.Repeat("220-x\r\n", 1000)}}, OverSMTP, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := dialogue(t, config, tt.delimiter, tt.lines...)
			s.Protocol = tt.protocol
			e, err := collect(t, s)
			require.NoError(t, err)
			require.Len(t, e.Listeners, 1)
			l := e.Listeners[0]
			assert.Equal(t, tt.way, l.Begins)
			if !tt.begins {
				assert.Equal(t, Declined, l.Before.Outcome)
				assert.Equal(t, NoControl, l.Cut)
				return
			}
			assert.True(t, l.Served() && l.Enumerated())
			assert.Equal(t, yes, l.Chains[0].Proven)
			whole := e.bench.Member(l.Before.Span.Member)
			assert.Equal(t, "\x16\x03\x03", whole[l.Before.Span.Offset:][:3], "the span begins with TLS")
		})
	}
}

// Services without TLS and without STARTTLS are left alone.
func TestWayOf(t *testing.T) {
	e, err := collect(t, services.Service{Addr: closedPort(t), Protocol: services.HTTP, TLS: no}, services.Service{Addr: closedPort(t), Protocol: services.Unidentified})
	require.NoError(t, err)
	assert.Empty(t, e.Listeners)
	assert.Zero(t, e.Connections)
	way, ok := wayOf(services.Service{Protocol: "smtp", TLS: yes})
	assert.True(t, ok && way == AtOnce, "TLS at once goes first")
}

// What we could not do is said, and not blamed on the listener.
func TestOurOwnTrouble(t *testing.T) {
	at := goServer(t, &tls.Config{Certificates: []tls.Certificate{selfMade(t, ecKey(), template())}})
	limits := transport.LimitsOf(transport.Bench)
	limits.Connections = 20
	e, err := collectIn(t.Context(), t, doortest.Limited(t, limits), over(at), over(closedPort(t)))
	require.ErrorIs(t, err, transport.ErrBudget)
	require.ErrorContains(t, err, at.String())
	require.Len(t, e.Listeners, 2, "what was seen is kept")
	assert.Equal(t, yes, e.Listeners[0].Versions[4].Accepts())
	assert.False(t, e.Listeners[0].Served())
	assert.Equal(t, NotTried, e.Listeners[0].After.Outcome)
	assert.Equal(t, NotTried, e.Listeners[1].Before.Outcome)
}
