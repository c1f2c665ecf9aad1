package reports

import (
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/result"
)

func TestRow(t *testing.T) {
	tests := []struct {
		name string
		row  row
		text string
		want string
	}{
		{"beside", row{column: 1, label: "seen", hang: 8}, "a Telnet option", " seen   a Telnet option\n"},
		{"wrapped", row{column: 1, label: "seen", hang: 8}, "a Telnet option was negotiated twice in a row", " seen   a Telnet option was negotiated\n        twice in a row\n"},
		{"no_label", row{column: 1, hang: 8}, "text", "        text\n"},
		{"no_text", row{column: 1, label: "seen", hang: 8}, "", " seen\n"},
		{"nothing", row{column: 1, hang: 8}, "", ""},
		{"label_too_long", row{column: 1, label: "evidence", hang: 8}, "text", " evidence\n        text\n"},
		{"label_longer_than_a_line", row{label: "a label that is longer than any line of this page", hang: 8}, "x", "a label that is longer than any line of\nthis page\n        x\n"},
		{"wide_label", row{label: "門鎖", hang: 6}, "x", "門鎖  x\n"},
		{"hang_beyond_the_middle", row{label: "a", hang: 39}, "x", "a                   x\n"},
		{"hostile_both", row{label: "\x1b[2J", hang: 10}, "a\nb", `\x1b[2J   a\nb` + "\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newPage(Options{Width: 1})
			p.row(tt.row, tt.text)
			require.Equal(t, tt.want, p.b.String())
		})
	}
}

func TestRowColoursLabelsOnly(t *testing.T) {
	p := newPage(Options{Colour: true})
	p.row(row{label: "FAIL", style: red, hang: 6}, "text")
	require.Equal(t, "\x1b[1;31mFAIL\x1b[0m  text\n", p.b.String())
}

func TestBlankPartsAndDoesNotLead(t *testing.T) {
	p := newPage(Options{})
	p.blank()
	p.text(0, "a")
	p.blank()
	p.text(0, "b")
	require.Equal(t, "a\n\nb\n", p.b.String())
}

// No result makes a format break, or lets anything through, however little its
// parts fit together.
func TestAnyResultRenders(t *testing.T) {
	results := rapid.MakeCustom[result.Result](rapid.MakeConfig{Types: map[reflect.Type]*rapid.Generator[any]{
		reflect.TypeFor[evidence.Tri](): rapid.SampledFrom([]evidence.Tri{evidence.Unknown, evidence.Yes, evidence.No}).AsAny(),
		reflect.TypeFor[time.Time]():    rapid.Just(began).AsAny(),
	}})
	rapid.Check(t, func(rt *rapid.T) {
		r := results.Draw(rt, "result")
		for _, f := range Formats() {
			o := Options{Verbose: rapid.Bool().Draw(rt, "verbose")}
			require.Empty(rt, harm(f, string(render(t, f, r, o)), o), f.Name)
		}
	})
}
