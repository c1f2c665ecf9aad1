package e2e

import (
	"bytes"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/devices"
	"github.com/assay-iot/assay/harness"
	"github.com/assay-iot/assay/harness/device"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
)

// planned is an order for all checks of a measured device.
func planned(t *testing.T, m measured, e probe.Effect) harness.Order {
	t.Helper()
	f, err := device.Read(m.File)
	require.NoError(t, err)
	o := order(asking(t, everyCheck()...), "")
	o.File, o.Effect, o.Operator = f, e, m
	return o
}

// What the plan says before the first packet is the most that reaches the
// device, as the device counts it. And a run leaves nothing behind: what the
// broker keeps for those who come later is what it kept before.
func TestThePlanIsTrue(t *testing.T) {
	t.Parallel()
	for name, effect := range map[string]probe.Effect{"door-lock-password-only": probe.Intrusive, "door-lock-hardened": probe.Disruptive} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := measure(t, devices.Spec{Name: name})
			before := m.kept(t)
			tr := conduct(t, planned(t, m, effect))
			if effect < probe.Disruptive { // a restart changes them
				assert.Equal(t, before, m.kept(t), "retained messages")
			}
			p := planOf(tr.Session)
			p.each(t, m, tr)
			p.all(t, m)
			writes := slices.ContainsFunc(m.seen(), func(l line) bool {
				return slices.ContainsFunc(l.Sent.Packets, func(p packet) bool { return p.Kind == publish })
			})
			assert.True(t, writes, "nothing was written: the test shows little%s", why(tr.Result, "mqtt.cross-publish-refused"))
		})
	}
}

// announced is what a plan says, by phase and probe.
type announced map[string]probe.Bound

func planOf(s *harness.Session) announced {
	a := announced{}
	for _, p := range s.Preview().Probes {
		if p.Allowed {
			a[p.Phase+p.Probe] = p.Bound
		}
	}
	return a
}

// each compares what every probe did with what was announced. Those that watch
// look while all others do.
func (a announced) each(t *testing.T, m measured, tr trial) {
	t.Helper()
	watch := a["identity"].Connections
	for _, rec := range tr.Result.Records {
		if watches(tr.Session, rec.Probe) {
			continue
		}
		b, ok := a[rec.Phase+rec.Probe]
		if !ok {
			assert.NotContains(t, []evidence.Status{evidence.Collected, evidence.Partial, evidence.Failed}, rec.Status, "probe %q was not announced", rec.Probe)
			continue
		}
		n := m.between(rec.Started, rec.Started.Add(rec.Took))
		assert.LessOrEqual(t, n, b.Connections+watch, "connections while probe %q ran", rec.Probe)
		assert.LessOrEqual(t, rec.Took, b.Time+settled, "time of probe %q", rec.Probe)
	}
}

// watches reports whether a probe lasts as long as the run does.
func watches(s *harness.Session, name string) bool {
	return slices.ContainsFunc(s.Plan, func(p probe.Any) bool { return p.Info().Name == name && p.Info().Kind == probe.Watch })
}

// all compares the sums, and what each account was made to bear.
func (a announced) all(t *testing.T, m measured) {
	t.Helper()
	var sum probe.Bound
	for _, b := range a {
		sum.Connections += b.Connections
		sum.Logins += b.Logins
	}
	refused := 0
	for _, n := range turnedAway(m.seen()) {
		refused += n
	}
	spares(t, m.seen())
	assert.Positive(t, refused, "no random pair was tried: the test shows nothing")
	assert.LessOrEqual(t, refused, sum.Logins, "log-ins")
	assert.LessOrEqual(t, len(m.seen()), sum.Connections, "connections")
	t.Logf("%d connections of %d, %d refused log-ins of %d", len(m.seen()), sum.Connections, refused, sum.Logins)
}

// Unless more is allowed, nothing is written to a device: it is only asked what
// any client could ask.
func TestActiveWritesNothing(t *testing.T) {
	t.Parallel()
	m := measure(t, devices.Spec{Name: "door-lock-insecure"})
	tr := conduct(t, planned(t, m, probe.Active))
	subscribed, asked := 0, 0
	for _, l := range m.seen() {
		for _, p := range l.Sent.Packets {
			assert.NotEqual(t, byte(publish), p.Kind, "a message to %q on port %d", p.Topic, l.Port)
			assert.False(t, p.Will, "a will on port %d", l.Port)
			if p.Kind == subscribe {
				subscribed++
			}
		}
		if method, _, ok := bytes.Cut(l.Sent.Start, []byte(" /")); ok {
			asked++
			assert.Contains(t, []string{"GET", "HEAD", "OPTIONS"}, string(method))
		}
	}
	assert.Positive(t, subscribed, "nothing was read: the test shows nothing")
	assert.Positive(t, asked, "no web page was asked for: the test shows nothing")
	for _, r := range tr.Result.Records {
		e, err := probe.ParseEffect(r.Effect)
		require.NoError(t, err)
		if e > probe.Active {
			assert.Contains(t, []evidence.Status{evidence.NotPermitted, evidence.NotRun}, r.Status, "probe %q", r.Probe)
		}
	}
}

// kept are the retained messages of the device's broker, as who may read all
// sees them.
func (m measured) kept(t *testing.T) map[string]string {
	t.Helper()
	password, err := m.Password("admin")
	require.NoError(t, err)
	c := mqttClient(t, m.At(8883), true, "admin", password)
	defer c.Disconnect(mqttQuiesce)
	all := retained(t, c)
	require.NotEmpty(t, all)
	return all
}
