package coapwire_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	. "github.com/assay-iot/assay/harness/probes/internal/coapwire"
)

func TestLinks(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"nothing", "", ""},
		{"bare", "</a>", "</a>"},
		{"two", `</a>;ct=40,</b>;rt="temperature-c";if="sensor"`, `</a>;ct="40",</b>;rt="temperature-c";if="sensor"`},
		{"plain_attribute", `</t>;obs;sz=10`, `</t>;obs;sz="10"`},
		{"marks_in_a_value", `</t>;title="a, b; \"c\" \\ <d>",</u>`, `</t>;title="a, b; \"c\" \\ <d>",</u>`},
		{"elsewhere", `<coap://192.0.2.9/x>;anchor="/y"`, `<coap://192.0.2.9/x>;anchor="/y"`},
		{"empty_value", `</a>;if=""`, `</a>;if=""`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			links, err := ParseLinks(tt.in)
			require.NoError(t, err)
			assert.Equal(t, tt.want, FormatLinks(links))
		})
	}
	links, err := ParseLinks(`</a>;rt="x";rt="y";obs`)
	require.NoError(t, err)
	v, ok := links[0].Get("rt")
	assert.Equal(t, "x true", fmt.Sprint(v, " ", ok))
	_, ok = links[0].Get("none")
	assert.False(t, ok)
}

// With the fault come the links before it.
func TestWhatIsWrongWithLinks(t *testing.T) {
	many := strings.Repeat("</a>,", MaxLinks)
	tests := []struct {
		in     string
		links  int
		offset int
	}{
		{"a", 0, 0}, {"</a", 0, 1}, {"</a>,", 1, 5}, {"</a></b>", 1, 4}, {"</a>;", 0, 5}, {"</a>;=x", 0, 5}, {"</a>;x=", 0, 7},
		{`</a>;x="y`, 0, 9}, {"</a b>", 0, 1}, {"</a\n>", 0, 1}, {"<" + strings.Repeat("a", MaxTarget+1) + ">", 0, 1},
		{"</a>" + strings.Repeat(";b", MaxAttributes+1), 0, 4 + 2*MaxAttributes + 1}, {many + "</b>", MaxLinks, 5 * MaxLinks},
		{"</a>;" + strings.Repeat("n", MaxName+1), 0, 5 + MaxName + 1}, {`</a>;x="` + strings.Repeat("y", MaxTarget+10) + `"`, 0, 8 + MaxTarget + 1},
		{"</a>,</b>;x=\"", 1, 13}, {"</a>,hello", 1, 5},
	}
	for _, tt := range tests {
		links, err := ParseLinks(tt.in)
		var bad *LinkError
		require.ErrorAs(t, err, &bad, "%.20q", tt.in)
		assert.Len(t, links, tt.links, "%.20q", tt.in)
		assert.Equal(t, tt.offset, bad.Offset, "%.20q: %v", tt.in, err)
		assert.True(t, errors.Is(err, ErrMalformed))
	}
}

// The corpora keep their promise: as many as they say, each once, and none that
// a strict reader takes for what it asks for.
func TestCorpora(t *testing.T) {
	assert.Equal(t, 1, CorpusVersion)
	for name, list := range map[string][]BadMessage{"datagrams": MalformedDatagrams(), "stream": MalformedStream(false), "web": MalformedStream(true)} {
		t.Run(name, func(t *testing.T) {
			assert.Len(t, list, CorpusSize)
			seen, refused := map[string]bool{}, 0
			for _, b := range list {
				assert.False(t, seen[b.Name], b.Name)
				assert.Equal(t, strings.ToLower(strings.Trim(b.Name, "- _")), b.Name)
				assert.LessOrEqual(t, len(b.Bytes), 2048, b.Name)
				seen[b.Name] = true
				var err error
				switch name {
				case "datagrams":
					_, err = Decode(b.Bytes)
				case "web":
					_, err = DecodeWeb(b.Bytes)
				default:
					_, _, err = NewReader(strings.NewReader(string(b.Bytes))).Next()
				}
				if err != nil {
					refused++
				}
			}
			assert.GreaterOrEqual(t, refused, 16, "the others are wrong about what they ask for")
			assert.Equal(t, list, map[string]func() []BadMessage{"datagrams": MalformedDatagrams, "stream": func() []BadMessage { return MalformedStream(false) }, "web": func() []BadMessage { return MalformedStream(true) }}[name]())
		})
	}
	b := MalformedDatagrams()[0]
	assert.Equal(t, b.Bytes, b.Fresh(1), "too short for a message ID")
	b = MalformedDatagrams()[5]
	assert.Equal(t, "\x12\x34", string(b.Fresh(0x1234)[2:4]))
	assert.Equal(t, b.Bytes[4:], b.Fresh(0x1234)[4:])
}
