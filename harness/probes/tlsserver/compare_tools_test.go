package tlsserver

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/internal/tlswire"
	"github.com/assay-iot/assay/internal/peers"
)

// A fact is something that a server did, in words that all tools share.
type fact struct{ kind, text string }

// The kinds of facts that another tool finds as well.
const (
	aVersion       = "version"
	aSuite         = "suite"
	anOrder        = "order"
	aGroup         = "group"
	aCompression   = "compression"
	aRenegotiation = "renegotiation"
	aCertificate   = "certificate"
)

type facts map[fact]bool

func (f facts) add(kind, format string, args ...any) {
	f[fact{kind, fmt.Sprintf(format, args...)}] = true
}

func (f facts) version(version Code) { f.add(aVersion, "%s", versionName(version)) }

func (f facts) suite(version, code Code) {
	f.add(aSuite, "%s %#04x %s", versionName(version), uint16(code), SuiteOf(code).Name)
}

// suites counts the pairs of version and suite.
func (f facts) suites() (n int) {
	for k := range f {
		if k.kind == aSuite {
			n++
		}
	}
	return n
}

// found is what the probe brought about its one listener.
func found(e Evidence) facts {
	l, f := e.Listeners[0], facts{}
	for _, v := range l.Versions {
		if v.Accepts() == evidence.Yes {
			f.version(v.Code)
		}
		for _, s := range v.Suites {
			f.suite(v.Code, s.Code)
		}
		if v.Chooser != NobodyKnown {
			f.add(anOrder, "%s %s", v.Name, v.Chooser)
		}
	}
	for _, g := range l.Groups.Taken {
		f.add(aGroup, "%s %s", versionName(l.Groups.Version), g.Name)
	}
	if l.Deflate == evidence.Yes {
		f.add(aCompression, "DEFLATE")
	}
	if l.SecureRenegotiation == evidence.Yes {
		f.add(aRenegotiation, "secure")
	}
	for _, c := range l.Chains {
		own := e.Certificates[c.Places[0]]
		f.add(aCertificate, "%s %d, %s", own.Key.Kind, own.Key.Bits, own.Signature.Name)
	}
	return f
}

// A tool looks at TLS servers too.
type tool struct {
	name  string
	kinds []string // of facts that it tells
	look  func(testing.TB, netip.AddrPort) facts
}

var (
	nmap    = tool{"nmap", []string{aVersion, aSuite, anOrder, aCompression}, byNmap}
	sslscan = tool{"sslscan", []string{aVersion, aSuite, aGroup, aRenegotiation, aCertificate}, bySSLScan}
	testssl = tool{"testssl.sh", []string{aVersion, aSuite}, byTestSSL}
)

// timed looks and says how long it took.
func (o tool) timed(t testing.TB, at netip.AddrPort) (facts, time.Duration) {
	t.Helper()
	begun := time.Now()
	f := o.look(t, at)
	return f, time.Since(begun)
}

// output runs a tool of the unpacked tree, with no configuration of the machine's.
// How a tool ends says what it thinks of the server, or nothing.
func output(t testing.TB, env []string, program string, args ...string) []byte {
	t.Helper()
	cmd := peers.Command(t, program, args...)
	root := strings.TrimSuffix(cmd.Path, program)
	for i := range env {
		env[i] = strings.ReplaceAll(env[i], "{root}", root)
	}
	cmd.Dir = t.TempDir()
	cmd.Env = append(append(cmd.Env, "OPENSSL_CONF=/dev/null", "HOME="+cmd.Dir), env...)
	out, err := cmd.Output()
	if _, ended := errors.AsType[*exec.ExitError](err); !ended {
		require.NoError(t, err, "%s %v", program, args)
	}
	return out
}

// versionsBy are how the tools call the versions.
var versionsBy = map[string]Code{
	"TLSv1.0": TLS10, "TLSv1.1": TLS11, "TLSv1.2": TLS12, "TLSv1.3": TLS13,
	"ssl3": SSL30, "tls1.0": TLS10, "tls1.1": TLS11, "tls1.2": TLS12, "tls1.3": TLS13,
	"SSLv3": SSL30, "TLS1": TLS10, "TLS1_1": TLS11, "TLS1_2": TLS12, "TLS1_3": TLS13,
	"tls1": TLS10, "tls1_1": TLS11, "tls1_2": TLS12, "tls1_3": TLS13,
}

// table is a table of an nmap script.
type table struct {
	Key    string  `xml:"key,attr"`
	Tables []table `xml:"table"`
	Elems  []struct {
		Key  string `xml:"key,attr"`
		Text string `xml:",chardata"`
	} `xml:"elem"`
}

func (t table) elem(key string) string {
	for _, e := range t.Elems {
		if e.Key == key {
			return e.Text
		}
	}
	return ""
}

func byNmap(t testing.TB, at netip.AddrPort) facts {
	t.Helper()
	out := output(t, []string{"NMAPDIR={root}usr/share/nmap"}, "usr/bin/nmap", "-n", "-Pn", "-sT", "--unprivileged",
		"-p", fmt.Sprint(at.Port()), "--script", "+ssl-enum-ciphers", "-oX", "-", at.Addr().String())
	var run struct {
		Script table `xml:"host>ports>port>script"`
	}
	require.NoError(t, xml.Unmarshal(out, &run), "%s", out)
	f := facts{}
	for _, v := range run.Script.Tables {
		f.byVersion(t, v)
	}
	return f
}

