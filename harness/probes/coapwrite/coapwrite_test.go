package coapwrite

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/coapread"
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/probes/internal/coapdoor"
	"github.com/assay-iot/assay/harness/probes/internal/coapdoor/coaptest"
	"github.com/assay-iot/assay/harness/probes/internal/coapguest/guesttest"
	w "github.com/assay-iot/assay/harness/probes/internal/coapwire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	app  = probe.Login{ID: "app", User: "meter", Password: "correct-key-0001"}
	keys = map[string]string{app.User: app.Password}
)

var said = guesttest.Server("app",
	declaration.Resource{Path: "/name"},
	declaration.Resource{Path: "/setpoint", TestValues: []declaration.Text{"21", "22"}})

// pagesOf are what coap-read saw at these doors: whoever was let in.
func pagesOf(said declaration.Evidence, doors ...coapdoor.Door) map[string]evidence.Page {
	var read coapread.Evidence
	in := []coapread.Round{{Entry: coapdoor.Answer{Outcome: coapdoor.Opened}}}
	for _, d := range doors {
		read.Visits = append(read.Visits, coapread.Visit{Door: d, Reader: coapread.Stranger, Rounds: in})
		if d.Transport == coapdoor.DTLS {
			read.Visits = append(read.Visits, coapread.Visit{Door: d, Reader: coapread.Holder, Credential: "app", Rounds: in})
		}
	}
	pages := guesttest.Pages(said)
	pages[coapread.Probe.Name] = evidence.Page{Value: read}
	return pages
}

func collect(t *testing.T, ctx context.Context, b *coaptest.Bench, said declaration.Evidence, doors ...coapdoor.Door) (Evidence, string, error) {
	t.Helper()
	in := b.Input
	in.Journal = guesttest.Journal{}
	in.Evidence = evidence.NewView(evidence.DUT, pagesOf(said, doors...))
	e, data, err := guesttest.Collect(t, ctx, in, Probe)
	return e, string(data), err
}

// methods counts what a device was asked to do.
func methods(d *coaptest.Device) map[w.Code]int {
	n := map[w.Code]int{}
	for _, m := range d.Asked() {
		n[m.Code]++
	}
	return n
}

func TestWhoWrites(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		resource coaptest.Resource
		changed  evidence.Tri // by a stranger in clear
		code     coapdoor.Code
		controls evidence.Tri
	}{
		{"everybody", coaptest.Resource{Payload: "20", Writable: true}, evidence.Yes, "2.04", evidence.Yes},
		{"everybody_with_a_test_value_in_it", coaptest.Resource{Payload: "21", Writable: true, Format: 50}, evidence.Yes, "2.04", evidence.Yes},
		{"the_holder", coaptest.Resource{Payload: "20", Writable: true, Refuse: w.Unauthorized}, evidence.No, "4.01", evidence.Yes},
		{"nobody", coaptest.Resource{Payload: "20"}, evidence.No, "4.05", evidence.No},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.resource.Path = "/setpoint"
			device := coaptest.NewDevice(t, coaptest.Rules{Keys: keys, Resources: []coaptest.Resource{{Path: "/name", Payload: "n", Writable: true}, tt.resource}})
			udp, dtls := device.UDP(), device.DTLS()
			bench := coaptest.New(t, app)
			e, _, err := collect(t, t.Context(), bench, said, udp, dtls)
			require.NoError(t, err)
			require.Len(t, e.Resources, 1)
			r := e.Resources[0]
			assert.Equal(t, tt.resource.Payload, device.Value("/setpoint"))
			assert.Equal(t, "n", device.Value("/name"), "nobody said that it may be written")
			assert.Equal(t, tt.resource.Payload, string(r.Original))
			assert.Equal(t, Actor{dtls, coapread.Holder, "app"}, r.ReadBy)
			assert.Equal(t, evidence.Yes, r.Restored)
			require.Len(t, r.Controls, 2)
			require.Len(t, r.Attempts, 4)
			for _, a := range r.Controls {
				assert.Equal(t, tt.controls, a.Changed)
				assert.Equal(t, evidence.Yes, a.Restored)
			}
			for _, a := range r.Attempts {
				require.Len(t, a.ReadBack, 2)
				assert.NotEqual(t, tt.resource.Payload, string(a.Value))
				if a.Actor.Door == dtls {
					assert.Equal(t, coapdoor.Refused, a.Entry.Outcome)
					assert.Equal(t, evidence.No, a.Changed)
					continue
				}
				assert.Equal(t, tt.changed, a.Changed)
				assert.Equal(t, tt.code, a.Put.Code)
				assert.Equal(t, tt.code == "4.05", a.Post.Outcome == coapdoor.Answered)
			}
			assert.Zero(t, methods(device)[w.DELETE])
			assert.NotContains(t, bench.Transcript(), app.Password)
		})
	}
}

