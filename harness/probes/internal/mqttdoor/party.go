package mqttdoor

import (
	"slices"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/declaration"
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
	for _, want := range []Standing{Proven, Untold} {
		for _, a := range b.accounts {
			if a.Standing() == want {
				return a
			}
		}
	}
	return nil
}

// account returns the account of a credential, nil if there is none.
func (b Book) account(id declaration.Name) *Account {
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
	broker := Broker(said, door)
	var parties []Party
	for _, i := range broker.Identities {
		a := b.account(i.Credential)
		if a == nil || i.Canary == "" || i.Credential == broker.ReadsAll {
			continue
		}
		parties = append(parties, Party{a, trimSlash(string(i.Canary))})
	}
	return parties
}

// Broker returns what the device file says of the broker behind a door. A door
// that nobody declared is taken for another one of the first broker that is
// declared: only what is observed there says whether it is.
func Broker(said declaration.Evidence, door Door) declaration.MQTT {
	var first declaration.MQTT
	for _, s := range said.Services {
		switch {
		case len(s.MQTT.Identities) == 0 || s.Enabled == evidence.No:
		case slices.Contains(s.TCP, door.Addr.Port()):
			return s.MQTT
		case len(first.Identities) == 0:
			first = s.MQTT
		}
	}
	return first
}

func trimSlash(prefix string) string {
	for prefix != "" && prefix[len(prefix)-1] == '/' {
		prefix = prefix[:len(prefix)-1]
	}
	return prefix
}
