package coapread

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/probes/internal/coapdoor"
	"github.com/assay-iot/assay/harness/probes/internal/coapdoor/coaptest"
	"github.com/assay-iot/assay/harness/probes/internal/coapguest/guesttest"
	"github.com/assay-iot/assay/harness/probes/internal/coapwire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	app  = probe.Login{ID: "app", User: "meter", Password: "correct-key-0001"}
	keys = map[string]string{app.User: app.Password}
)

const pin = "7Q4K-92XD-LM5R"

// said declares one public and one other resource.
var said = guesttest.Server("app",
	declaration.Resource{Path: "/name", Public: evidence.Yes},
	declaration.Resource{Path: "/owner", Public: evidence.No})

func collect(t *testing.T, b *coaptest.Bench, said declaration.Evidence, doors ...coapdoor.Door) (Evidence, string, error) {
	t.Helper()
	return collectIn(t, t.Context(), b, said, doors...)
}

func collectIn(t *testing.T, ctx context.Context, b *coaptest.Bench, said declaration.Evidence, doors ...coapdoor.Door) (Evidence, string, error) {
	t.Helper()
	in := b.Input
	in.Evidence = evidence.NewView(evidence.DUT, guesttest.Pages(said, doors...))
	e, data, err := guesttest.Collect(t, ctx, in, Probe)
	assert.Less(t, len(data), evidence.MaxRecord)
	return e, string(data), err
}

// paths are what is asked for, in order.
func paths(e Evidence) string {
	var all []string
	for _, r := range e.Resources {
		all = append(all, string(r.Path))
	}
	return strings.Join(all, " ")
}

// codesOf writes how each resource was taken in a round.
func codesOf(r Round) string {
	var all []string
	for _, read := range r.Reads {
		what := string(read.Get.Exchange.Code)
		if what == "" {
			what = string(read.Get.Exchange.Outcome)
		}
		all = append(all, what)
	}
	return strings.Join(all, " ")
}

func TestReadersAtTwoDoors(t *testing.T) {
	t.Parallel()
	device := coaptest.NewDevice(t, coaptest.Rules{Keys: keys, Resources: []coaptest.Resource{
		{Path: "/name", Payload: "pump 1", Observable: true, Type: "name"},
		{Path: "/owner", Payload: `{"pin":"` + pin + `"}`, Refuse: coapwire.Unauthorized},
		{Path: "/hidden", Payload: "x", Hidden: true},
	}})
	udp, dtls := device.UDP(), device.DTLS()
	bench := coaptest.New(t, app)
	e, data, err := collect(t, bench, said, udp, dtls)
	require.NoError(t, err)
	assert.Equal(t, "/.well-known/core /name /owner", paths(e))
	assert.Equal(t, Resource{Path: []byte("/name"), Declared: evidence.Yes, Listed: evidence.Yes, Observable: evidence.Yes, Type: []byte("name")}, e.Resources[1])
	require.Len(t, e.Visits, 3)
	for _, v := range e.Visits {
		require.Len(t, v.Rounds, 2)
		switch {
		case v.Door == udp:
			assert.Equal(t, Stranger, v.Reader)
			assert.Equal(t, 2, v.Listing.Links)
			for _, r := range v.Rounds {
				assert.Equal(t, "2.05 2.05 4.01", codesOf(r))
				assert.Equal(t, coapdoor.Reset, r.Before.Outcome)
				assert.Equal(t, coapdoor.Reset, r.After.Outcome)
				assert.Equal(t, coapdoor.Code("2.05"), r.Reads[1].Non.Exchange.Code)
				assert.Equal(t, evidence.No, r.Reads[1].Non.Exchange.Confirmable)
				assert.Equal(t, 28+4+8+5, r.Reads[1].Non.Exchange.Request, "UDP and IP, header, token, path")
				assert.Equal(t, 28+4+8+1+len("pump 1"), r.Reads[1].Non.Exchange.Response)
				assert.Equal(t, "pump 1", string(r.Reads[1].Get.Exchange.Payload))
			}
		case v.Reader == Stranger:
			for _, r := range v.Rounds {
				assert.Equal(t, coapdoor.Refused, r.Entry.Outcome)
				assert.Empty(t, r.Reads)
			}
		default:
			assert.Equal(t, declaration.Name("app"), v.Credential)
			for _, r := range v.Rounds {
				assert.Equal(t, "2.05 2.05 2.05", codesOf(r))
				require.Len(t, r.Reads[2].Secrets, 1)
				assert.Equal(t, evidence.SecretClass("pin"), r.Reads[2].Secrets[0].Secret.Class)
				assert.Equal(t, `{"pin":"**************"}`, string(r.Reads[2].Get.Exchange.Payload))
				assert.Equal(t, coapdoor.NotTried, r.Reads[2].Non.Exchange.Outcome)
				assert.True(t, r.Reads[2].Tells())
			}
		}
	}
	assert.NotContains(t, data, pin)
	assert.NotContains(t, bench.Transcript(), pin)
	assert.NotContains(t, bench.Transcript(), app.Password)
	assert.Equal(t, []string{app.User}, bench.Charged(), "once, and then it is known to be good")
	assert.Equal(t, coapdoor.Proven, e.Standing("app"))
	for _, m := range device.Asked() {
		assert.Equal(t, coapwire.GET, m.Code)
		assert.False(t, m.Has(coapwire.Observe))
	}
}

