package coapcredentials

import (
	"context"
	"crypto/rand"

	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/probes/internal/account"
	"github.com/assay-iot/assay/harness/probes/internal/dtlsdoor"
	"github.com/assay-iot/assay/harness/probes/tlsserver"
)

// controlEvery is after how many tries of a door the control is asked whether it
// is still let in.
const controlEvery = 4

// A visit is one door in the course of a round.
type visit struct {
	Door
	in      probe.Input
	opts    options
	suites  []uint16
	control *account.Account // nil if there is none
	spent   map[string]bool  // identities that cannot be tried any more
}

// all tries everything at one door.
func (v *visit) all(ctx context.Context, list []probe.Login) error {
	v.Before, v.After = untried(), untried()
	if v.Stopped != GoneThrough {
		return nil
	}
	if err := v.begin(ctx); err != nil || v.Stopped != GoneThrough {
		return err
	}
	for i, pair := range list {
		if err := v.try(ctx, i+1, pair); err != nil {
			return err
		}
		if len(v.Tries)%controlEvery == 0 {
			if err := v.still(ctx); err != nil {
				return err
			}
		}
		if v.Stopped != GoneThrough {
			return nil
		}
	}
	return v.end(ctx)
}

// begin asks the controls: the declared pair, and random ones.
func (v *visit) begin(ctx context.Context) (err error) {
	if v.control != nil {
		v.Credential = declaration.Name(v.control.ID())
		if v.Before, err = v.declared(ctx); err != nil {
			return err
		}
	}
	for len(v.Random) < 2 || len(v.Random) < mostRandom && v.Random[0].Outcome != v.Random[1].Outcome {
		answer, err := v.open(ctx, probe.Login{User: rand.Text(), Password: rand.Text()}, true)
		if err != nil {
			return err
		}
		v.Random = append(v.Random, answer)
	}
	v.Stopped = v.pointless()
	return nil
}

// pointless says why a pair could show nothing at this door. Where every wrong
// pair is met by silence, a good one may still be let in.
func (v *visit) pointless() Stop {
	in, gone := 0, 0
	for _, a := range v.Random {
		switch a.Outcome {
		case Accepted, Unproven:
			in++
		case Closed:
			gone++
		}
	}
	switch {
	case in > 0:
		return TakesAnyPair
	case gone == len(v.Random):
		return NobodyThere
	}
	return GoneThrough
}

// try tries one pair, again if that was lost, and again if it was let in.
func (v *visit) try(ctx context.Context, place int, pair probe.Login) (err error) {
	t := Try{Place: place, Identity: IdentityName(pair.User), Again: untried()}
	if t.First, err = v.charged(ctx, pair); err != nil {
		return err
	}
	if lost(t.First) {
		t.Lost++
		second, err := v.charged(ctx, pair)
		if err != nil {
			return err
		}
		if second.Outcome != NotTried {
			t.First = second
		}
	}
	if t.First.Outcome == Accepted { // what was let in costs nothing any more
		if t.Again, err = v.open(ctx, pair, false); err != nil {
			return err
		}
	}
	v.Tries = append(v.Tries, t)
	return nil
}

// charged tries a pair as long as its identity can bear it.
func (v *visit) charged(ctx context.Context, pair probe.Login) (Answer, error) {
	if v.spent[pair.User] {
		return untried(), nil
	}
	answer, err := v.open(ctx, pair, true)
	v.spent[pair.User] = err == nil && answer.Outcome == NotTried
	return answer, err
}

// lost reports whether a try was answered in no way that says anything of the
// pair.
func lost(a Answer) bool {
	switch a.Outcome {
	case Accepted, Refused, NotTried:
		return false
	}
	return true
}

// still asks whether the declared pair is let in after some tries.
func (v *visit) still(ctx context.Context) error {
	if v.control == nil || v.Before.Outcome != Accepted {
		return nil
	}
	answer, err := v.declared(ctx)
	if err == nil && answer.Outcome != Accepted {
		v.Stopped, v.After = ControlLost, answer
	}
	return err
}

// end asks the control once more.
func (v *visit) end(ctx context.Context) (err error) {
	if v.Before.Outcome == Accepted {
		v.After, err = v.declared(ctx)
	}
	return err
}

// declared knocks with the declared pair.
func (v *visit) declared(ctx context.Context) (Answer, error) {
	answer := untried()
	_, err := v.control.Use(func(login *probe.Login, charge bool) (account.Taken, error) {
		var err error
		answer, err = v.open(ctx, *login, charge)
		return taken[answer.Outcome], err
	})
	return answer, err
}

// taken is what an answer says of a declared pair.
var taken = map[Outcome]account.Taken{
	Accepted: account.In, Unproven: account.In, Refused: account.Out, NotTried: account.Spent,
	Silent: account.Unclear, Closed: account.Unclear, Malformed: account.Unclear,
}

// open shakes hands with a pair and asks something inside.
func (v *visit) open(ctx context.Context, pair probe.Login, charge bool) (Answer, error) {
	session, met, err := dtlsdoor.Open(ctx, v.in, v.Addr, dtlsdoor.Client{Login: &pair, Charge: charge, Suites: v.suites, Patience: v.opts.patience})
	if err != nil {
		return untried(), err
	}
	a := Answer{Outcome: outcomes[met.Outcome], Alert: met.Alert, Suite: tlsserver.Code(met.Suite), Span: met.Span}
	if session == nil {
		return a, nil
	}
	a.Inside, err = prove(ctx, session)
	a.Span = session.Below()
	if closing := session.Close(); err == nil {
		err = closing
	}
	if a.Outcome = Unproven; a.Inside != None {
		a.Outcome = Accepted
	}
	return a, err
}

var outcomes = map[dtlsdoor.Outcome]Outcome{
	dtlsdoor.NotTried: NotTried, dtlsdoor.Refused: Refused, dtlsdoor.Silent: Silent,
	dtlsdoor.Closed: Closed, dtlsdoor.Strange: Malformed,
}

func untried() Answer { return Answer{Outcome: NotTried, Alert: -1} }
