package tlsserver

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/internal/peers"
)

// priorities is what GnuTLS itself says that a priority string stands for.
type priorities struct {
	suites map[Code][]Code // by version, for one kind of certificate, ascending
	groups []Name          // ascending
}

// gnutlsSays asks GnuTLS. Of the suites those are left out that need another
// kind of certificate than key, which is RSA, ECDSA or anon.
func gnutlsSays(t *testing.T, priority, key string) priorities {
	t.Helper()
	cmd := peers.Command(t, "usr/bin/gnutls-cli", "--list", "--priority", priority)
	cmd.Env = append(cmd.Env, "GNUTLS_SYSTEM_PRIORITY_FILE=/dev/null")
	out, err := cmd.Output()
	require.NoError(t, err)
	_, protocols, _ := strings.Cut(string(out), "Protocols: ")
	protocols, _, _ = strings.Cut(protocols, "\n")
	p := priorities{suites: map[Code][]Code{}}
	for line := range bytes.Lines(out) {
		f := strings.FieldsFunc(string(line), func(r rune) bool { return strings.ContainsRune(" \t\n,", r) })
		switch {
		case len(f) == 4 && strings.HasPrefix(f[0], "TLS_"): // name, two bytes, the oldest version
			var high, low Code
			_, err := fmt.Sscanf(f[1]+f[2], "0x%02x0x%02x", &high, &low)
			require.NoError(t, err, "%s", line)
			p.suite(SuiteOf(high<<8|low), f[3], protocols, key)
		case len(f) > 0 && f[0] == "Groups:":
			for _, g := range f[1:] {
				p.groups = append(p.groups, Name(strings.ToLower(strings.TrimPrefix(g, "GROUP-"))))
			}
		}
	}
	slices.Sort(p.groups)
	return p
}

// suite enters a suite in each version in which it is enabled.
func (p priorities) suite(s Suite, oldest, protocols, key string) {
	for version, name := range map[Code]string{TLS10: "TLS1.0", TLS11: "TLS1.1", TLS12: "TLS1.2", TLS13: "TLS1.3"} {
		modern := s.KeyExchange == ""
		if !strings.Contains(protocols, "VERS-"+name) || oldest > name || modern != (version == TLS13) {
			continue
		}
		if modern && key != "anon" || s.Authentication == Name(key) || key == "RSA" && s.KeyExchange == "RSA" {
			p.suites[version] = append(p.suites[version], s.Code)
			slices.Sort(p.suites[version])
		}
	}
}

// taken are the suites that were taken, by version, ascending.
func taken(l Listener) map[Code][]Code {
	all := map[Code][]Code{}
	for _, v := range l.Versions {
		if len(v.Suites) > 0 {
			all[v.Code] = slices.Sorted(slices.Values(suiteCodes(v)))
		}
	}
	return all
}

func TestGnuTLS(t *testing.T) {
	rsa, ec := withRSA(t), peers.NewAuthority(t).Issue(t, "device.example")
	tests := []struct {
		name, priority, key string
		certificate         *peers.Certificate
		args                []string
		accept              []evidence.Tri
		check               func(*testing.T, Listener)
	}{
		{"as_it_comes", "NORMAL", "ECDSA", &ec, nil, []evidence.Tri{no, yes, yes, yes, yes}, func(t *testing.T, l Listener) {
			assert.Equal(t, yes, l.SecureRenegotiation)
		}},
		{"secure", "SECURE128:-VERS-TLS1.0:-VERS-TLS1.1", "RSA", &rsa, nil, []evidence.Tri{no, no, no, yes, yes}, func(t *testing.T, l Listener) {
			assert.Empty(t, l.ForwardOnly, "it takes suites with forward secrecy")
		}},
		{"rc4_3des", "NORMAL:-VERS-ALL:+VERS-TLS1.2:+VERS-TLS1.0:+ARCFOUR-128:+3DES-CBC:+MD5:%SERVER_PRECEDENCE", "RSA", &rsa, nil,
			[]evidence.Tri{no, yes, no, yes, no}, func(t *testing.T, l Listener) {
				assert.Equal(t, ByServer, l.Versions[3].Chooser)
				for _, s := range l.Versions[3].Suites {
					assert.True(t, !s.HasAny(Doubtful()) || s.Seen >= 2, s.Name)
				}
			}},
		{"anonymous", "NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+ANON-ECDH:+ANON-DH", "anon", nil, nil, []evidence.Tri{no, no, no, yes, no}, func(t *testing.T, l Listener) {
			assert.Equal(t, no, l.Certified())
			assert.GreaterOrEqual(t, l.Versions[3].DHBits, 2048)
			assert.Len(t, l.ForwardOnly, mostForward)
		}},
		{"few_groups", "NORMAL:-VERS-ALL:+VERS-TLS1.3:-GROUP-ALL:+GROUP-SECP521R1:+GROUP-FFDHE2048", "RSA", &rsa, nil, []evidence.Tri{no, no, no, no, yes}, func(t *testing.T, l Listener) {
			assert.Equal(t, evidence.Unknown, l.SecureRenegotiation, "TLS 1.3 knows none")
		}},
		{"client_certificate", "NORMAL:-VERS-ALL:+VERS-TLS1.3", "RSA", &rsa, []string{"--require-client-cert"}, []evidence.Tri{no, no, no, no, yes}, func(t *testing.T, l Listener) {
			assert.Equal(t, yes, l.Handshakes[0].Asked)
			assert.Contains(t, []Outcome{Alerted, Closed}, l.Handshakes[0].After)
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := peers.GnuTLSServer(t, peers.GnuTLSConfig{Certificate: tt.certificate, Priority: tt.priority, Args: tt.args})
			e, err := collect(t, over(p.Addr))
			require.NoError(t, err)
			l, want := e.Listeners[0], gnutlsSays(t, tt.priority, tt.key)
			assert.Equal(t, tt.accept, accepts(l))
			assert.True(t, l.Enumerated())
			assert.Equal(t, want.suites, taken(l))
			if l.Groups.Version == TLS13 {
				assert.Equal(t, want.groups, sortedGroups(l))
			}
			tt.check(t, l)
		})
	}
}