// Every kind of door is visited.
func TestDoors(t *testing.T) {
	t.Parallel()
	device := coaptest.NewDevice(t, coaptest.Rules{TLS: serverTLS(t), Resources: []coaptest.Resource{{Path: "/owner", Payload: "o", Refuse: coapwire.Forbidden}, {Path: "/name", Payload: "n"}}})
	doors := []coapdoor.Door{device.UDP(), device.DTLS(), device.TCP(), device.TLS(), device.WS(), device.WSS()}
	e, _, err := collect(t, coaptest.New(t), said, doors...)
	require.NoError(t, err)
	assert.Equal(t, doors, e.Doors())
	require.Len(t, e.Web, 2)
	for _, v := range e.Visits {
		for _, r := range v.Rounds {
			assert.Equal(t, "2.05 2.05 4.03", codesOf(r), v.Door.Endpoint().Name)
		}
	}
}

// An HTTP server without CoAP is no door.
func TestWebWithoutCoAP(t *testing.T) {
	t.Parallel()
	device := coaptest.NewDevice(t, coaptest.Rules{})
	web := device.TCP() // which answers no HTTP either
	web.Path = coapdoor.WellKnown
	e, _, err := collect(t, coaptest.New(t), said, web)
	require.NoError(t, err)
	require.Len(t, e.Web, 1)
	assert.NotEqual(t, coapdoor.Opened, e.Web[0].Entry.Outcome)
	assert.Empty(t, e.Visits)
}

func TestWhoHoldsWhat(t *testing.T) {
	t.Parallel()
	device := coaptest.NewDevice(t, coaptest.Rules{Keys: keys, Resources: []coaptest.Resource{{Path: "/owner", Payload: "o"}}})
	dtls := device.DTLS()
	wrong := app
	wrong.Password = "wrong-key-000001"
	tests := []struct {
		name   string
		said   declaration.Evidence
		logins []probe.Login
		visits int
		opened bool
	}{
		{"no_log_in", guesttest.Server(""), nil, 1, false},
		{"first_log_in", guesttest.Server(""), []probe.Login{app}, 2, true},
		{"named_and_not_given", guesttest.Server("other"), []probe.Login{app}, 1, false},
		{"wrong_key", guesttest.Server("app"), []probe.Login{wrong}, 2, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			bench := coaptest.New(t, tt.logins...)
			e, _, err := collect(t, bench, tt.said, dtls)
			require.NoError(t, err)
			require.Len(t, e.Visits, tt.visits)
			last := e.Visits[len(e.Visits)-1]
			assert.Equal(t, tt.opened, last.Rounds[0].Entry.Outcome == coapdoor.Opened)
			assert.LessOrEqual(t, len(bench.Charged()), 3)
			assert.NotContains(t, bench.Transcript(), "-key-00")
		})
	}
}

