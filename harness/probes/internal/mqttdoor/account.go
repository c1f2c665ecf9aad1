package mqttdoor

import (
	"context"
	"crypto/rand"

	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/internal/account"
)

// Standing is what is known of a declared log-in.
type Standing = account.Standing

// The standings.
const (
	Untold = account.Untold
	Proven = account.Proven
	Spoilt = account.Spoilt
)

// An Account is a declared log-in in the course of a run. It sees to it that
// tries are charged as long as the log-in may be wrong, and that no account is
// locked by a wrong one. It is safe for concurrent use.
type Account struct{ *account.Account }

// NewAccount returns an account that an earlier probe left in standing.
func NewAccount(login probe.Login, standing Standing) *Account {
	return &Account{account.New(login, standing)}
}

// Open knocks with the log-in of a, otherwise as c.
func (a *Account) Open(ctx context.Context, in probe.Input, door Door, c Client) (s *Session, answer Answer, err error) {
	bar, err := a.Use(func(login *probe.Login, charge bool) (account.Taken, error) {
		var err error
		c.Login, c.Charge = login, charge
		s, answer, err = Open(ctx, in, door, c)
		return taken(answer), err
	})
	switch bar {
	case account.RefusedBefore:
		return nil, Untried(RefusedBefore), nil
	case account.BudgetSpent:
		return nil, Untried(BudgetSpent), nil
	}
	return s, answer, err
}

// Try knocks with the log-in of a and leaves at once.
func (a *Account) Try(ctx context.Context, in probe.Input, door Door) (Answer, error) {
	return leave(a.Open(ctx, in, door, Client{Stay: brief}))
}

// taken is what an answer says of the log-in.
func taken(a Answer) account.Taken {
	switch a.Outcome {
	case Accepted:
		return account.In
	case Refused:
		return account.Out
	case Closed, Silent, Malformed:
		return account.Unclear
	}
	if a.Reason == BudgetSpent {
		return account.Spent
	}
	return account.Unlooked
}

// RandomLogin returns a user and a password that no device knows. The user is
// an account of its own for the budget.
func RandomLogin() probe.Login {
	return probe.Login{User: ClientID(), Password: rand.Text()}
}
