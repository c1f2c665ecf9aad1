// Package account keeps what is known of a declared log-in in the course of a
// run, so that tries are charged as long as it may be wrong, and no account is
// locked by a wrong one.
package account

import (
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

// Taken is how a service took a log-in.
type Taken int

// The ways to take one.
const (
	Unlooked Taken = iota // what came says nothing of the log-in: it was not looked at
	In                    // accepted
	Out                   // refused
	Unclear               // it may have been a refusal
	Spent                 // it was not tried: the account may not be tried again
)

// Bar is why a log-in must not be tried.
type Bar int

// The bars.
const (
	Open          Bar = iota // none
	RefusedBefore            // it was refused once and is not risked again
	BudgetSpent              // of the account, which never comes back
)

// An Account is a declared log-in. It is safe for concurrent use.
type Account struct {
	mu       sync.Mutex
	login    probe.Login
	standing Standing
	spent    bool
}

// New returns an account that an earlier probe left in standing.
func New(login probe.Login, standing Standing) *Account {
	return &Account{login: login, standing: standing}
}

// ID is the name of the log-in in the device file.
func (a *Account) ID() string { return a.login.ID }

// Login is what is tried.
func (a *Account) Login() probe.Login { return a.login }

// Standing returns what is known by now.
func (a *Account) Standing() Standing {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.standing
}

// Use lets try use the log-in, which is told whether it has to be charged,
// unless something bars that. One try ends before the next one begins. After an
// error, which says nothing about the device, nothing more is known.
func (a *Account) Use(try func(login *probe.Login, charge bool) (Taken, error)) (Bar, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.standing == Spoilt:
		return RefusedBefore, nil
	case a.spent && a.standing != Proven:
		return BudgetSpent, nil
	}
	taken, err := try(&a.login, a.standing != Proven)
	if err == nil {
		a.standing = a.standing.after(taken)
		a.spent = taken == Spent
	}
	return Open, err
}

// after is the standing after one more answer. What may have been a refusal
// makes the next try cost something again; what came before any log-in was
// looked at changes nothing.
func (s Standing) after(t Taken) Standing {
	switch t {
	case In:
		return Proven
	case Out:
		return Spoilt
	case Unclear:
		return Untold
	}
	return s
}

// First returns the account to use where any good log-in will do, the zero
// value if there is none: one that was accepted before any other that may still
// be good.
func First[A interface{ Standing() Standing }](accounts []A) (first A) {
	for _, want := range []Standing{Proven, Untold} {
		for _, a := range accounts {
			if a.Standing() == want {
				return a
			}
		}
	}
	return first
}
