package mqttread

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/probes/internal/mqttdoor"
	"github.com/assay-iot/assay/harness/probes/internal/secretpattern"
	"github.com/assay-iot/assay/harness/probes/mqttconnect"
	"github.com/assay-iot/assay/harness/transport"
	"github.com/assay-iot/assay/harness/verdict"
)

// Probe subscribes to everything at each door, reads and unsubscribes. It
// publishes nothing.
var Probe = &probe.Probe[Evidence]{
	Name:    "mqtt-read",
	Version: 1,
	Doc:     "what each MQTT listener tells those whom it lets in",
	Effect:  probe.Active,
	Basis:   verdict.Tested,
	Needs:   []probe.Any{mqttconnect.Probe, declaration.Probe},
	Bound:   bound,
	Run:     run,
}

const (
	// maxDoors bounds how many doors are read: a small device has one broker
	// with a few. The others are named as missing.
	maxDoors = 16
	// readers at a door, each with two looks of a connection a filter.
	readers, looks, filters = 3, 2, 3
	// benchReaders is how many read side by side on a bench.
	benchReaders = 12
)

func bound(t probe.Target) probe.Bound {
	n := looks * readers * min(maxDoors, mqttdoor.Most(t))
	pause := time.Duration(0)
	if t.PerSecond > 0 {
		pause = filters * time.Second / time.Duration(t.PerSecond)
	}
	return probe.Bound{Time: time.Duration(n+1) * (patient.longest() + pause), Connections: filters * n, Logins: filters * n}
}

func run(ctx context.Context, in probe.Input) (Evidence, error) {
	return readAll(ctx, in, mannerOf(in.Target.Pace))
}

func readAll(ctx context.Context, in probe.Input, m manner) (Evidence, error) {
	doors := mqttconnect.Probe.From(in.Evidence).Doors
	guests := newGuests(in, m)
	var jobs []*job
	for _, d := range doors[:min(len(doors), maxDoors)] {
		jobs = append(jobs, guests.at(d.Way)...)
	}
	width := 1
	if transport.LimitsOf(in.Target.Pace).AtOnce > 1 {
		width = benchReaders
	}
	sideBySide(jobs, width, func(j *job) { j.err = j.read(ctx, in) })
	return gather(jobs, doors)
}

// sideBySide does each job, up to width at a time.
func sideBySide(jobs []*job, width int, do func(*job)) {
	turns := make(chan struct{}, width)
	var all sync.WaitGroup
	for _, j := range jobs {
		turns <- struct{}{}
		all.Go(func() {
			do(j)
			<-turns
		})
	}
	all.Wait()
}

// gather keeps what was read and names what was not.
func gather(jobs []*job, doors []mqttconnect.Door) (Evidence, error) {
	e := Evidence{Patterns: secretpattern.Version}
	var p probe.Partial
	for _, j := range jobs {
		if j.err == nil {
			e.Readings = append(e.Readings, j.Reading)
			continue
		}
		name := fmt.Sprintf("%s as %s", j.Way.Endpoint().Name, j.Reader)
		p.Missing = append(p.Missing, name)
		p.Cause = fmt.Errorf("%s: %w", name, j.err)
	}
	if more := len(doors) - maxDoors; more > 0 {
		p.Missing = append(p.Missing, fmt.Sprintf("%d more doors", more))
		p.Cause = fmt.Errorf("more than %d doors", maxDoors)
	}
	if p.Cause != nil {
		return e, &p
	}
	return e, nil
}

// guests are the readers that the device file allows.
type guests struct {
	manner   manner
	said     declaration.Evidence
	accounts []*mqttdoor.Account
}

func newGuests(in probe.Input, m manner) guests {
	g := guests{manner: m, said: declaration.Probe.From(in.Evidence)}
	known := mqttconnect.Probe.From(in.Evidence)
	for _, login := range in.Logins.For("mqtt") {
		g.accounts = append(g.accounts, mqttdoor.NewAccount(login, known.Standing(login.ID)))
	}
	return g
}

// at returns what is to be read at a door.
func (g guests) at(way Way) []*job {
	jobs := []*job{g.job(way, Stranger, nil)}
	all := g.said.Broker(way.Addr.Port()).ReadsAll
	for _, a := range g.accounts {
		if declaration.Name(a.ID()) != all && a.Standing() != mqttdoor.Spoilt {
			jobs = append(jobs, g.job(way, Member, a))
			break
		}
	}
	for _, a := range g.accounts {
		if declaration.Name(a.ID()) == all {
			jobs = append(jobs, g.job(way, ReadsAll, a))
			break
		}
	}
	return jobs
}

func (g guests) job(way Way, who Reader, a *mqttdoor.Account) *job {
	j := &job{Reading: Reading{Way: way, Reader: who}, account: a, manner: g.manner}
	if a != nil {
		j.Credential = declaration.Name(a.ID())
	}
	return j
}

// job is one reading to be made.
type job struct {
	Reading
	account *mqttdoor.Account // nil for a stranger
	manner  manner
	err     error
}

// read looks once, and again if that brought a message.
func (j *job) read(ctx context.Context, in probe.Input) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	first, err := j.look(ctx, in, nil)
	if err != nil {
		return err
	}
	j.Looks = append(j.Looks, first)
	if len(first.Messages) == 0 {
		return nil
	}
	second, err := j.look(ctx, in, first.Messages)
	j.Looks = append(j.Looks, second)
	return err
}
