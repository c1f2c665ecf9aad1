package reports

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/result"
	"github.com/assay-iot/assay/harness/verdict"
)

func inMarkdown(t *testing.T, r result.Result, o Options) string {
	t.Helper()
	return string(render(t, formats["markdown"], r, o))
}

// Everything that a result holds is somewhere in the document.
func TestMarkdownLeavesNothingOut(t *testing.T) {
	r := shared()
	out := inMarkdown(t, r, Options{})
	for _, q := range r.Requirements {
		require.Contains(t, out, "| "+q.Profile+" | "+q.ID+" | "+q.Level+" | "+q.Text+" | "+verdictWord(q.Verdict).String()+" | "+string(q.Basis)+" | ")
		require.Contains(t, out, q.Waiver)
	}
	for _, d := range r.Decisions {
		require.Contains(t, out, "### "+markup(d.Key())+": "+verdictWord(d.Verdict).String()+"\n")
		require.Contains(t, out, markup(d.Title.String()))
		require.Contains(t, out, markup(d.Remedy.String()))
		for _, i := range d.Items {
			require.Contains(t, out, "| "+markup(i.Endpoint)+" | "+verdictWord(i.Verdict).String()+" | "+markup(i.Why.String())+" | "+markup(i.Advisory.String())+" | ")
		}
	}
	for _, rec := range r.Records {
		require.Contains(t, out, "| "+rec.Unit+" | "+rec.Probe+" | 1 | "+rec.Phase+" | "+statusWord(rec.Status).String()+" | "+markup(rec.Reason.String())+" | ")
	}
	for _, u := range r.Units {
		require.Contains(t, out, "| "+u.Unit+" | "+u.Role+" | "+u.ID+" | ")
	}
	for _, p := range r.Run.Profiles {
		require.Contains(t, out, string(p.SHA256))
	}
	require.Contains(t, out, string(r.Run.BundleSHA256))
}

func TestMarkdownHasNoEmptySections(t *testing.T) {
	out := inMarkdown(t, result.Result{}, Options{})
	for _, section := range []string{"Defects", "Failures", "Needs you", "Not tested", "Not a complete run", "| --- |"} {
		require.NotContains(t, out, section)
	}
	require.Contains(t, out, "**nothing was judged: no profile asks for anything**")
}

func TestMarkdownSaysWhatAFindingSaw(t *testing.T) {
	out := inMarkdown(t, shared(), Options{})
	require.Contains(t, out, "a Telnet option was negotiated, starting with \\\\xff\\\\xfb\\\\x01\\\\x1b\\[2J (tcp/\\[2001:db8::1\\]:23, tcp/\\[2001:db8::1\\]:2323, ")
	require.Contains(t, out, "| 3 |  |  | the manufacturer declares that it is not met |  | etsi-en-303-645-v3.1.3 5.3-15 (recommended) |")
}

func TestMarkdownListsLongListsShort(t *testing.T) {
	d := result.Decision{Check: "a.b", Title: msg.T("It holds"), Verdict: verdict.Pass, Items: []result.Item{{Verdict: verdict.Pass, Why: msg.T("seen")}}}
	for range 20 {
		d.Items[0].Refs = append(d.Items[0].Refs, ref("q", "/x")...)
	}
	out := inMarkdown(t, result.Result{Decisions: []result.Decision{d}}, Options{})
	require.Contains(t, out, "q/x and 8 more |")
	require.Equal(t, maxNamed, strings.Count(out, "q/x"))
}

func TestMarkdownSpeaksTheReadersLanguage(t *testing.T) {
	out := inMarkdown(t, shared(), Options{Catalogue: msg.Catalogue{"Requirements": "Требования", "fail": "не выполнено"}})
	require.Contains(t, out, "## Требования\n")
	require.Contains(t, out, "| не выполнено | declared |")
}
