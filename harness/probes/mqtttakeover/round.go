package mqtttakeover

import (
	"context"
	"time"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/internal/mqttdoor"
	"github.com/assay-iot/assay/harness/transport"
)

const (
	// stay bounds A's session: longer than a round takes.
	stay = 120 * time.Second
	// patience bounds the answer to one ping.
	patience = 5 * time.Second
	// settle is what a broker may take to end the session that was taken over
	// after it let the new one in.
	settle = 300 * time.Millisecond
)

// A round is one while it takes place.
type round struct {
	Round
	in   probe.Input
	door mqttdoor.Door
	a    *mqttdoor.Account
	b    *mqttdoor.Account // nil if there is none
	id   string            // the canary

	session *mqttdoor.Session // of A, nil while there is none
}

// knock is how somebody comes with the canary.
type knock func(context.Context) (*mqttdoor.Session, mqttdoor.Answer, error)

// run makes the attempts. Its error says nothing about the device.
func (r *round) run(ctx context.Context) error {
	r.id = mqttdoor.ClientID()
	r.untried()
	defer r.end()
	if err := r.enter(ctx); err != nil || r.session == nil {
		return err
	}
	beside := transport.Beside(ctx)
	if err := r.elsewhere(beside); err != nil {
		return err
	}
	random := mqttdoor.RandomLogin()
	for _, t := range []struct {
		to  *Attempt
		who knock
	}{
		{&r.B, r.account(r.b)},
		{&r.Random, r.client(mqttdoor.Client{Login: &random, Charge: true})},
		{&r.Anonymous, r.client(mqttdoor.Client{})},
		{&r.Own, r.account(r.a)},
	} {
		if goOn, err := r.attempt(beside, t.who, t.to); err != nil || !goOn {
			return err
		}
	}
	return nil
}

// untried is what stands where a round ended early.
func (r *round) untried() {
	no := mqttdoor.Untried(mqttdoor.NotNeeded)
	r.BElsewhere = no
	for _, a := range []*Attempt{&r.B, &r.Random, &r.Anonymous, &r.Own} {
		a.Connection = no
	}
	if r.b == nil {
		r.BElsewhere = mqttdoor.Untried(mqttdoor.NoCredential)
		r.B.Connection = r.BElsewhere
	}
}

// client is somebody who comes with the canary.
func (r *round) client(c mqttdoor.Client) knock {
	c.ID, c.Stay = r.id, settle+2*patience
	return func(ctx context.Context) (*mqttdoor.Session, mqttdoor.Answer, error) {
		return mqttdoor.Open(ctx, r.in, r.door, c)
	}
}

// account is the holder of a log-in who comes with the canary, nil for nobody.
// A refusal then is about the canary, not about the log-in, which was accepted
// just before.
func (r *round) account(a *mqttdoor.Account) knock {
	if a == nil {
		return nil
	}
	return func(ctx context.Context) (*mqttdoor.Session, mqttdoor.Answer, error) {
		return a.OpenAside(ctx, r.in, r.door, mqttdoor.Client{ID: r.id, Stay: settle + 2*patience})
	}
}

// enter opens A's session for the first time.
func (r *round) enter(ctx context.Context) (err error) {
	r.session, r.A, err = r.a.Open(ctx, r.in, r.door, mqttdoor.Client{ID: r.id, Stay: stay})
	return err
}

// elsewhere shows that B is somebody whom the broker knows.
func (r *round) elsewhere(ctx context.Context) (err error) {
	if r.b != nil {
		r.BElsewhere, err = r.b.Try(ctx, r.in, r.door)
	}
	return err
}

// attempt lets somebody come with the canary, and looks at A's session before
// and after. Where that cannot be told, the round is over.
func (r *round) attempt(ctx context.Context, who knock, to *Attempt) (goOn bool, err error) {
	if who == nil {
		return true, nil
	}
	before, err := r.back(ctx)
	if err != nil || before != evidence.Yes {
		return false, err
	}
	other, answer, err := who(ctx)
	if other != nil {
		defer other.Close()
	}
	if to.Connection = answer; err != nil || answer.Outcome == mqttdoor.NotTried {
		return err == nil, err
	}
	to.Held, err = r.held(ctx)
	to.Span = r.session.Conn.Span()
	if to.Held == evidence.No {
		r.end()
	}
	return to.Held != evidence.Unknown, err
}

// back sees to it that A's session is there.
func (r *round) back(ctx context.Context) (evidence.Tri, error) {
	if r.session == nil {
		var err error
		if r.session, _, err = r.a.Open(ctx, r.in, r.door, mqttdoor.Client{ID: r.id, Stay: stay}); err != nil || r.session == nil {
			return evidence.No, err
		}
	}
	return r.ping(ctx)
}

// held pings twice, because a broker may answer once more before it hangs up.
func (r *round) held(ctx context.Context) (evidence.Tri, error) {
	if held, err := r.ping(ctx); err != nil || held != evidence.Yes {
		return held, err
	}
	select {
	case <-time.After(settle):
	case <-ctx.Done():
		return evidence.Unknown, ctx.Err()
	}
	return r.ping(ctx)
}

// ping asks A's session for a sign of life. Silence may pass and says nothing.
func (r *round) ping(ctx context.Context) (evidence.Tri, error) {
	if err := r.session.Wait(patience); err != nil {
		return evidence.Unknown, err
	}
	err := r.session.Ping()
	if err == nil {
		return evidence.Yes, nil
	}
	outcome, err := mqttdoor.Did(ctx, err)
	if err != nil || outcome == mqttdoor.Silent {
		return evidence.Unknown, err
	}
	return evidence.No, nil
}

// end closes A's session.
func (r *round) end() {
	if r.session != nil {
		r.session.Close()
		r.session = nil
	}
}