// Without a log-in, who changed it puts it back.
func TestStrangersAlone(t *testing.T) {
	t.Parallel()
	device := coaptest.NewDevice(t, coaptest.Rules{Resources: []coaptest.Resource{{Path: "/setpoint", Payload: "20", Writable: true}}})
	udp, tcp := device.UDP(), device.TCP()
	e, _, err := collect(t, t.Context(), coaptest.New(t), said, udp, tcp)
	require.NoError(t, err)
	r := e.Resources[0]
	assert.Empty(t, r.Controls)
	require.Len(t, r.Attempts, 4)
	for _, a := range r.Attempts {
		assert.Equal(t, evidence.Yes, a.Changed)
		assert.Equal(t, evidence.Yes, a.Restored)
	}
	assert.Equal(t, udp, r.Attempts[0].RestoredBy.Door)
	assert.Equal(t, "20", device.Value("/setpoint"))
}

// POST is tried where PUT is not allowed.
func TestPost(t *testing.T) {
	t.Parallel()
	noPut := func(m w.Message) ([]w.Message, bool) {
		return []w.Message{{Type: w.Acknowledgement, Code: w.MethodNotAllowed, ID: m.ID, Token: m.Token}}, m.Code == w.PUT
	}
	device := coaptest.NewDevice(t, coaptest.Rules{First: noPut, Resources: []coaptest.Resource{{Path: "/setpoint", Payload: "20", Writable: true}}})
	e, _, err := collect(t, t.Context(), coaptest.New(t), said, device.UDP())
	require.NoError(t, err)
	for _, a := range e.Resources[0].Attempts {
		assert.Equal(t, coapdoor.Code("4.05"), a.Put.Code)
		assert.Equal(t, coapdoor.Code("2.04"), a.Post.Code)
		assert.Equal(t, evidence.Yes, a.Changed)
		assert.Equal(t, evidence.Yes, a.Restored)
	}
	assert.Equal(t, "20", device.Value("/setpoint"))
}

// Where it cannot be put back, nothing is written.
func TestNothingIsWritten(t *testing.T) {
	t.Parallel()
	n := 0
	changing := func(m w.Message) ([]w.Message, bool) {
		n++
		return []w.Message{{Type: w.Acknowledgement, Code: w.Content, ID: m.ID, Token: m.Token, Payload: []byte(strings.Repeat("x", n))}}, m.Code == w.GET
	}
	tests := []struct {
		name string
		r    coaptest.Rules
		want Reason
	}{
		{"not_there", coaptest.Rules{}, Unreadable},
		{"refused", coaptest.Rules{Resources: []coaptest.Resource{{Path: "/setpoint", Payload: "20", Writable: true, Refuse: w.Forbidden}}}, Unreadable},
		{"empty", coaptest.Rules{Resources: []coaptest.Resource{{Path: "/setpoint", Writable: true}}}, Unreadable},
		{"long", coaptest.Rules{Resources: []coaptest.Resource{{Path: "/setpoint", Payload: strings.Repeat("x", maxValue+1), Writable: true}}}, TooLong},
		{"secret", coaptest.Rules{Resources: []coaptest.Resource{{Path: "/setpoint", Payload: `{"pin":"7Q4K-92XD-LM5R"}`, Writable: true}}}, HasSecret},
		{"secret_of_ours", coaptest.Rules{Resources: []coaptest.Resource{{Path: "/setpoint", Payload: "key is " + app.Password, Writable: true}}}, HasSecret},
		{"changes_by_itself", coaptest.Rules{First: changing}, Changing},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			device, bench := coaptest.NewDevice(t, tt.r), coaptest.New(t)
			bench.Input.Net.Hide("psk", []byte(app.Password))
			e, data, err := collect(t, t.Context(), bench, said, device.UDP())
			require.NoError(t, err)
			assert.Equal(t, tt.want, e.Resources[0].Skipped)
			assert.Empty(t, e.Resources[0].Attempts)
			assert.Zero(t, methods(device)[w.PUT]+methods(device)[w.POST])
			assert.NotContains(t, data, "7Q4K-92XD")
		})
	}
}

// What cannot be put back is written once, and said as loudly as can be.
func TestItCannotBePutBack(t *testing.T) {
	t.Parallel()
	stuck := func(m w.Message) ([]w.Message, bool) {
		refuse := (m.Code == w.PUT || m.Code == w.POST) && string(m.Payload) == "20"
		return []w.Message{{Type: w.Acknowledgement, Code: w.Forbidden, ID: m.ID, Token: m.Token}}, refuse
	}
	device := coaptest.NewDevice(t, coaptest.Rules{First: stuck, Resources: []coaptest.Resource{{Path: "/setpoint", Payload: "20", Writable: true}}})
	e, _, err := collect(t, t.Context(), coaptest.New(t), said, device.UDP(), device.UDP())
	var partial *probe.Partial
	require.ErrorAs(t, err, &partial)
	require.ErrorIs(t, err, errNotRestored)
	assert.Equal(t, []string{`undo of step "write /setpoint"`}, partial.Missing)
	assert.ErrorContains(t, err, `holds "21" and held "20"`)
	r := e.Resources[0]
	require.Len(t, r.Attempts, 1, "no more is written then")
	assert.Equal(t, evidence.Yes, r.Attempts[0].Changed)
	assert.Equal(t, evidence.No, r.Restored)
	assert.Equal(t, "21", string(r.Last))
}

