package mqttdoor

import (
	"context"
	"crypto/rand"
	"sync"

	"github.com/assay-iot/assay/harness/probe"
)

// Standing is what is known of a declared log-in.
type Standing string

// The standings.
const (
	Untold Standing = "untold" // never answered: each try is charged
	Proven Standing = "proven" // accepted when it was tried last: tries are free
	Spoilt Standing = "spoilt" // refused: it is never tried again
)

// An Account is a declared log-in in the course of a run. It sees to it that
// tries are charged as long as the log-in may be wrong, and that no account is
// locked by a wrong one. It is safe for concurrent use.
type Account struct {
	mu       sync.Mutex
	login    probe.Login
	standing Standing
	spent    bool // the budget of the account, which never comes back
}

// NewAccount returns an account that an earlier probe left in standing.
func NewAccount(login probe.Login, standing Standing) *Account {
	return &Account{login: login, standing: standing}
}

// ID is the name of the log-in in the device file.
func (a *Account) ID() string { return a.login.ID }

// Standing returns what is known by now.
func (a *Account) Standing() Standing {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.standing
}

// Open knocks with the log-in of a, otherwise as c.
func (a *Account) Open(ctx context.Context, in probe.Input, door Door, c Client) (*Session, Answer, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.standing == Spoilt {
		return nil, Untried(RefusedBefore), nil
	}
	if a.spent && a.standing != Proven {
		return nil, Untried(BudgetSpent), nil
	}
	c.Login, c.Charge = &a.login, a.standing != Proven
	s, answer, err := Open(ctx, in, door, c)
	if err == nil {
		a.standing = a.standing.after(answer.Outcome)
		a.spent = answer.Reason == BudgetSpent
	}
	return s, answer, err
}

// Try knocks with the log-in of a and leaves at once.
func (a *Account) Try(ctx context.Context, in probe.Input, door Door) (Answer, error) {
	return leave(a.Open(ctx, in, door, Client{Stay: brief}))
}

// after is the standing after one more answer. What may have been a refusal
// makes the next try cost something again; what came before any log-in was
// looked at changes nothing.
func (s Standing) after(o Outcome) Standing {
	switch o {
	case Accepted:
		return Proven
	case Refused:
		return Spoilt
	case Closed, Silent, Malformed:
		return Untold
	}
	return s
}

// RandomLogin returns a user and a password that no device knows. The user is
// an account of its own for the budget.
func RandomLogin() probe.Login {
	return probe.Login{User: ClientID(), Password: rand.Text()}
}
