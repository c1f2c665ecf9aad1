package harness

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"unicode/utf8"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/result"
	"github.com/assay-iot/assay/harness/verdict"
)

// What excerpts show is bounded, so that a device with thousands of open ports
// does not make a result that nobody can open. The evidence itself is in the
// bundle.
const (
	maxExcerpted = 16  // items of one decision and verdict
	maxExcerpts  = 6   // of one item
	maxExcerpt   = 512 // bytes of one value
)

// quote copies what the items of d cite out of the evidence.
func quote(d *result.Decision, log evidence.Log) {
	done := map[verdict.Verdict]int{}
	for i := range d.Items {
		item := &d.Items[i]
		if done[item.Verdict]++; done[item.Verdict] > maxExcerpted {
			continue
		}
		for _, ref := range item.Refs[:min(len(item.Refs), maxExcerpts)] {
			e, err := excerpt(ref, log)
			if err != nil {
				break // the judge has listed it as a defect
			}
			item.Excerpts = append(item.Excerpts, e)
		}
	}
}

func excerpt(ref evidence.Ref, log evidence.Log) (result.Excerpt, error) {
	r, err := log.Find(ref.Unit, ref.Probe)
	if err != nil {
		return result.Excerpt{}, err
	}
	value, err := evidence.At(r.Data, ref.Pointer)
	if err != nil {
		return result.Excerpt{}, fmt.Errorf("record %d: %w", r.Seq, err)
	}
	shown, left := shorten(legible(value), maxExcerpt)
	return result.Excerpt{Ref: ref, Record: r.Seq, Value: shown, LeftOut: left, Span: nearestSpan(r.Data, ref.Pointer)}, nil
}

// sent is what a device sent, as evidence.Bytes is stored. A string that a
// device chose cannot look like it: its quotes are escaped.
var sent = regexp.MustCompile(`\{"base64":"([A-Za-z0-9+/=]*)","preview":"(?:[^"\\]|\\.)*"\}`)

// legible writes what a device sent as text, everything else as it is stored.
func legible(value json.RawMessage) string {
	return sent.ReplaceAllStringFunc(string(value), func(stored string) string {
		var b evidence.Bytes
		if json.Unmarshal([]byte(stored), &b) != nil {
			return stored
		}
		return strconv.QuoteToASCII(string(b))
	})
}

// shorten cuts s to limit bytes, where a character begins, and returns how many
// it left out.
func shorten(s string, limit int) (string, int) {
	if len(s) <= limit {
		return s, 0
	}
	for !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit], len(s) - limit
}