// A run that is cut short between a write and its end puts back what was there.
func TestPutBackAfterCancel(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	written := func(m w.Message) ([]w.Message, bool) {
		if m.Code == w.PUT {
			cancel()
		}
		return nil, false
	}
	device := coaptest.NewDevice(t, coaptest.Rules{First: written, Resources: []coaptest.Resource{{Path: "/setpoint", Payload: "20", Writable: true}}})
	_, _, err := collect(t, ctx, coaptest.New(t), said, device.UDP())
	var partial *probe.Partial
	require.ErrorAs(t, err, &partial)
	assert.Equal(t, []string{`step "write /setpoint"`}, partial.Missing)
	assert.Equal(t, "20", device.Value("/setpoint"))
}

// A run that was killed after a write puts back what was there, from the journal.
func TestPutBackAfterAKill(t *testing.T) {
	t.Parallel()
	device := coaptest.NewDevice(t, coaptest.Rules{Resources: []coaptest.Resource{{Path: "/setpoint", Payload: "22", Writable: true}}})
	door := device.UDP()
	before := Evidence{Resources: []Resource{{Path: []byte("/setpoint"), Skipped: NotYet, Original: []byte("20"), Format: -1,
		ReadBy: Actor{Door: door, Reader: coapread.Stranger}}}}
	data, err := evidence.Encode(before)
	require.NoError(t, err)
	in := coaptest.New(t).Input
	in.Journal = guesttest.Journal{}
	in.Evidence = evidence.NewView(evidence.DUT, pagesOf(said, door))
	in.Resume = probe.Progress{Begun: []string{"read /setpoint", "write /setpoint"}, Finished: []string{"read /setpoint"}, Evidence: json.RawMessage(data)}
	e, _, err := guesttest.Collect(t, t.Context(), in, Probe)
	require.NoError(t, err)
	assert.Equal(t, "20", device.Value("/setpoint"))
	assert.Equal(t, evidence.Yes, e.Resources[0].Restored)
	assert.Len(t, e.Resources[0].Attempts, 2)
}

// A resource that takes writes every other time is written to once more.
func TestAThirdTry(t *testing.T) {
	t.Parallel()
	puts := 0
	moody := func(m w.Message) ([]w.Message, bool) {
		if m.Code != w.PUT || string(m.Payload) == "20" {
			return nil, false
		}
		puts++
		return []w.Message{{Type: w.Acknowledgement, Code: w.Changed, ID: m.ID, Token: m.Token}}, puts%2 == 0
	}
	device := coaptest.NewDevice(t, coaptest.Rules{First: moody, Resources: []coaptest.Resource{{Path: "/setpoint", Payload: "20", Writable: true}}})
	e, _, err := collect(t, t.Context(), coaptest.New(t), said, device.UDP())
	require.NoError(t, err)
	var changed []evidence.Tri
	for _, a := range e.Resources[0].Attempts {
		changed = append(changed, a.Changed)
	}
	assert.Equal(t, []evidence.Tri{evidence.Yes, evidence.No, evidence.Yes}, changed)
}

func TestWhatMayBeWritten(t *testing.T) {
	two := []declaration.Text{"1", "2"}
	off := guesttest.Server("", declaration.Resource{Path: "/a", TestValues: two})
	off.Services[0].Enabled = evidence.No
	var many []declaration.Resource
	for i := range maxResources + 2 {
		many = append(many, declaration.Resource{Path: declaration.Text("/" + strings.Repeat("x", i+1)), TestValues: two})
	}
	tests := []struct {
		name       string
		said       declaration.Evidence
		want, left int
	}{
		{"nothing", declaration.Evidence{}, 0, 0},
		{"without_values", guesttest.Server("", declaration.Resource{Path: "/a"}), 0, 0},
		{"switched_off", off, 0, 0},
		{"twice", guesttest.Server("", declaration.Resource{Path: "/a", TestValues: two}, declaration.Resource{Path: "/a", TestValues: two}), 1, 0},
		{"many", guesttest.Server("", many...), maxResources, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			list, left := writable(tt.said)
			assert.Len(t, list, tt.want)
			assert.Equal(t, tt.left, left)
		})
	}
	_, _, err := collect(t, t.Context(), coaptest.New(t), guesttest.Server("", many...))
	var partial *probe.Partial
	require.ErrorAs(t, err, &partial)
	assert.Equal(t, []string{`step "2 more resources"`}, partial.Missing)
}

// A run never does more than was announced.
func TestBound(t *testing.T) {
	assert.NoError(t, evidence.CheckType(Probe.Info().Evidence))
	one, most := bound(probe.Target{Open: 1}), bound(probe.Target{Open: probe.MaxOpen})
	assert.Equal(t, maxResources*(tries+4)*perTry, one.Connections)
	assert.Equal(t, maxResources*(tries*maxDoors+4), most.Logins)
}
