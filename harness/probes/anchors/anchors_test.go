package anchors

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/device"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/roots"
)

const (
	pin     = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	hostile = "CA \x1b[2J\u202e<script>"
)

var end = time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)

// authority makes a CA in PEM form; extra makes it larger.
func authority(t *testing.T, name string, extra int) (cert, key []byte) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: end.AddDate(-1, 0, 0), NotAfter: end, IsCA: true, BasicConstraintsValid: true,
		ExtraExtensions: []pkix.Extension{{Id: []int{1, 2, 3}, Value: make([]byte, extra)}}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, k.Public(), k)
	require.NoError(t, err)
	raw, err := x509.MarshalPKCS8PrivateKey(k)
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw})
}

// file reads a device file whose trust section is given, beside the files of
// its folder.
func file(t *testing.T, trust string, files map[string][]byte) *device.File {
	t.Helper()
	dir := t.TempDir()
	for name, b := range files {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), b, 0o600))
	}
	f, err := device.Parse("a.yaml", []byte("device: {id: a}\ntrust: "+trust), dir)
	require.NoError(t, err)
	return f
}

func record(t *testing.T, g *probe.Given) (Evidence, string, error) {
	t.Helper()
	finish, err := Probe.Begin(t.Context(), probe.Input{Given: g})
	require.NoError(t, err)
	data, err := finish(t.Context())
	if err != nil {
		return Evidence{}, "", err
	}
	page, err := Probe.Open(evidence.Record{Version: Probe.Version, Data: data})
	require.NoError(t, err)
	return page.Value.(Evidence), string(data), nil
}

func TestAnchors(t *testing.T) {
	one, _ := authority(t, "Operator Root", 0)
	two, _ := authority(t, hostile, 0)
	ca, key := authority(t, "Maker Test CA", 0)
	f := file(t, "{anchors: [two.pem], pins: ["+pin+"], test_ca: ca.pem}", map[string][]byte{"two.pem": two, "ca.pem": slices.Concat(ca, key)})
	got, data, err := record(t, &probe.Given{Device: f, Anchors: [][]byte{one}})
	require.NoError(t, err)
	require.Len(t, got.Anchors, 2)
	assert.Equal(t, []Source{Operator, DeviceFile}, []Source{got.Anchors[0].Source, got.Anchors[1].Source})
	assert.Equal(t, "CN=Operator Root", string(got.Anchors[0].Subject))
	assert.NotContains(t, got.Anchors[1].Subject.String(), "\x1b", "a subject is never shown as it came")
	assert.True(t, got.Anchors[0].NotAfter.Equal(end))
	assert.Equal(t, digest(got.Anchors[1].Certificate), got.Anchors[1].SHA256)
	assert.Equal(t, []evidence.Digest{pin}, got.Pins)
	leaf, _ := pem.Decode(ca)
	assert.Equal(t, TestCA{evidence.Yes, digest(leaf.Bytes)}, got.TestCA)
	assert.NotContains(t, data, strings.Split(string(key), "\n")[1], "a key is never recorded")
}

func TestNothingIsTrusted(t *testing.T) {
	for name, g := range map[string]*probe.Given{"no_file": {}, "nothing_in_the_file": {Device: file(t, "{}", nil)}} {
		got, _, err := record(t, g)
		require.NoError(t, err, name)
		assert.NotZero(t, got.Roots.Count, name)
		got.Roots = Roots{}
		assert.Equal(t, Evidence{Anchors: []Anchor{}, Pins: []evidence.Digest{}, TestCA: TestCA{Key: evidence.No}}, got, name)
	}
}

// What was publicly trusted is on record whole, and with all that may be named
// the record stays within its bound.
func TestPublicRoots(t *testing.T) {
	large, _ := authority(t, "large", 1990<<10)
	got, data, err := record(t, &probe.Given{Anchors: [][]byte{large}})
	require.NoError(t, err)
	certs, err := x509.ParseCertificates(got.Roots.DER)
	require.NoError(t, err)
	assert.Len(t, certs, got.Roots.Count)
	assert.Equal(t, digest(got.Roots.DER), got.Roots.SHA256)
	want, err := roots.Public()
	require.NoError(t, err)
	assert.Equal(t, want, roots.Set{Name: string(got.Roots.Name), Date: got.Roots.Date, Count: got.Roots.Count, SHA256: string(got.Roots.SHA256), DER: got.Roots.DER})
	assert.Less(t, len(data), 4<<20)
}

// A record of version 1 did not say what was publicly trusted, and nothing is
// put in its place.
func TestOlderRecords(t *testing.T) {
	const one = `{"anchors":[],"pins":["` + pin + `"],"test_ca":{"key":"no","sha256":""}}`
	page, err := Probe.Open(evidence.Record{Version: 1, Data: []byte(one)})
	require.NoError(t, err)
	got := page.Value.(Evidence)
	assert.Equal(t, []evidence.Digest{pin}, got.Pins)
	assert.Equal(t, evidence.No, got.TestCA.Key)
	assert.Zero(t, got.Roots.Count)
	assert.Empty(t, got.Roots.DER)
	for _, bad := range []evidence.Record{
		{Version: 0, Data: []byte(one)}, {Version: 3, Data: []byte(one)}, {Version: 2, Data: []byte(one)},
		{Version: 1, Data: []byte(strings.Replace(one, `"key":"no",`, "", 1))},
	} {
		_, err := Probe.Open(bad)
		assert.Error(t, err, bad.Version)
	}
}

func TestAnchorsThatCannotBeRead(t *testing.T) {
	large, _ := authority(t, "large", 700<<10)
	tests := []struct {
		name  string
		given *probe.Given
		says  string
	}{
		{"nothing_handed_in", nil, "nothing was handed in"},
		{"no_certificate", &probe.Given{Anchors: [][]byte{[]byte("x")}}, "trust file 1"},
		{"missing_file", &probe.Given{Device: file(t, "{anchors: [a.pem]}", nil)}, "a.pem"},
		{"test_ca_without_key", &probe.Given{Device: file(t, "{test_ca: ca.pem}", map[string][]byte{"ca.pem": large})}, "ca.pem"},
		{"too_much", &probe.Given{Anchors: [][]byte{large, large, large}}, "more than 2097152"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := record(t, tt.given)
			assert.ErrorContains(t, err, tt.says)
		})
	}
}

func TestDeclarationOfTheProbe(t *testing.T) {
	info := Probe.Info()
	assert.NoError(t, evidence.CheckType(info.Evidence))
	assert.Equal(t, probe.Passive, info.Effect)
	assert.Zero(t, info.Bound(probe.Target{}).Connections)
}