func TestOurOwnTroubleIsNamed(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	device := coaptest.NewDevice(t, coaptest.Rules{Resources: []coaptest.Resource{{Path: "/a", Payload: "a", Separate: true}}, First: func(m coapwire.Message) ([]coapwire.Message, bool) {
		if m.Path() == "/a" {
			cancel()
		}
		return nil, false
	}})
	e, _, err := collectIn(t, ctx, coaptest.New(t), declaration.Evidence{}, device.UDP())
	var partial *probe.Partial
	require.ErrorAs(t, err, &partial)
	assert.ErrorIs(t, err, context.Canceled)
	require.Len(t, partial.Missing, 1)
	require.Len(t, e.Visits, 1)
	assert.LessOrEqual(t, len(e.Visits[0].Rounds), 1)

	far := coapdoor.Door{Addr: coaptest.Closed(t), Transport: coapdoor.UDP}
	e, _, err = collect(t, coaptest.New(t), said, far)
	require.NoError(t, err, "that nobody listens is the device's doing")
	assert.Equal(t, "closed closed closed", codesOf(e.Visits[0].Rounds[0]))
}

func TestMoreThanASmallDeviceHas(t *testing.T) {
	t.Parallel()
	var many []coaptest.Resource
	for i := range 60 {
		many = append(many, coaptest.Resource{Path: "/r" + strings.Repeat("x", i+1), Payload: "v"})
	}
	many = append(many, coaptest.Resource{Path: "/" + strings.Repeat("y", maxPath), Payload: "v"})
	device := coaptest.NewDevice(t, coaptest.Rules{Resources: many})
	var doors []coapdoor.Door
	for range maxDoors + 2 {
		doors = append(doors, device.UDP())
	}
	e, _, err := collect(t, coaptest.New(t), said, doors...)
	var partial *probe.Partial
	require.ErrorAs(t, err, &partial)
	assert.Equal(t, []string{"2 more doors", "16 more resources"}, partial.Missing)
	assert.Len(t, e.Visits, maxDoors)
	assert.Len(t, e.Resources, maxResources)
}

// Who is too slow to be asked for everything has been asked for a part.
func TestTimeRunsOut(t *testing.T) {
	t.Parallel()
	device := coaptest.NewDevice(t, coaptest.Rules{Resources: []coaptest.Resource{{Path: "/a", Payload: "a"}, {Path: "/b", Payload: "b"}}})
	door := device.UDP()
	in := coaptest.New(t).Input
	in.Evidence = evidence.NewView(evidence.DUT, guesttest.Pages(said, door))
	hasty := *Probe
	hasty.Run = func(ctx context.Context, in probe.Input) (Evidence, error) {
		return (&visitors{in: in, limit: time.Microsecond}).run(ctx)
	}
	e, _, err := guesttest.Collect(t, t.Context(), in, &hasty)
	var partial *probe.Partial
	require.ErrorAs(t, err, &partial)
	assert.ErrorIs(t, err, errSlow)
	for _, r := range e.Visits[0].Rounds {
		assert.Empty(t, r.Reads)
	}
}

// A run never does more than was announced.
func TestBound(t *testing.T) {
	assert.NoError(t, evidence.CheckType(Probe.Info().Evidence))
	one, most := bound(probe.Target{Open: 1}), bound(probe.Target{Open: probe.MaxOpen})
	assert.Equal(t, readers*rounds*maxEntries+readers+1, one.Connections)
	assert.Equal(t, readers*rounds, one.Logins)
	assert.Equal(t, maxDoors*readers*(rounds*maxEntries+1)+probe.MaxOpen, most.Connections)
	assert.Less(t, most.Time, 2*time.Hour)
}
