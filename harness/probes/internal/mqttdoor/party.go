package mqttdoor

import (
	"context"
	"slices"

	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/probes/internal/account"
)

// A Party is an identity of a broker that we can log in as and that has a place
// for test messages.
type Party struct {
	*Account
	Canary string // prefix of the topics of its test messages, without a slash at the end
}

// A Book keeps the accounts of a run, one for each declared log-in, so that
// what one door says of a log-in is known at the next.
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
// is none: one that was accepted before any other that may still be good.
func (b Book) First() *Account {
	return account.First(b.accounts)
}

// Identities returns the accounts of a broker, the parties first, for probes
// that need to be somebody and no place for messages.
func (b Book) Identities(said declaration.Evidence, door Door) []*Account {
	var list []*Account
	for _, p := range b.Parties(said, door) {
		list = append(list, p.Account)
	}
	for _, a := range b.accounts {
		if !slices.Contains(list, a) {
			list = append(list, a)
		}
	}
	return list
}

// of returns the account of a credential, nil if there is none.
func (b Book) of(id declaration.Name) *Account {
	for _, a := range b.accounts {
		if a.ID() == string(id) {
			return a
		}
	}
	return nil
}

// Parties returns the identities of the broker behind a door, in the order of
// the device file. Who may read everything is no party: nothing is kept from it.
func (b Book) Parties(said declaration.Evidence, door Door) []Party {
	broker := said.Broker(door.Addr.Port())
	var parties []Party
	for _, i := range broker.Identities {
		a := b.of(i.Credential)
		if a == nil || i.Canary == "" || i.Credential == broker.ReadsAll {
			continue
		}
		parties = append(parties, Party{a, trimSlash(string(i.Canary))})
	}
	return parties
}

// OpenAside knocks with a log-in that was just accepted, in a way in which a
// refusal says nothing of it: what comes of it is not held against the log-in.
func (a *Account) OpenAside(ctx context.Context, in probe.Input, door Door, c Client) (*Session, Answer, error) {
	if a.Standing() != Proven {
		return nil, Untried(NotNeeded), nil
	}
	login := a.Login()
	c.Login, c.Charge = &login, false
	return Open(ctx, in, door, c)
}

func trimSlash(prefix string) string {
	for prefix != "" && prefix[len(prefix)-1] == '/' {
		prefix = prefix[:len(prefix)-1]
	}
	return prefix
}
