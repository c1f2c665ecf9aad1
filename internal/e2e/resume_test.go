package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/devices"
	"github.com/assay-iot/assay/harness"
	"github.com/assay-iot/assay/harness/checks"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/result"
	"github.com/assay-iot/assay/harness/verdict"
)

const (
	// journeys are runs that are killed, each once.
	journeys = 20
	// kills is how many of them have to be killed before their end.
	kills = 15
	// alike is how many of them have to end in just the verdicts of a run that
	// nobody killed: a kill amid log-ins may cost what is left of the budget.
	alike = 12
	// spare is the budget of log-ins for an account.
	spare = 3
)

// restarting is the check whose probe cuts the power.
const restarting = "resilience.posture-kept-after-restart"

// askedOfTheKilled are checks whose probes count log-ins and cut the power. They
// look at the device's own ports alone, which leaves open whether
// there are others.
var (
	askedOfTheKilled = append(slices.Clone(askedByLogIn), "exposure.telnet-absent", restarting)
	askedByLogIn     = []string{"mqtt.anonymous-refused", "credentials.random-refused", "credentials.mqtt-defaults-refused"}
)

// A run that is killed at any moment goes on as if nothing had been: what was
// finished stays as it was, the verdicts are those of a run that nobody
// killed, no account is tried more often, and the device has its power back.
func TestKilledAndResumed(t *testing.T) {
	t.Parallel()
	whole := newJourney(t)
	whole.finish(t)
	lines := whole.lines(t)
	want := whole.verdicts(t)
	whole.keptPosture(t)
	t.Logf("the journal of a run has %d lines", lines)
	var killed, same atomic.Int64
	t.Run("killed", func(t *testing.T) {
		for i := range journeys {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				t.Parallel()
				j := newJourney(t)
				chance := rand.New(rand.NewPCG(20, uint64(i)))
				if j.killAt(t, chance.IntN(lines), time.Duration(chance.Int64N(int64(lag)))) {
					killed.Add(1)
				}
				j.finish(t)
				if j.compare(t, want) {
					same.Add(1)
				}
			})
		}
	})
	t.Logf("%d runs were killed before their end, %d ended as if nobody had", killed.Load(), same.Load())
	assert.GreaterOrEqual(t, killed.Load(), int64(kills), "kills that came before the end")
	assert.GreaterOrEqual(t, same.Load(), int64(alike), "runs with the same verdicts")
}

// A run that is killed while the device has no power gives it back when it goes
// on, whether or not it had asked for that.
func TestKilledInTheDark(t *testing.T) {
	t.Parallel()
	for _, last := range []bool{false, true} {
		t.Run(fmt.Sprintf("switched_to_%t", last), func(t *testing.T) {
			t.Parallel()
			j := newJourney(t)
			cmd, said := j.child(t)
			require.NoError(t, cmd.Start())
			for <-j.device.switched != last {
			}
			require.NoError(t, cmd.Process.Kill())
			require.Error(t, cmd.Wait())
			require.Empty(t, said.String())
			j.nothingLost(t)
			assert.Equal(t, last, j.on(), "the device has power")
			j.finish(t)
			j.keptPosture(t)
		})
	}
}

// A journey is one run with its device.
type journey struct {
	device measured
	job    childJob
	kept   []byte // complete lines of the journal, when the run was killed last
}

func newJourney(t *testing.T) *journey {
	t.Helper()
	d := measure(t, devices.Spec{Name: "door-lock-hardened"})
	var ports []string
	for port := range d.ports() {
		ports = append(ports, fmt.Sprint(port))
	}
	return &journey{device: d, job: childJob{
		File: d.File, Dir: t.TempDir(), Socket: d.socket(t), Ports: strings.Join(ports, ","), Checks: askedOfTheKilled,
	}}
}

// compare reports whether the verdicts are those of a run that nobody killed.
// The budget of log-ins is that of the whole run, kills included: where it was
// spent, a verdict that rests on log-ins is open, and no verdict is another one.
func (j *journey) compare(t *testing.T, want map[string]verdict.Verdict) bool {
	t.Helper()
	got, spent := j.verdicts(t), j.spent(t)
	for what, v := range want {
		id, _, _ := strings.Cut(what, " ")
		open := spent && got[what] == inconclusive && slices.Contains(askedByLogIn, id)
		if got[what] != v && !open {
			t.Errorf("%s = %q, want %q%s", what, got[what], v, why(j.result(t), id))
		}
	}
	assert.Len(t, got, len(want), "items")
	return maps.Equal(got, want)
}

// spent reports whether a log-in was left out because its account had no try
// left.
func (j *journey) spent(t *testing.T) bool {
	t.Helper()
	return slices.ContainsFunc(reread(t, j.job.bundle()).Log, func(r evidence.Record) bool {
		return bytes.Contains(r.Data, []byte(`"budget_spent"`))
	})
}

