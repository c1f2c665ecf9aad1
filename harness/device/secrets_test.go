package device

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSecrets(t *testing.T) {
	const canary = "canary-7c1f"
	long := strings.Repeat("x", maxSecret)
	tests := []struct {
		name, content, want, says string
	}{
		{"plain", canary, canary, ""},
		{"newline_cut", canary + "\n", canary, ""},
		{"windows_newline_cut", canary + "\r\n", canary, ""},
		{"one_newline_only", canary + "\n\n", canary + "\n", ""},
		{"spaces_kept", " " + canary + " \n", " " + canary + " ", ""},
		{"longest", long, long, ""},
		{"too_long", long + "x", "", "more than 4096 bytes"},
		{"empty", "\n", "", "the secret is empty"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(dir, "pw"), []byte(tt.content), 0o600))
			t.Setenv("ASSAY_TEST_PW", tt.content)
			for _, source := range []string{"{file: pw}", "{env: ASSAY_TEST_PW}"} {
				f, err := Parse("cam.yaml", []byte(one("credentials:", "- {id: a, service: mqtt, user: u, password: "+source+"}")), dir)
				require.NoError(t, err)
				logins, notes, err := f.Secrets("mqtt")
				if tt.says != "" {
					e := wantFault(t, err, 3, `credential "a"`, tt.says)
					assert.NotContains(t, e.Error(), canary)
					continue
				}
				require.NoError(t, err)
				assert.Equal(t, []Login{{"a", "u", tt.want}}, logins)
				assert.Empty(t, notes)
				assert.NotContains(t, fmt.Sprintf("%v %+v %#v %s %q %x", logins[0], logins, logins[0], logins[0], logins[0], logins[0]), tt.want)
				assert.NotContains(t, string(f.Effective()), canary)
			}
		})
	}
}

func TestSecretsOfAnotherServiceAreNotRead(t *testing.T) {
	f := parse(t, one("credentials:", "- {id: a, service: ssh, password: {file: missing}}"))
	logins, _, err := f.Secrets("mqtt")
	require.NoError(t, err)
	assert.Empty(t, logins)
	_, _, err = f.Secrets("ssh")
	wantFault(t, err, 3, "no such file")
}

func TestSecretIsNotSet(t *testing.T) {
	_, _, err := parse(t, one("credentials:", "- {id: a, service: mqtt, password: {env: ASSAY_TEST_UNSET}}")).Secrets("mqtt")
	wantFault(t, err, 3, `environment variable "ASSAY_TEST_UNSET" is not set`)
}

func TestSecretThatOthersCanReadIsUsedWithANote(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "pw"), []byte("x"), 0o600))
	require.NoError(t, os.Chmod(filepath.Join(dir, "pw"), 0o644))
	f, err := Parse("cam.yaml", []byte(one("credentials:", "- {id: a, service: mqtt, password: {file: pw}}")), dir)
	require.NoError(t, err)
	logins, notes, err := f.Secrets("mqtt")
	require.NoError(t, err)
	assert.Len(t, logins, 1)
	require.Len(t, notes, 1)
	assert.Equal(t, 3, notes[0].Line)
	assert.NoError(t, notes[0].What.Err())
}

func TestSecretByALinkOutOfTheFolder(t *testing.T) {
	dir, elsewhere := t.TempDir(), filepath.Join(t.TempDir(), "shadow")
	require.NoError(t, os.WriteFile(elsewhere, []byte("canary"), 0o600))
	require.NoError(t, os.Symlink(elsewhere, filepath.Join(dir, "pw")))
	f, err := Parse("cam.yaml", []byte(one("credentials:", "- {id: a, service: mqtt, password: {file: pw}}")), dir)
	require.NoError(t, err)
	logins, _, err := f.Secrets("mqtt")
	wantFault(t, err, 3, "escapes")
	assert.Empty(t, logins)
}

// certificate makes a self-signed certificate and its key in PEM form.
func certificate(t *testing.T, ca bool) (cert, key []byte) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Test CA"},
		NotBefore: now, NotAfter: now.Add(time.Hour), IsCA: ca, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, k.Public(), k)
	require.NoError(t, err)
	raw, err := x509.MarshalPKCS8PrivateKey(k)
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw})
}

