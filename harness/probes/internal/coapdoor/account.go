package coapdoor

import (
	"context"
	"slices"

	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/internal/account"
)

// Service is the name of CoAP in the device file and in the budget of log-ins.
const Service = "coap"

// Standing is what is known of a declared log-in.
type Standing = account.Standing

// The standings.
const (
	Untold = account.Untold
	Proven = account.Proven
	Spoilt = account.Spoilt
)

// An Account is a declared log-in in the course of a run: an identity and a key
// for DTLS. Tries are charged as long as it may be wrong, and it is never tried
// again once it was refused. It is safe for concurrent use.
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
		return nil, untried(RefusedBefore), nil
	case account.BudgetSpent:
		return nil, untried(BudgetSpent), nil
	}
	return s, answer, err
}

// OpenAside knocks with a log-in that was accepted when it was tried last, where
// what comes of it says nothing of the log-in: the server may be gone.
func (a *Account) OpenAside(ctx context.Context, in probe.Input, door Door, c Client) (*Session, Answer, error) {
	login := a.Login()
	c.Login, c.Charge = &login, false
	return Open(ctx, in, door, c)
}

// taken is what an answer says of the log-in. Many servers turn a wrong key away
// by silence (RFC 6347, 4.1.2.7).
func taken(a Answer) account.Taken {
	switch a.Outcome {
	case Opened:
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

// A Book keeps the accounts of a run, one for each declared log-in, so that what
// one door says of a log-in is known at the next.
type Book struct{ accounts []*Account }

// NewBook returns a book of the declared log-ins. Standing says what earlier
// probes learned of each of them.
func NewBook(logins []probe.Login, standing func(probe.Login) Standing) Book {
	var b Book
	for _, l := range logins {
		b.accounts = append(b.accounts, NewAccount(l, standing(l)))
	}
	return b
}

// First returns the account to use where any good log-in will do, nil if there
// is none.
func (b Book) First() *Account { return account.First(b.accounts) }

// Account returns the account of a log-in of the device file, nil if there is
// none.
func (b Book) Account(id string) *Account {
	i := slices.IndexFunc(b.accounts, func(a *Account) bool { return a.ID() == id })
	if i < 0 {
		return nil
	}
	return b.accounts[i]
}
