package coapread

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/probes/internal/coapdoor"
	"github.com/assay-iot/assay/harness/probes/internal/coapdoor/coaptest"
	w "github.com/assay-iot/assay/harness/probes/internal/coapwire"
)

// reply is the response to a request.
func reply(m w.Message, code w.Code, payload string, options ...w.Option) []w.Message {
	r := w.Message{Type: w.Acknowledgement, Code: code, ID: m.ID, Token: m.Token, Options: options, Payload: []byte(payload)}
	if m.Type == w.NonConfirmable {
		r.Type, r.ID = w.NonConfirmable, m.ID+1000
	}
	r.Sort()
	return []w.Message{r}
}

// says answers requests for a path.
func says(path string, answer func(m w.Message) []w.Message) func(w.Message) ([]w.Message, bool) {
	return func(m w.Message) ([]w.Message, bool) {
		if m.Path() != path {
			return nil, false
		}
		return answer(m), true
	}
}

// endless answers every block with one more.
func endless(m w.Message) []w.Message {
	var b w.Block
	if o, ok := m.Get(w.Block2); ok {
		b, _ = w.BlockOf(o)
	}
	b.More, b.SZX = true, 6
	return reply(m, w.Content, strings.Repeat("x", 1024), b.Option(w.Block2))
}

// N1 to N8 and N11: each ends in time, and nothing is believed that was not said.
func TestHostileServers(t *testing.T) {
	many := make([]string, 10_000)
	for i := range many {
		many[i] = fmt.Sprintf("</r%d>", i)
	}
	elsewhere := `<coap://192.0.2.9/a>,<//169.254.169.254/meta>,<coap://[::1]/b>,<http://127.0.0.1/c>,<../../x>,</name>;obs`
	tests := []struct {
		name    string
		first   func(w.Message) ([]w.Message, bool)
		paths   string // that are asked for, empty for whatever
		outcome coapdoor.Outcome
		most    time.Duration
	}{
		{"endless_blocks", says("/name", endless), "", coapdoor.Answered, 10 * time.Second},
		{"endless_listing", says(Core, endless), "/.well-known/core /name /owner", coapdoor.Answered, 10 * time.Second},
		{"links_elsewhere", says(Core, func(m w.Message) []w.Message { return reply(m, w.Content, elsewhere, w.Uint(w.ContentFormat, 40)) }),
			"/.well-known/core /name /owner /x", coapdoor.Answered, 5 * time.Second},
		{"10000_links", blockwise(Core, strings.Join(many, ",")), "", coapdoor.Answered, 20 * time.Second},
		{"rejects_all", func(m w.Message) ([]w.Message, bool) { return []w.Message{{Type: w.Reset, ID: m.ID}}, true }, "", coapdoor.Reset, 5 * time.Second},
		{"garbage_for_a_listing", says(Core, func(m w.Message) []w.Message { return reply(m, w.Content, "<<<;;;\"\x00\xff") }),
			"/.well-known/core /name /owner", coapdoor.Answered, 5 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			device := coaptest.NewDevice(t, coaptest.Rules{First: tt.first, Resources: []coaptest.Resource{{Path: "/name", Payload: "n"}}})
			begun := time.Now()
			e, _, err := collect(t, coaptest.New(t), said, device.UDP())
			if tt.name != "10000_links" {
				require.NoError(t, err)
			}
			assert.Less(t, time.Since(begun), tt.most)
			if tt.paths != "" {
				assert.Equal(t, tt.paths, paths(e))
			}
			for _, r := range e.Visits[0].Rounds {
				assert.Equal(t, tt.outcome, r.Reads[1].Get.Exchange.Outcome)
				assert.LessOrEqual(t, len(r.Reads[1].Get.Exchange.Payload), maxPayload)
			}
		})
	}
}

// blockwise serves a payload as it should be.
func blockwise(path, payload string) func(w.Message) ([]w.Message, bool) {
	return says(path, func(m w.Message) []w.Message {
		b := w.Block{SZX: 6}
		if o, ok := m.Get(w.Block2); ok {
			b, _ = w.BlockOf(o)
		}
		from := min(int(b.Num)*b.Size(), len(payload))
		to := min(from+b.Size(), len(payload))
		b.More = to < len(payload)
		return reply(m, w.Content, payload[from:to], b.Option(w.Block2), w.Uint(w.ContentFormat, 40))
	})
}

// What is told at length is counted, and its beginning kept.
func TestCaps(t *testing.T) {
	t.Parallel()
	device := coaptest.NewDevice(t, coaptest.Rules{First: says("/name", endless)})
	e, _, err := collect(t, coaptest.New(t), said, device.UDP())
	require.NoError(t, err)
	read := e.Visits[0].Rounds[0].Reads[1]
	assert.Equal(t, coapdoor.MaxPayload, read.Length)
	assert.Equal(t, evidence.Yes, read.Get.Exchange.Truncated)
	assert.Len(t, read.Get.Exchange.Payload, maxPayload)
	assert.Equal(t, 1, read.Non.Exchange.Blocks, "the first answer is enough")
}