func TestTrust(t *testing.T) {
	ca, key := certificate(t, true)
	leaf, leafKey := certificate(t, false)
	_, other := certificate(t, true)
	join := func(parts ...[]byte) string {
		var s string
		for _, p := range parts {
			s += string(p)
		}
		return s
	}
	tests := []struct{ name, anchors, testCA, says string }{
		{"one_anchor", join(ca), "", ""},
		{"two_anchors_with_text", "# first\n" + join(ca) + "# second\n" + join(leaf), "", ""},
		{"no_certificate", "hello", "", "no certificate in PEM form"},
		{"key_among_anchors", join(ca, key), "", "a private key"},
		{"another_block", "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n", "", `PEM block "X509 CRL"`},
		{"broken_certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "", "certificate 1"},
		{"too_large", strings.Repeat("#", maxPEM+1), "", "more than 1048576 bytes"},
		{"test_ca", "", join(ca, key), ""},
		{"test_ca_without_key", "", join(ca), "certificate and its key"},
		{"test_ca_with_another_key", "", join(ca, other), "certificate and its key"},
		{"test_ca_is_none", "", join(leaf, leafKey), "not that of a CA"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			text := one("trust:", "  test_ca: t.pem")
			if tt.testCA == "" {
				text = one("trust:", "  anchors: [t.pem]")
			}
			require.NoError(t, os.WriteFile(filepath.Join(dir, "t.pem"), []byte(tt.anchors+tt.testCA), 0o600))
			path := filepath.Join(dir, "cam.yaml")
			require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
			f, err := Read(path)
			if tt.says != "" {
				wantFault(t, err, 3, `file "t.pem"`, tt.says)
				return
			}
			require.NoError(t, err)
			anchors, err := f.Anchors()
			require.NoError(t, err)
			assert.Len(t, anchors, strings.Count(tt.anchors, "BEGIN CERTIFICATE"))
			b, err := f.TestCA()
			require.NoError(t, err)
			assert.Equal(t, tt.testCA, string(b))
		})
	}
}

func TestLint(t *testing.T) {
	lines := func(text string) map[string]int {
		m := map[string]int{}
		for _, n := range parse(t, text).Lint() {
			require.NoError(t, n.What.Err())
			require.NoError(t, n.Next.Err())
			m[n.What.String()] = n.Line
		}
		return m
	}
	notes := lines(one("ixit:", "  soft_serv:", "  - id: broker", "    protocol: mqtt", "    tcp: [1883]", "  - {id: old, status: disabled}",
		"  - {id: web, status: enabled, tcp: [80], tls: no}", "consent: {who: a, what: b, effect: active, until: 2026-01-01}"))
	want := map[string]int{
		"device.manufacturer is missing: a report cannot say what exactly was tested":                                    1,
		"device.model is missing: a report cannot say what exactly was tested":                                           1,
		"device.firmware is missing: a report cannot say what exactly was tested":                                        1,
		"device.serial is missing: a report cannot say what exactly was tested":                                          1,
		"the device has no address: nothing can be tested over a network":                                                1,
		"no feature is answered: whether a conditional requirement applies stays open":                                   1,
		"no provision is answered: nothing says what the manufacturer claims":                                            1,
		"no trust anchor and no pin is given: certificates of the device cannot be called trusted":                       1,
		"service broker does not say whether it is enabled: its ports count neither as declared nor as closed":           4,
		"service broker does not say whether it uses TLS":                                                                4,
		"MQTT service broker names fewer than two identities: access of one to the topics of the other cannot be tested": 4,
		"service web names no protocol: what answers there cannot be compared":                                           8,
	}
	assert.Equal(t, want, notes)

	left := lines(whole)
	assert.Equal(t, map[string]int{"identity bob has no canary topic: nothing can be published for it": 38}, left)
	assert.Contains(t, lines("device: {id: a}"), "no service is declared: an open port cannot be held against a list")
	assert.Contains(t, lines("device: {id: a}"), "nobody consented to intrusive probes: they will not run except on loopback")
	assert.NotContains(t, lines("device: {id: a}\nixit: {soft_serv: []}"), "no service is declared: an open port cannot be held against a list")
}