// byVersion takes in what nmap says of one version.
func (f facts) byVersion(t testing.TB, v table) {
	t.Helper()
	version, ok := versionsBy[v.Key]
	require.True(t, ok, "nmap calls a version %q", v.Key)
	f.version(version)
	if by := v.elem("cipher preference"); by == "server" || by == "client" {
		f.add(anOrder, "%s %s", versionName(version), by)
	}
	for _, part := range v.Tables {
		switch part.Key {
		case "ciphers":
			for _, c := range part.Tables {
				f.suite(version, named(t, strings.Replace(c.elem("name"), "_AKE_WITH_", "_", 1))) // TLS 1.3
			}
		case "compressors":
			for _, c := range part.Elems {
				if c.Text != "NULL" {
					f.add(aCompression, "%s", c.Text)
				}
			}
		}
	}
}

// named returns the code of a name of the registry.
func named(t testing.TB, name string) Code {
	t.Helper()
	for _, s := range tlswire.Suites() {
		if s.Name == name {
			return Code(s.Code)
		}
	}
	require.Fail(t, "no suite is called so", "%q", name)
	return 0
}

func bySSLScan(t testing.TB, at netip.AddrPort) facts {
	t.Helper()
	return scanned(t, output(t, nil, "usr/bin/sslscan", "--no-colour", "--xml=-", at.String()))
}

// onlySuites is sslscan without anything but the suites.
func onlySuites(t testing.TB, at netip.AddrPort) facts {
	t.Helper()
	return scanned(t, output(t, nil, "usr/bin/sslscan", "--no-colour", "--xml=-", "--no-heartbleed", "--no-renegotiation",
		"--no-compression", "--no-fallback", "--no-groups", "--no-check-certificate", "--no-cipher-details", at.String()))
}

// scanned reads what sslscan prints.
func scanned(t testing.TB, out []byte) facts {
	t.Helper()
	type choice struct {
		Version string `xml:"sslversion,attr"`
		ID      string `xml:"id,attr"`
	}
	var run struct {
		Test struct {
			Protocols []struct {
				Kind    string `xml:"type,attr"`
				Version string `xml:"version,attr"`
				Enabled string `xml:"enabled,attr"`
			} `xml:"protocol"`
			Suites        []choice `xml:"cipher"`
			Groups        []choice `xml:"group"`
			Renegotiation struct {
				Secure string `xml:"secure,attr"`
			} `xml:"renegotiation"`
			Certificates []struct {
				Signature string `xml:"signature-algorithm"`
				Key       struct {
					Kind string `xml:"type,attr"`
					Bits int    `xml:"bits,attr"`
				} `xml:"pk"`
			} `xml:"certificates>certificate"`
		} `xml:"ssltest"`
	}
	require.NoError(t, xml.Unmarshal(out, &run), "%s", out)
	f := facts{}
	for _, p := range run.Test.Protocols {
		if p.Enabled == "1" {
			f.version(versionsBy[p.Kind+p.Version])
		}
	}
	for _, c := range run.Test.Suites {
		f.suite(versionsBy[c.Version], hexCode(t, c.ID))
	}
	for _, c := range run.Test.Groups {
		f.add(aGroup, "%s %s", versionName(versionsBy[c.Version]), tlswire.GroupName(uint16(hexCode(t, c.ID))))
	}
	if run.Test.Renegotiation.Secure == "1" {
		f.add(aRenegotiation, "secure")
	}
	for _, c := range run.Test.Certificates {
		if c.Key.Kind == "" { // there was none
			continue
		}
		f.add(aCertificate, "%s %d, %s", c.Key.Kind, c.Key.Bits, c.Signature)
	}
	return f
}

// hexCode reads 0x1301, x1301 and 1301.
func hexCode(t testing.TB, s string) Code {
	t.Helper()
	n, err := strconv.ParseUint(strings.TrimLeft(s, "0x"), 16, 16)
	require.NoError(t, err, s)
	return Code(n)
}

// byTestSSL has protocols and suites looked at, nothing else, and asks no name
// server and nobody else.
func byTestSSL(t testing.TB, at netip.AddrPort) facts {
	t.Helper()
	file := filepath.Join(t.TempDir(), "testssl.json")
	env := []string{"TESTSSL_INSTALL_DIR={root}etc/testssl", "OPENSSL={root}usr/bin/openssl", "PATH={root}usr/bin:" + os.Getenv("PATH")}
	output(t, env, "usr/bin/testssl", "-p", "-E", "--quiet", "--color", "0", "--warnings", "off", "--nodns", "none",
		"--ip", at.Addr().String(), "--jsonfile", file, at.String())
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	var lines []struct{ ID, Finding string }
	require.NoError(t, json.Unmarshal(text, &lines), "%s", text)
	f, ended := facts{}, false
	for _, l := range lines {
		ended = ended || l.ID == "scanTime"
		if v, ok := versionsBy[l.ID]; ok && strings.HasPrefix(l.Finding, "offered") {
			f.version(v)
		}
		if pair, ok := strings.CutPrefix(l.ID, "cipher-"); ok { // cipher-tls1_2_xc030
			version, code, _ := strings.Cut(pair, "_x")
			f.suite(versionsBy[version], hexCode(t, code))
		}
	}
	require.True(t, ended, "it did not come to its end: %s", text)
	return f
}