func TestListing(t *testing.T) {
	t.Parallel()
	many := make([]string, 10_000)
	for i := range many {
		many[i] = fmt.Sprintf("</r%d>", i)
	}
	device := coaptest.NewDevice(t, coaptest.Rules{First: blockwise(Core, strings.Join(many, ","))})
	e, _, err := collect(t, coaptest.New(t), said, device.UDP())
	var partial *probe.Partial
	require.ErrorAs(t, err, &partial)
	require.Len(t, partial.Missing, 1)
	assert.Contains(t, partial.Missing[0], "more resources")
	assert.Len(t, e.Resources, maxResources)
	assert.Equal(t, evidence.Yes, e.Visits[0].Listing.Exchange.Truncated)
	assert.NotEqual(t, evidence.Yes, e.Visits[0].Listing.Parsed)
	assert.Empty(t, e.Visits[0].Listing.Exchange.Payload)
}

// Terminal escapes are kept as they came, and shown escaped.
func TestHostileText(t *testing.T) {
	t.Parallel()
	const text = "\x1b[2J\u202ex\x00"
	device := coaptest.NewDevice(t, coaptest.Rules{Resources: []coaptest.Resource{{Path: "/name", Payload: text}}})
	e, data, err := collect(t, coaptest.New(t), said, device.UDP())
	require.NoError(t, err)
	got := e.Visits[0].Rounds[0].Reads[1].Get.Exchange.Payload
	assert.Equal(t, text, string(got))
	assert.Equal(t, `\x1b[2J\u202ex\x00`, got.String())
	assert.NotContains(t, data, "\x1b")
}

// A resource that is not answered, while all else is, is told from a device that
// is gone.
func TestSilence(t *testing.T) {
	t.Parallel()
	device := coaptest.NewDevice(t, coaptest.Rules{Resources: []coaptest.Resource{{Path: "/name", Payload: "n"}, {Path: "/owner", Silent: true}}})
	mute := coapdoor.Door{Transport: coapdoor.UDP, Addr: coaptest.Datagrams(t, func([]byte, coaptest.Send) {})}
	for name, door := range map[string]coapdoor.Door{"one_resource": device.UDP(), "all": mute} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, _, err := collect(t, coaptest.New(t), said, door)
			require.NoError(t, err)
			for _, r := range e.Visits[0].Rounds {
				assert.Equal(t, door != mute, r.Reads[2].Get.NotAnswered())
				assert.Equal(t, door != mute, r.Reads[2].Non.NotAnswered())
				assert.Equal(t, coapdoor.Silent, r.Reads[2].Get.Exchange.Outcome)
			}
		})
	}
}

// Secrets over every door, twice, and never written down.
func TestSecretsAreMasked(t *testing.T) {
	t.Parallel()
	device := coaptest.NewDevice(t, coaptest.Rules{TLS: serverTLS(t), Resources: []coaptest.Resource{
		{Path: "/config", Payload: `{"password":"` + pin + `","passwords":"none"}`}, {Path: "/pin", Payload: pin},
	}})
	bench := coaptest.New(t)
	e, data, err := collect(t, bench, declaration.Evidence{}, device.UDP(), device.DTLS(), device.TCP(), device.TLS())
	require.NoError(t, err)
	require.Len(t, e.Visits, 4)
	for _, v := range e.Visits {
		for _, r := range v.Rounds {
			for _, read := range r.Reads[1:] {
				assert.Len(t, read.Secrets, 1, "%s %s", v.Door.Endpoint().Name, read.Get.Exchange.Path)
			}
		}
	}
	assert.NotContains(t, data, pin)
	assert.NotContains(t, bench.Transcript(), pin)
}

// Strangers that answer for the server are not listened to.
func TestStrays(t *testing.T) {
	t.Parallel()
	at := coaptest.Datagrams(t, func(b []byte, send coaptest.Send) {
		m, err := w.Decode(b)
		if err != nil {
			return
		}
		for i := range 200 {
			stray := w.Message{Type: w.Acknowledgement, Code: w.Content, ID: m.ID + 7, Token: []byte{byte(i)}, Payload: []byte("lie")}
			if raw, err := stray.Encode(); err == nil {
				send(raw)
			}
		}
		send([]byte{0x40})
		if m.Code == w.Empty {
			m = w.Message{Type: w.Reset, ID: m.ID}
		} else {
			m = reply(m, w.Content, "truth")[0]
		}
		if raw, err := m.Encode(); err == nil {
			send(raw)
		}
	})
	e, _, err := collect(t, coaptest.New(t), said, coapdoor.Door{Addr: at, Transport: coapdoor.UDP})
	require.NoError(t, err)
	for _, r := range e.Visits[0].Rounds {
		assert.Equal(t, "truth", string(r.Reads[1].Get.Exchange.Payload))
		assert.Positive(t, r.Reads[1].Get.Exchange.Strays)
		assert.Equal(t, 1, r.Reads[1].Get.Exchange.Bad)
	}
}
