package harness

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/evidence/bundle"
	"github.com/assay-iot/assay/harness/result"
)

// A Trail leads from one decision back to the bytes that it rests on.
type Trail struct {
	Decision result.Decision `json:"decision"`
	Items    []ItemTrail     `json:"items"` // in the order of the decision's
}

// ItemTrail is what one item cites.
type ItemTrail struct {
	Cited []Cited `json:"cited"`
}

// Cited is one field of the evidence, and where its bytes lie.
type Cited struct {
	Ref    evidence.Ref    `json:"ref"`
	Record int             `json:"record"` // its number in the bundle
	Value  json.RawMessage `json:"value"`
	Span   evidence.Span   `json:"span,omitzero"`
	Bytes  evidence.Bytes  `json:"bytes,omitempty"` // that the span holds, as far as they are shown
}

// maxShown bounds how many bytes of a span a trail shows.
const maxShown = 256

// Explain follows what a decision cites into the bundle that it was judged on.
func Explain(d result.Decision, b *bundle.Bundle) (Trail, error) {
	t := Trail{Decision: d, Items: []ItemTrail{}}
	for _, item := range d.Items {
		trail := ItemTrail{Cited: []Cited{}}
		for _, ref := range item.Refs {
			c, err := cite(ref, b)
			if err != nil {
				return t, fmt.Errorf("check %q: %w", d.Check, err)
			}
			trail.Cited = append(trail.Cited, c)
		}
		t.Items = append(t.Items, trail)
	}
	return t, nil
}

func cite(ref evidence.Ref, b *bundle.Bundle) (Cited, error) {
	r, err := b.Log().Find(ref.Unit, ref.Probe)
	if err != nil {
		return Cited{}, err
	}
	c := Cited{Ref: ref, Record: r.Seq}
	if c.Value, err = evidence.At(r.Data, ref.Pointer); err != nil {
		return c, err
	}
	c.Span = nearestSpan(r.Data, ref.Pointer)
	if c.Span.Length > 0 {
		c.Bytes, err = bytesOf(b, c.Span)
	}
	return c, err
}

// nearestSpan returns the span beside a field, or beside the nearest one that
// holds it.
func nearestSpan(data json.RawMessage, pointer string) evidence.Span {
	for at := pointer; at != ""; at = at[:strings.LastIndex(at, "/")] {
		value, err := evidence.At(data, at)
		if err != nil {
			continue
		}
		var beside struct {
			Span evidence.Span `json:"span"`
		}
		if json.Unmarshal(value, &beside) == nil && beside.Span != (evidence.Span{}) {
			return beside.Span
		}
	}
	return evidence.Span{}
}

func bytesOf(b *bundle.Bundle, s evidence.Span) (evidence.Bytes, error) {
	member, err := b.Member(s.Member)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.NewSectionReader(member, s.Offset, min(s.Length, maxShown)))
}
