package harness

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/result"
	"github.com/assay-iot/assay/harness/verdict"
)

func cited(pointer string) evidence.Ref {
	return evidence.Ref{Unit: evidence.DUT, Probe: "p", Pointer: pointer}
}

func TestExcerpt(t *testing.T) {
	data := `{"services":[{"protocol":"telnet","seen":2,"answer":{"base64":"//sBGw==","preview":"\\xff\\xfb\\x01\\x1b"},` +
		`"span":{"member":"transcript/000012","offset":40,"length":4}}],"note":"{\"base64\":\"QUJD\",\"preview\":\"x\"}"}`
	log := evidence.Log{{Seq: 7, Unit: evidence.DUT, Probe: "p", Status: evidence.Collected, Data: json.RawMessage(data)}}
	span := evidence.Span{Member: "transcript/000012", Offset: 40, Length: 4}
	for _, tt := range []struct {
		name, pointer, value string
		span                 evidence.Span
	}{
		{"word", "/services/0/protocol", `"telnet"`, span},
		{"number", "/services/0/seen", `2`, span},
		{"what_a_device_sent", "/services/0/answer", `"\xff\xfb\x01\x1b"`, span},
		{"object", "/services/0", `{"protocol":"telnet","seen":2,"answer":"\xff\xfb\x01\x1b","span":{"member":"transcript/000012","offset":40,"length":4}}`, span},
		{"imitation", "/note", `"{\"base64\":\"QUJD\",\"preview\":\"x\"}"`, evidence.Span{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e, err := excerpt(cited(tt.pointer), log)
			require.NoError(t, err)
			require.Equal(t, result.Excerpt{Ref: cited(tt.pointer), Record: 7, Value: tt.value, Span: tt.span}, e)
		})
	}
	for _, pointer := range []string{"/x", "", "/services/9"} {
		_, err := excerpt(cited(pointer), log)
		require.Error(t, err)
	}
	_, err := excerpt(cited("/services"), nil)
	require.Error(t, err)
}

// What is long is cut where a character begins, and what is left out counted.
func TestShorten(t *testing.T) {
	for _, tt := range []struct {
		in    string
		limit int
		want  string
		left  int
	}{{"abc", 3, "abc", 0}, {"abcd", 3, "abc", 1}, {"aéé", 2, "a", 4}, {"門鎖", 5, "門", 3}, {"", 0, "", 0}} {
		got, left := shorten(tt.in, tt.limit)
		require.Equal(t, tt.want, got)
		require.Equal(t, tt.left, left)
	}
}

// A device with many ports makes no result that nobody can open.
func TestQuoteIsBounded(t *testing.T) {
	data, err := json.Marshal(map[string]string{"x": strings.Repeat("A", 10_000)})
	require.NoError(t, err)
	log := evidence.Log{{Seq: 1, Unit: evidence.DUT, Probe: "p", Status: evidence.Collected, Data: data}}
	d := result.Decision{}
	for range 100 {
		for _, v := range []verdict.Verdict{verdict.Pass, verdict.Fail} {
			item := result.Item{Verdict: v, Why: msg.T("seen")}
			for range 20 {
				item.Refs = append(item.Refs, cited("/x"))
			}
			d.Items = append(d.Items, item)
		}
	}
	quote(&d, log)
	shown := map[verdict.Verdict]int{}
	for _, i := range d.Items {
		if len(i.Excerpts) > 0 {
			shown[i.Verdict]++
			require.Len(t, i.Excerpts, maxExcerpts)
			require.Len(t, i.Excerpts[0].Value, maxExcerpt)
			require.Equal(t, 10_002-maxExcerpt, i.Excerpts[0].LeftOut)
		}
	}
	require.Equal(t, map[verdict.Verdict]int{verdict.Pass: maxExcerpted, verdict.Fail: maxExcerpted}, shown)
}

// A reference that leads nowhere shows nothing; the judge has listed it.
func TestQuoteOfNothing(t *testing.T) {
	d := result.Decision{Items: []result.Item{{Verdict: verdict.Inconclusive, Refs: []evidence.Ref{cited("/x")}}}}
	quote(&d, nil)
	require.Empty(t, d.Items[0].Excerpts)
}