// keptPosture sees to it that the power was cut and came back, for the device to
// be found as it was.
func (j *journey) keptPosture(t *testing.T) {
	t.Helper()
	got := j.verdicts(t)
	for port := range j.device.ports() {
		what := fmt.Sprintf("%s tcp/%d", restarting, port)
		require.Equal(t, pass, got[what], "%s%s", what, why(j.result(t), restarting))
	}
}

// child prepares a process for the job.
func (j *journey) child(t *testing.T) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	job, err := json.Marshal(j.job)
	require.NoError(t, err)
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), childEnv+"="+string(job))
	var said bytes.Buffer
	cmd.Stderr = &said
	return cmd, &said
}

// lines are those of the journal, none as long as there is no journal.
func (j *journey) lines(t *testing.T) int {
	t.Helper()
	b, err := os.ReadFile(j.job.log())
	if !os.IsNotExist(err) {
		require.NoError(t, err)
	}
	return bytes.Count(b, []byte{'\n'})
}

const (
	// lag is how long after a line of the journal a run is killed, at the
	// most: what a line announces takes about as long.
	lag = 30 * time.Millisecond
	// lookForLines is how often the journal is looked at.
	lookForLines = time.Millisecond
)

// killAt kills the run a moment after the journal has so many lines. It reports
// whether the run had not come to its end.
func (j *journey) killAt(t *testing.T, lines int, after time.Duration) bool {
	t.Helper()
	cmd, said := j.child(t)
	require.NoError(t, cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	var err error
	for waiting := true; waiting; {
		select {
		case err = <-ended:
			waiting = false
		case <-time.After(lookForLines):
			if j.lines(t) < lines {
				continue
			}
			time.Sleep(after)
			_ = cmd.Process.Kill() // unless it has ended
			err = <-ended
			waiting = false
		}
	}
	require.Empty(t, said.String())
	j.nothingLost(t)
	return err != nil
}

// finish lets the run come to its end.
func (j *journey) finish(t *testing.T) {
	t.Helper()
	if _, err := os.Stat(j.job.bundle()); err != nil {
		cmd, said := j.child(t)
		require.NoError(t, cmd.Run(), "%s", said)
	}
	j.nothingLost(t)
	require.True(t, j.on(), "the device was left without power")
	spares(t, j.device.seen())
}

// nothingLost sees to it that all that the journal held at the last kill is in
// it still, byte for byte and in its place: a record that was taken twice, or
// was put in place of another, would not be.
func (j *journey) nothingLost(t *testing.T) {
	t.Helper()
	now, err := os.ReadFile(j.job.log())
	if os.IsNotExist(err) && j.kept == nil {
		return // it was killed before it began
	}
	require.NoError(t, err)
	require.True(t, bytes.HasPrefix(now, j.kept), "what was kept is not there any more")
	j.kept = now[:bytes.LastIndexByte(now, '\n')+1]
}

// on reports whether the device answers.
func (j *journey) on() bool {
	for _, addr := range j.device.TCP() {
		c, err := net.Dial("tcp", addr.String())
		if err != nil {
			return false
		}
		c.Close()
	}
	return true
}

// spares sees to it that a device that locks accounts, as it counts, would have
// locked none: an account that nothing is known of is tried as often as the
// budget allows, and one that is known to be good is refused no more often
// between two log-ins that are accepted.
func spares(t *testing.T, lines []line) {
	t.Helper()
	inARow := map[string]int{}
	for _, l := range lines {
		for _, p := range l.Sent.Packets {
			switch {
			case p.Kind != connect || p.User == "":
			case letInAt(l):
				inARow[p.User] = 0
			default:
				inARow[p.User]++
				assert.LessOrEqual(t, inARow[p.User], spare, "log-ins as %q that the device refused", p.User)
			}
		}
	}
}

// turnedAway counts the log-ins that were not accepted, by user.
func turnedAway(lines []line) map[string]int {
	n := map[string]int{}
	for _, l := range lines {
		for _, p := range l.Sent.Packets {
			if p.Kind == connect && p.User != "" && !letInAt(l) {
				n[p.User]++
			}
		}
	}
	return n
}

// letInAt reports whether the device accepted the client of a connection.
func letInAt(l line) bool {
	for _, p := range l.Received.Packets {
		if p.Kind == connAck && p.Code == 0 {
			return true
		}
	}
	return false
}

func (j *journey) result(t *testing.T) result.Result {
	t.Helper()
	r := harness.Judge(reread(t, j.job.bundle()), profilesOf(asking(t, j.job.Checks...)), checks.ByID())
	require.Empty(t, r.Defects)
	return r
}

// verdicts are those of the checks and of each of their items.
func (j *journey) verdicts(t *testing.T) map[string]verdict.Verdict {
	t.Helper()
	all := map[string]verdict.Verdict{}
	for _, d := range j.result(t).Decisions {
		all[d.Check] = d.Verdict
		for _, i := range d.Items {
			all[d.Check+" "+i.Key] = i.Verdict
		}
	}
	return all
}
