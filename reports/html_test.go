package reports

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/result"
	"github.com/assay-iot/assay/harness/verdict"
)

func inHTML(t *testing.T, r result.Result, o Options) string {
	t.Helper()
	return string(render(t, formats["html"], r, o))
}

// judged reads the result of an emulated lock as it was judged.
func judged(t *testing.T, name string) result.Result {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	require.NoError(t, err)
	var r result.Result
	require.NoError(t, json.Unmarshal(b, &r))
	return r
}

// text is what a reader sees of a page, with one blank between words.
func text(t *testing.T, page string) string {
	t.Helper()
	n, err := html.Parse(strings.NewReader(page))
	require.NoError(t, err)
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode && d.Parent.Data != "style" {
			b.WriteString(d.Data + " ")
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

func TestHTMLOfEmulatedLocks(t *testing.T) {
	for _, name := range []string{"insecure", "hardened"} {
		t.Run(name, func(t *testing.T) {
			page := inHTML(t, judged(t, name), Options{})
			require.Empty(t, harm(formats["html"], page, Options{}))
			golden(t, "html-"+name+".html", []byte(page))
		})
	}
}

// Everything that a result holds is somewhere on the page.
func TestHTMLLeavesNothingOut(t *testing.T) {
	r := shared()
	seen := text(t, inHTML(t, r, Options{}))
	has := func(s string) {
		t.Helper()
		require.Contains(t, seen, strings.Join(strings.Fields(plain(s)), " "))
	}
	for _, q := range r.Requirements {
		for _, s := range []string{q.Profile, q.ID, q.Level, q.Text, q.Why.String(), q.Next.String(), q.Waiver, q.Verified, string(q.Basis)} {
			has(s)
		}
	}
	for _, d := range r.Decisions {
		has(d.Key())
		has(d.Title.String())
		has(d.Remedy.String())
		for _, i := range d.Items {
			for _, s := range []string{i.Endpoint, i.Why.String(), i.Advisory.String(), i.Next.String()} {
				has(s)
			}
			for _, ref := range i.Refs {
				has(ref.Probe + " " + ref.Pointer)
			}
		}
	}
	for _, rec := range r.Records {
		for _, s := range []string{rec.Probe, rec.Phase, rec.Reason.String(), rec.Effect, string(rec.SHA256), strings.Join(rec.Missing, ", ")} {
			has(s)
		}
	}
	for _, v := range r.Verdicts {
		has(v.Title)
		has(coverageText(v.Coverage).String())
	}
	for _, s := range r.Surface {
		for _, l := range s.Listeners {
			has(l.Endpoint)
			has(l.Protocol)
			for _, v := range l.Versions {
				has(v.Name + " " + acceptedText(v.Accepted).String() + " " + strings.Join(v.Suites, " "))
			}
		}
	}
	for _, d := range r.Run.Deviations {
		has(d.What.String())
		has(d.Reason.String())
	}
	for _, s := range []string{r.Defects[0].Where, r.Defects[0].What, r.Run.Operator, string(r.Run.BundleSHA256), r.Units[1].Model, "Test evidence, never a legal finding."} {
		has(s)
	}
}

func TestHTMLShowsTheEvidence(t *testing.T) {
	seen := text(t, inHTML(t, shared(), Options{}))
	require.Contains(t, seen, `record 3 services /services/0/protocol transcript/000012, bytes 40 to 63 {"protocol":"telnet","answer":"\xff\xfb\x01</pre><script>\x1b[2J\u202e"}... (+99 bytes)`)
	require.Contains(t, text(t, inHTML(t, judged(t, "insecure"), Options{})), `Assay Labs Door Lock Hub login: "`)
}

// The policy admits the style sheet as it stands, and nothing else.
func TestHTMLPolicy(t *testing.T) {
	page := inHTML(t, shared(), Options{})
	parts := regexp.MustCompile(`(?s)<style>(.*)</style>`).FindStringSubmatch(page)
	require.Len(t, parts, 2)
	require.Contains(t, parts[1], "--page:", "the style sheet was not taken for one")
	sum := sha256.Sum256([]byte(parts[1]))
	want := fmt.Sprintf(`content="default-src &#39;none&#39;; style-src &#39;sha256-%s&#39;; base-uri &#39;none&#39;; form-action &#39;none&#39;"`, base64.StdEncoding.EncodeToString(sum[:]))
	require.Contains(t, strings.ReplaceAll(page, "&#43;", "+"), want)
	for _, bad := range []string{"url(", "@import", "http:", "https:", "javascript:", "expression("} {
		require.NotContains(t, parts[1], bad)
	}
	require.NotContains(t, page, "style=")
}

// What is no page of ours is found: else the tests above prove nothing.
func TestBrokenHTMLIsFound(t *testing.T) {
	page := inHTML(t, shared(), Options{})
	require.Empty(t, brokenHTML(page))
	for _, tt := range []struct{ name, old, new, want string }{
		{"script", "</main>", "<script>x</script></main>", "element script"},
		{"event", "<main id", "<main onclick=x id", "attribute onclick of main"},
		{"style", "<main id", "<main style=x id", "attribute style of main"},
		{"elsewhere", `href="#findings"`, `href="http://evil.example"`, "a link to"},
		{"nowhere", `id="findings"`, `id="found"`, `a link to "#findings"`},
		{"id_again", `id="lone"`, `id="findings"`, `id "findings" again`},
		{"not_closed", "</main>", "", "</div> inside"},
		{"heading", "<h3>", "<h4>", "</h3> inside"},
		{"level", "<h1>", "<h4>", "h4 after h0"},
		{"scope", `<th scope="col">`, "<th>", "a th without scope"},
		{"comment", "</main>", "<!-- x --></main>", "a comment"},
		{"language", "<html lang=", "<html data-x=", "0 times <html lang="},
		{"policy", "default-src", "x", "no policy"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.Contains(t, page, tt.old)
			require.Contains(t, strings.Join(brokenHTML(strings.Replace(page, tt.old, tt.new, 1)), "\n"), tt.want)
		})
	}
}

func TestHTMLCalm(t *testing.T) {
	page := inHTML(t, result.Result{}, Options{})
	require.Empty(t, brokenHTML(page))
	seen := text(t, page)
	for _, absent := range []string{"Defects", "Waivers", "Network surface", "Weak but allowed", "Not a complete run"} {
		require.NotContains(t, seen, absent)
	}
	require.Contains(t, seen, "Nothing was judged: no profile asks for anything.")
	require.Contains(t, seen, "No failure was proven. That is no pass: see what is open.")
}

// Ten questions to the same person are one thing to do.
func TestHTMLGroupsWhatIsToDo(t *testing.T) {
	var qs []result.Requirement
	for i := range 10 {
		id := fmt.Sprint(i)
		qs = append(qs, result.Requirement{Profile: "p", ID: id, Verdict: verdict.Inconclusive, Why: msg.T("nobody answered"), Next: msg.T("answer {question} in the device file", "question", "question-"+id)})
	}
	qs = append(qs, result.Requirement{Profile: "p", ID: "x", Verdict: verdict.Inconclusive, Why: msg.T("it was silent"), Next: msg.T("run again")})
	s := newSheet(result.Result{Requirements: qs}, Options{})
	require.Equal(t, 11, s.Open)
	require.Len(t, s.Actions, 2)
	require.Equal(t, "answer … in the device file", s.Actions[0].Next)
	require.Len(t, s.Actions[0].Each, 10)
	require.Equal(t, "answer question-3 in the device file", s.Actions[0].Each[3].Next)
	require.Empty(t, s.Actions[1].Each)
}

// A check that was decided often stands apart from the others.
func TestHTMLGroupsChecks(t *testing.T) {
	var ds []result.Decision
	for _, with := range []string{"a", "b", "c", "d"} {
		ds = append(ds, result.Decision{Check: "x.asked", With: with})
	}
	s := newSheet(result.Result{Decisions: append(ds, result.Decision{Check: "y.seen"})}, Options{})
	require.Len(t, s.Checks, 2)
	require.Equal(t, "x.asked", s.Checks[0].Name)
	require.Empty(t, s.Checks[1].Name)
}

func TestHTMLPlacesLast(t *testing.T) {
	q := func(profile, id string) result.Requirement { return result.Requirement{Profile: profile, ID: id} }
	r := result.Result{Requirements: []result.Requirement{q("P v1", "5.1-2A"), q("p-v1", "5.1-2a"), q("", ""), q("", ""), q(strings.Repeat("x", 1000), "<>")}}
	b := newBinder(r, Options{})
	require.Equal(t, "q-p-v1-5.1-2a", b.requirements[0])
	require.Equal(t, "q-p-v1-5.1-2a_2", b.requirements[1])
	require.NotEqual(t, b.requirements[2], b.requirements[3])
	require.LessOrEqual(t, len(b.requirements[4]), maxPlace+2)
}

// What stands in a command is what a shell takes as it is.
func TestHTMLCommands(t *testing.T) {
	lines := func(run result.Run) string {
		var b strings.Builder
		for _, c := range newBinder(result.Result{Run: run}, Options{}).commands() {
			b.WriteString(c.Line + "\n")
		}
		return b.String()
	}
	require.Equal(t, `assay verify lock_20260301T120000Z.assay
assay judge lock_20260301T120000Z.assay --at 2026-03-01
assay judge lock_20260301T120000Z.assay --profile p-1,q_2 --at 2026-03-01
assay explain lock_20260301T120000Z.assay REQUIREMENT
assay run DEVICE.yaml --profile p-1,q_2 --effect intrusive --pace normal --consent "WHO, WHY"
`, lines(result.Run{
		ID: "lock_20260301T120000Z", Effect: "intrusive", Pace: "normal", Consent: "me, here", Profiles: []result.Source{{ID: "p-1"}, {ID: "q_2"}},
		Clock: result.Clock{Time: began, Source: "stated"},
	}))
	for _, bad := range []string{"; rm -rf ~", "$(id)", "`id`", "a b", "a\nb", "-rf", "--out=/", "|x", "ü", "'", `"`, "~", "*", strings.Repeat("a", 200)} {
		require.Equal(t, "assay verify BUNDLE\nassay judge BUNDLE\nassay judge BUNDLE --profile PROFILE\nassay explain BUNDLE REQUIREMENT\nassay run DEVICE.yaml --profile PROFILE --effect EFFECT --pace PACE\n",
			lines(result.Run{ID: bad, Effect: bad, Pace: bad, Profiles: []result.Source{{ID: bad}}, Clock: result.Clock{Time: time.Time{}}}), "%q", bad)
	}
}

// A device with every port open makes a page that a browser can open, and says
// what it leaves out.
func TestHTMLIsBounded(t *testing.T) {
	r := result.Result{Units: sharedUnits(), Surface: []result.Surface{{Unit: evidence.DUT}}}
	d := result.Decision{Check: "a.b", Title: msg.T("It holds"), Verdict: verdict.Fail, Remedy: msg.T("close it")}
	for port := range 20000 {
		at := fmt.Sprintf("tcp/192.0.2.1:%d", port)
		r.Surface[0].Listeners = append(r.Surface[0].Listeners, result.Listener{Endpoint: at, Protocol: "http"})
		d.Items = append(d.Items, result.Item{Endpoint: at, Unit: evidence.DUT, Verdict: verdict.Fail, Why: msg.T("it is open: {n}", "n", port), Refs: ref("p", "/x")})
	}
	r.Decisions = []result.Decision{d}
	r.Requirements = []result.Requirement{{Profile: "p", ID: "1", Verdict: verdict.Fail, Why: msg.T("failed"), Checks: []string{"a.b"}, FailedBy: []string{"a.b"}}}
	page := inHTML(t, r, Options{})
	require.Less(t, len(page), 1<<20)
	require.Empty(t, harm(formats["html"], page, Options{}))
	require.Contains(t, text(t, page), "19800 more: --format json has all")
	require.Contains(t, text(t, page), "and 19976 more", "in the picture")
	require.Contains(t, text(t, inHTML(t, r, Options{Verbose: true})), "tcp/192.0.2.1:19999")
}

func TestHTMLSpeaksTheReadersLanguage(t *testing.T) {
	o := Options{Lang: "ar", Catalogue: msg.Catalogue{"Failures proven": "إخفاقات مثبتة", "fail": "إخفاق", "in clear": "بلا تشفير"}}
	page := inHTML(t, shared(), o)
	require.Contains(t, page, `<html lang="ar" dir="rtl">`)
	require.Empty(t, brokenHTML(page))
	for _, word := range o.Catalogue {
		require.Contains(t, text(t, page), word)
	}
	require.Contains(t, inHTML(t, shared(), Options{}), `<html lang="en" dir="ltr">`)
}

// Every label is used, and every one that is used exists in every branch.
func TestHTMLLabels(t *testing.T) {
	used := map[string]bool{}
	for _, m := range regexp.MustCompile(`say "([a-z-]+)"`).FindAllStringSubmatch(pageSource, -1) {
		used[m[1]] = true
		require.Contains(t, pageLabels(), m[1])
	}
	for name, label := range pageLabels() {
		require.True(t, used[name], "%s is not used", name)
		require.NoError(t, label.Err())
	}
}

// No string of the result is changed by being shown.
func TestHTMLLeavesTheResult(t *testing.T) {
	r, same := poison(t, "\x1b[2J", everyString), poison(t, "\x1b[2J", everyString)
	require.NoError(t, writeHTML(&bytes.Buffer{}, r, Options{}))
	require.Equal(t, same, r)
}
