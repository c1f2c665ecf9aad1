package credentials

import (
	"context"
	"slices"
	"time"

	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/probes/internal/mqttdoor"
	"github.com/assay-iot/assay/harness/probes/internal/mqttwire"
)

const (
	// controlEvery is after how many tries of a door the control is asked
	// whether it is still let in.
	controlEvery = 4
	// slow is from when on a longer and longer refusal counts as one that
	// slows guessing down, and not as the noise of a network.
	slow = 3 * time.Second
	// slower is how many times longer than the first refusal that is.
	slower = 4
	// inARow is how many slow refusals in a row are no coincidence any more.
	inARow = 2
)

// A round goes through the list, pair by pair and for each of them from door to
// door: so the few tries that an account can bear are spread over the doors.
type round struct {
	in      probe.Input
	control *mqttdoor.Account // nil if there is none
	visits  []*visit
	spent   map[string]bool // accounts that cannot be tried any more
}

// A visit is one door in the course of it.
type visit struct {
	Door
	err   error         // ours: the door is left out
	first time.Duration // of the first refusal
	slow  int           // slow refusals in a row
}

// all does something at each door that is not given up.
func (r *round) all(ctx context.Context, do func(context.Context, *visit) error) {
	for _, v := range r.visits {
		if v.err == nil {
			v.err = do(ctx, v)
		}
	}
}

// begin asks the controls of a door.
func (r *round) begin(ctx context.Context, v *visit) (err error) {
	no := mqttdoor.Untried(mqttdoor.NoCredential)
	v.Before, v.After = no, no
	if r.control != nil {
		v.Credential = declaration.Name(r.control.ID())
		if v.Before, err = r.control.Try(ctx, r.in, v.Way); err != nil {
			return err
		}
	}
	if v.Anonymous, err = mqttdoor.Try(ctx, r.in, v.Way, mqttdoor.Client{}); err != nil {
		return err
	}
	if v.Before.Outcome != mqttdoor.Accepted && !answered(v.Anonymous) {
		v.Stopped = NoAnswer // a random pair would bring no more
		return nil
	}
	for v.needsRandom() {
		login := mqttdoor.RandomLogin()
		answer, err := mqttdoor.Try(ctx, r.in, v.Way, mqttdoor.Client{Login: &login, Charge: true})
		if err != nil {
			return err
		}
		v.Random = append(v.Random, answer)
	}
	v.Stopped = v.pointless()
	return nil
}

func (v *visit) needsRandom() bool {
	n := len(v.Random)
	return n < 2 || n < mostRandom && v.Random[0].Outcome != v.Random[1].Outcome
}

// pointless says why a pair could show nothing at this door.
func (v *visit) pointless() Stop {
	answers := append([]mqttdoor.Answer{v.Anonymous, v.Before}, v.Random...)
	has := func(o mqttdoor.Outcome) bool {
		return slices.ContainsFunc(v.Random, func(a mqttdoor.Answer) bool { return a.Outcome == o })
	}
	switch {
	case v.Anonymous.Outcome == mqttdoor.Accepted:
		return LetsAllIn
	case has(mqttdoor.Accepted):
		return TakesAnyPair
	case !slices.ContainsFunc(answers, func(a mqttdoor.Answer) bool { return !a.UnknownVersion() && a.Outcome != mqttdoor.NotTried }):
		return NoVersion
	case !slices.ContainsFunc(answers, answered):
		return NoAnswer
	}
	return GoneThrough
}

// answered reports whether a client was answered, if only by being hung up on.
func answered(a mqttdoor.Answer) bool { return a.Code >= 0 || a.Outcome == mqttdoor.Closed }

// pair tries one pair at the doors. Each pair begins at another one.
func (r *round) pair(ctx context.Context, place int, pair probe.Login) {
	for i := range r.visits {
		v := r.visits[(place+i)%len(r.visits)]
		if v.err == nil && v.Stopped == GoneThrough {
			v.err = r.try(ctx, v, place+1, pair)
		}
	}
}

// try tries one pair at one door, again if that was lost, and again if it was
// let in.
func (r *round) try(ctx context.Context, v *visit, place int, pair probe.Login) (err error) {
	t := Try{Place: place, User: UserName(pair.User), Again: mqttdoor.Untried(mqttdoor.NotNeeded)}
	begun := time.Now()
	if t.First, err = r.charged(ctx, v.Way, pair); err != nil {
		return err
	}
	took := time.Since(begun)
	if lost(t.First) {
		t.Lost++
		if t.First, err = r.charged(ctx, v.Way, pair); err != nil {
			return err
		}
	}
	if t.First.Outcome == mqttdoor.Accepted {
		// What was let in costs nothing any more.
		if t.Again, err = mqttdoor.Try(ctx, r.in, v.Way, mqttdoor.Client{Login: &pair, Listed: true}); err != nil {
			return err
		}
	}
	v.Tries = append(v.Tries, t)
	return r.watch(ctx, v, t, took)
}

// charged tries a pair as long as its account can bear it.
func (r *round) charged(ctx context.Context, way mqttdoor.Door, pair probe.Login) (mqttdoor.Answer, error) {
	if r.spent[pair.User] {
		return mqttdoor.Untried(mqttdoor.BudgetSpent), nil
	}
	answer, err := mqttdoor.Try(ctx, r.in, way, mqttdoor.Client{Login: &pair, Listed: true, Charge: true})
	r.spent[pair.User] = answer.Reason == mqttdoor.BudgetSpent
	return answer, err
}

// lost reports whether a try was answered in no way that says anything of the
// pair.
func lost(a mqttdoor.Answer) bool {
	switch a.Outcome {
	case mqttdoor.Accepted, mqttdoor.Refused, mqttdoor.Closed, mqttdoor.NotTried:
		return false
	}
	return !locking(a)
}

// locking reports whether a door says that it turns us away for what we do.
func locking(a mqttdoor.Answer) bool {
	codes := []mqttwire.Code{mqttwire.Banned, mqttwire.QuotaExceeded, mqttwire.ConnectionRateExceeded}
	return a.Answers == mqttdoor.V5 && slices.Contains(codes, mqttwire.Code(a.Code))
}

// watch looks for signs that an account is about to be locked.
func (r *round) watch(ctx context.Context, v *visit, t Try, took time.Duration) error {
	if t.First.Outcome == mqttdoor.NotTried {
		return nil
	}
	v.time(took)
	switch {
	case locking(t.First):
		v.Stopped = Locks
	case t.Lost > 0 && lost(t.First):
		v.Stopped = NoAnswer
	case v.slow >= inARow:
		v.Stopped = Slower
	}
	if r.control == nil || v.Before.Outcome != mqttdoor.Accepted || len(v.Tries)%controlEvery != 0 || v.Stopped != GoneThrough {
		return nil
	}
	answer, err := r.control.Try(ctx, r.in, v.Way)
	if err == nil && answer.Outcome != mqttdoor.Accepted {
		v.Stopped, v.After = ControlLost, answer
	}
	return err
}

// time compares an answer with the first one.
func (v *visit) time(took time.Duration) {
	switch {
	case v.first == 0:
		v.first = took
	case took > slow && took > slower*v.first:
		v.slow++
	default:
		v.slow = 0
	}
}

// end asks the control once more.
func (r *round) end(ctx context.Context, v *visit) (err error) {
	if v.Before.Outcome == mqttdoor.Accepted && v.Stopped != ControlLost {
		v.After, err = r.control.Try(ctx, r.in, v.Way)
	}
	return err
}
