package coapobserve

import (
	"context"
	"fmt"
	"testing"
	"time"

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
	"github.com/assay-iot/assay/harness/probes/internal/coapwire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	app  = probe.Login{ID: "app", User: "meter", Password: "correct-key-0001"}
	keys = map[string]string{app.User: app.Password}
	// hasty is for servers of this test, which change all the time or never.
	hasty = manner{wait: 600 * time.Millisecond, tick: 20 * time.Millisecond}
)

const pin = "7Q4K-92XD-LM5R"

var said = guesttest.Server("app",
	declaration.Resource{Path: "/temp", Public: evidence.No, Observable: evidence.Yes},
	declaration.Resource{Path: "/name", Public: evidence.Yes, Observable: evidence.No})

// visitsOf are those of coap-read at these doors: a stranger, and at doors inside
// DTLS the holder as well.
func visitsOf(doors ...coapdoor.Door) coapread.Evidence {
	e := coapread.Evidence{Resources: []coapread.Resource{
		{Path: []byte(coapread.Core), Declared: evidence.No, Observable: evidence.Yes},
		{Path: []byte("/temp"), Declared: evidence.Yes}, {Path: []byte("/name"), Declared: evidence.Yes},
		{Path: []byte("/flow"), Declared: evidence.No, Observable: evidence.Yes}, {Path: []byte("/other"), Declared: evidence.No},
	}}
	for _, d := range doors {
		e.Visits = append(e.Visits, coapread.Visit{Door: d, Reader: coapread.Stranger})
		if d.Transport == coapdoor.DTLS {
			e.Visits = append(e.Visits, coapread.Visit{Door: d, Reader: coapread.Holder, Credential: "app",
				Rounds: []coapread.Round{{Entry: coapdoor.Answer{Outcome: coapdoor.Opened}}}})
		}
	}
	return e
}

func collect(t *testing.T, ctx context.Context, b *coaptest.Bench, read coapread.Evidence, m manner) (Evidence, string, error) {
	t.Helper()
	in := b.Input
	pages := guesttest.Pages(said)
	pages[coapread.Probe.Name] = evidence.Page{Value: read}
	in.Evidence = evidence.NewView(evidence.DUT, pages)
	quick := *Probe
	quick.Run = func(ctx context.Context, in probe.Input) (Evidence, error) { return observe(ctx, in, m) }
	e, data, err := guesttest.Collect(t, ctx, in, &quick)
	return e, string(data), err
}

// changing is a device whose resources change all the time.
func changing(t *testing.T, r coaptest.Rules) *coaptest.Device {
	t.Helper()
	d := coaptest.NewDevice(t, r)
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			case <-time.After(30 * time.Millisecond):
				d.Set("/temp", fmt.Sprintf(`{"n":%d,"pin":"%s"}`, n, pin))
				d.Set("/flow", fmt.Sprint(n))
			}
		}
	}()
	t.Cleanup(func() { close(stop); <-done })
	return d
}

func TestWhoIsNotified(t *testing.T) {
	t.Parallel()
	device := changing(t, coaptest.Rules{Keys: keys, Resources: []coaptest.Resource{
		{Path: "/temp", Payload: "1", Observable: true, Refuse: coapwire.Unauthorized},
		{Path: "/flow", Payload: "1", Observable: true},
	}})
	bench := coaptest.New(t, app)
	begun := time.Now()
	e, data, err := collect(t, t.Context(), bench, visitsOf(device.UDP(), device.DTLS()), hasty)
	require.NoError(t, err)
	assert.Less(t, time.Since(begun), 5*time.Second)
	require.Len(t, e.Visits, 3)
	for i, v := range e.Visits {
		require.Len(t, v.Rounds, 2)
		for _, r := range v.Rounds {
			require.Len(t, r.Resources, 2)
			temp, flow := r.Resources[0], r.Resources[1]
			assert.Equal(t, "/temp /flow", string(temp.Path)+" "+string(flow.Path))
			switch i {
			case 0: // a stranger in clear
				assert.Equal(t, evidence.No, temp.Registered)
				assert.Equal(t, coapdoor.Code("4.01"), temp.Register.Code)
				assert.Zero(t, temp.Notifications)
				assert.Positive(t, flow.Notifications)
				assert.Equal(t, coapdoor.Answered, flow.Cancel.Outcome)
				assert.Empty(t, flow.First.Payload)
				assert.Positive(t, flow.Waited)
			case 1: // a stranger at the other door
				assert.Equal(t, coapdoor.Refused, temp.Register.Outcome)
				assert.Equal(t, -1, temp.First.Sequence)
			default:
				assert.Equal(t, evidence.Yes, temp.Registered)
				assert.Positive(t, temp.Notifications)
				assert.Positive(t, flow.Notifications)
			}
		}
	}
	assert.Zero(t, device.Observers())
	assert.NotContains(t, data, pin)
	assert.NotContains(t, bench.Transcript(), pin)
	assert.Empty(t, bench.Charged(), "coap-read has shown that the log-in is good")
}

