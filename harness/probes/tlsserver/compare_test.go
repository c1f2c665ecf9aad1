package tlsserver

import (
	"cmp"
	"flag"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// withTestSSL has testssl.sh look at every server too, and not at one alone.
var withTestSSL = flag.Bool("testssl", false, "TestSameFacts asks testssl.sh as well, which takes minutes")

// A reason explains why a tool and the probe differ in some facts.
type reason struct {
	tool    string
	servers string // those at which they differ, empty for all
	kind    string
	text    string // what the facts begin with
	ours    bool   // whether it is the probe that found them
	why     string
}

var reasons = []reason{
	{nmap.name, "", anOrder, "TLS 1.0", false, "the probe asks whose order decides in TLS 1.3 and in the newest older version"},
	{nmap.name, "", anOrder, "TLS 1.1", false, "likewise"},
	{sslscan.name, "", aGroup, "TLS 1.2", false, "the probe lists the groups of the newest version that has any, sslscan those of TLS 1.2 too"},
	{sslscan.name, "", aCertificate, "EC 128", false, "sslscan tells the strength of a curve, which is half of its length"},
	{sslscan.name, "", aCertificate, "EC 256", true, "likewise"},
	{sslscan.name, "nginx_today nginx_tls11 nginx_client_certificate openssl_ephemeral openssl_psk gnutls_anonymous stunnel_as_it_comes mosquitto",
		aRenegotiation, "secure", true, "sslscan sees it only at servers that take TLS 1.0"},
	{sslscan.name, "openssl_null gnutls_anonymous openssl_psk", aGroup, "TLS 1.2", true, "sslscan asks for groups with suites that these do not take"},
	{sslscan.name, "openssl_null", aCertificate, "RSA 2048", true, "sslscan asks for it with suites that encrypt"},
	{sslscan.name, "openssl_psk", aSuite, "TLS 1.2", true, "without a key OpenSSL offers no suite that needs one"},
	{sslscan.name, "ssl3_export", aSuite, "SSL 3.0", true, "Debian's OpenSSL knows no SSL 3.0"},
	{sslscan.name, "ssl3_export", aCertificate, "RSA 2048", true, "likewise"},
	{testssl.name, "openssl_null", aVersion, "TLS 1.0", true, "the hellos by which testssl.sh finds a version offer neither NULL nor anonymous suites"},
	{testssl.name, "openssl_null", aVersion, "TLS 1.1", true, "likewise"},
	{testssl.name, "openssl_null", aSuite, "TLS 1.0", true, "and of a version that it did not find it lists no suites"},
	{testssl.name, "openssl_null", aSuite, "TLS 1.1", true, "likewise"},
	{testssl.name, "openssl_psk", aSuite, "TLS 1.2", true, "without a key OpenSSL offers no suite that needs one"},
}

// explains reports whether the reason is one for a difference.
func (r reason) explains(tool, server string, f fact, ours bool) bool {
	at := r.servers == "" || slices.Contains(strings.Fields(r.servers), server)
	return at && r.tool == tool && r.kind == f.kind && r.ours == ours && strings.HasPrefix(f.text, r.text)
}

// comparison is what tools and the probe differed in.
type comparison struct {
	mu   sync.Mutex
	used map[int]bool
}

// compare fails for each difference without a reason.
func (c *comparison) compare(t testing.TB, server string, o tool, mine, theirs facts) {
	t.Helper()
	all := maps.Clone(mine)
	maps.Copy(all, theirs)
	byText := func(a, b fact) int { return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.text, b.text)) }
	for _, f := range slices.SortedFunc(maps.Keys(all), byText) {
		if mine[f] == theirs[f] || !slices.Contains(o.kinds, f.kind) {
			continue
		}
		i := slices.IndexFunc(reasons, func(r reason) bool { return r.explains(o.name, server, f, mine[f]) })
		if i < 0 {
			t.Errorf("%s and the probe differ without a reason at %s: %s %q, seen by the probe: %t", o.name, server, f.kind, f.text, mine[f])
			continue
		}
		c.mu.Lock()
		c.used[i] = true
		c.mu.Unlock()
	}
}

// The probe brings the facts that other tools bring, of servers that differ in
// all that can be told. A reason that explains nothing any more fails too.
func TestSameFacts(t *testing.T) {
	tools := []tool{nmap, sslscan}
	if *withTestSSL {
		tools = append(tools, testssl)
	}
	c, servers := comparison{used: map[int]bool{}}, rivals(t)
	t.Run("at", func(t *testing.T) {
		for _, r := range servers {
			t.Run(r.name, func(t *testing.T) {
				t.Parallel()
				e, err := collect(t, over(r.at))
				require.NoError(t, err)
				mine := found(e.Evidence)
				assert.Positive(t, mine.suites())
				for _, o := range tools {
					theirs, took := o.timed(t, r.at)
					t.Logf("%s: %d pairs, the probe %d, in %s", o.name, theirs.suites(), mine.suites(), took)
					c.compare(t, r.name, o, mine, theirs)
				}
			})
		}
	})
	for i, r := range reasons {
		asked := slices.ContainsFunc(tools, func(o tool) bool { return o.name == r.tool })
		assert.True(t, !asked || c.used[i], "no difference has this reason any more: %+v", r)
	}
}

// BenchmarkAgainstPeers looks at one server, with 48 pairs of version and suite,
// with the probe and with other tools, and reports how many times longer those
// take: than the listing of suites, as a user calls them (nmap_x, sslscan_x,
// testssl_x), sslscan with nothing but suites too (sslscan_suites_x), and as a
// user calls it than the whole probe (sslscan_whole_x). x_bare_loop is how many
// times longer the listing takes than its hellos alone.
func BenchmarkAgainstPeers(b *testing.B) {
	at := everything(b)
	c := comparison{used: map[int]bool{}}
	took := map[string][]time.Duration{}
	add := func(name string, do func()) {
		begun := time.Now()
		do()
		took[name] = append(took[name], time.Since(begun))
	}
	var k *look
	var mine facts
	var connections int
	scan := func(o tool) { add(o.name, func() { c.compare(b, mostPairs, o, mine, o.look(b, at)) }) }
	suites := tool{"sslscan, suites", []string{aSuite}, onlySuites}
	for b.Loop() {
		add("listing", func() { k, connections = enumerate(b.Context(), b, at) })
		add("bare", func() { bare(b, at, k) })
		add("whole", func() {
			e, err := collect(b, over(at))
			require.NoError(b, err)
			mine = found(e.Evidence)
		})
		for _, o := range []tool{nmap, sslscan, suites} {
			scan(o)
		}
	}
	scan(testssl) // once
	times := func(a, b string) float64 { return float64(median(took[a])) / float64(median(took[b])) }
	b.ReportMetric(median(took["listing"]).Seconds()*1e3, "listing_ms")
	b.ReportMetric(float64(connections), "connections")
	b.ReportMetric(float64(mine.suites()), "pairs")
	b.ReportMetric(times("listing", "bare"), "x_bare_loop")
	b.ReportMetric(times(nmap.name, "listing"), "nmap_x")
	b.ReportMetric(times(sslscan.name, "listing"), "sslscan_x")
	b.ReportMetric(times(suites.name, "listing"), "sslscan_suites_x")
	b.ReportMetric(times(sslscan.name, "whole"), "sslscan_whole_x")
	b.ReportMetric(times(testssl.name, "listing"), "testssl_x")
}

// median returns the middle one.
func median(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)/2]
}