func TestNothingChanges(t *testing.T) {
	t.Parallel()
	device := coaptest.NewDevice(t, coaptest.Rules{Resources: []coaptest.Resource{{Path: "/temp", Payload: "1", Observable: true}, {Path: "/flow", Payload: "1"}}})
	e, _, err := collect(t, t.Context(), coaptest.New(t), visitsOf(device.UDP(), device.TCP()), hasty)
	require.NoError(t, err)
	for _, v := range e.Visits {
		for _, r := range v.Rounds {
			temp, flow := r.Resources[0], r.Resources[1]
			assert.Equal(t, evidence.Yes, temp.Registered)
			assert.Zero(t, temp.Notifications)
			assert.GreaterOrEqual(t, temp.Waited, hasty.wait-2*hasty.tick)
			assert.Equal(t, evidence.No, flow.Registered)
			assert.True(t, flow.Register.Success())
			assert.Equal(t, evidence.No, flow.Register.Observe)
		}
	}
	assert.Zero(t, device.Observers())
}

// Whoever ends the run, no observation is left behind.
func TestGivenBackAfterCancel(t *testing.T) {
	t.Parallel()
	device := coaptest.NewDevice(t, coaptest.Rules{Resources: []coaptest.Resource{{Path: "/temp", Payload: "1", Observable: true}}})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		for device.Observers() == 0 && ctx.Err() == nil {
			time.Sleep(time.Millisecond)
		}
		cancel()
	}()
	begun := time.Now()
	_, _, err := collect(t, ctx, coaptest.New(t), visitsOf(device.UDP()), manner{wait: time.Minute, tick: 50 * time.Millisecond})
	var partial *probe.Partial
	require.ErrorAs(t, err, &partial)
	assert.ErrorIs(t, err, context.Canceled)
	assert.Less(t, time.Since(begun), 10*time.Second)
	assert.Eventually(t, func() bool { return device.Observers() == 0 }, time.Second, time.Millisecond)
}

func TestGone(t *testing.T) {
	t.Parallel()
	far := coapdoor.Door{Addr: coaptest.Closed(t), Transport: coapdoor.UDP}
	e, _, err := collect(t, t.Context(), coaptest.New(t), visitsOf(far), hasty)
	require.NoError(t, err)
	for _, r := range e.Visits[0].Rounds {
		assert.Equal(t, coapdoor.Closed, r.Resources[0].Register.Outcome)
		assert.Equal(t, evidence.No, r.Resources[0].Registered)
	}
}

func TestTooManyResources(t *testing.T) {
	read := coapread.Evidence{}
	for i := range maxResources + 3 {
		read.Resources = append(read.Resources, coapread.Resource{Path: fmt.Appendf(nil, "/r%d", i), Observable: evidence.Yes})
	}
	_, _, err := collect(t, t.Context(), coaptest.New(t), read, hasty)
	var partial *probe.Partial
	require.ErrorAs(t, err, &partial)
	assert.Equal(t, []string{"3 more resources"}, partial.Missing)
}

// A run never does more than was announced.
func TestBound(t *testing.T) {
	assert.NoError(t, evidence.CheckType(Probe.Info().Evidence))
	one, most := bound(probe.Target{Open: 1}), bound(probe.Target{Open: probe.MaxOpen})
	assert.Equal(t, 2*rounds, one.Connections)
	assert.Equal(t, maxVisits*rounds, most.Connections)
	assert.Equal(t, maxVisits*rounds, most.Logins)
	assert.Less(t, patient.longest(), 10*time.Minute)
}

// libcoap's clock tells everybody who asks, in clear too where it has a key.
func TestAgainstLibCoAP(t *testing.T) {
	t.Parallel()
	udp, tcp, dtls := coaptest.LibCoAP(t, "-k", app.Password, "-h", "hint")
	read := visitsOf(udp, tcp, dtls)
	read.Resources = []coapread.Resource{{Path: []byte("/time"), Declared: evidence.No, Observable: evidence.Yes}}
	e, _, err := collect(t, t.Context(), coaptest.New(t, app), read, manner{wait: 8 * time.Second, tick: 50 * time.Millisecond})
	require.NoError(t, err)
	require.Len(t, e.Visits, 4)
	for _, v := range e.Visits {
		for _, r := range v.Rounds {
			if v.Door == dtls && v.Reader == coapread.Stranger {
				assert.NotEqual(t, coapdoor.Opened, r.Entry.Outcome)
				continue
			}
			assert.Equal(t, evidence.Yes, r.Resources[0].Registered, "%s as %s", v.Door.Endpoint().Name, v.Reader)
			assert.Positive(t, r.Resources[0].Notifications)
			assert.Equal(t, coapdoor.Answered, r.Resources[0].Cancel.Outcome)
		}
	}
}
