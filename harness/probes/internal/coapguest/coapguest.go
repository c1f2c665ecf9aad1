// Package coapguest says who knocks at the doors of CoAP servers: a stranger,
// and the holder of the log-in that the device file names. It sees to it that no
// secret that a server tells them is written down.
package coapguest

import (
	"bytes"
	"context"
	"strings"
	"time"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/probes/internal/coapdoor"
	"github.com/assay-iot/assay/harness/probes/internal/secretpattern"
	"github.com/assay-iot/assay/harness/transport"
)

// Accounts are the declared log-ins.
type Accounts struct {
	said declaration.Evidence
	book coapdoor.Book
}

// New returns the log-ins of a run. Standing says what earlier probes learned of
// each of them.
func New(in probe.Input, standing func(id string) coapdoor.Standing) Accounts {
	of := func(l probe.Login) coapdoor.Standing { return standing(l.ID) }
	return Accounts{declaration.Probe.From(in.Evidence), coapdoor.NewBook(in.Logins.For("coap"), of)}
}

// Untold is for the first probe of a run.
func Untold(string) coapdoor.Standing { return coapdoor.Untold }

// At returns the log-in to use at a door, nil if there is none, or if it could
// not be used: only DTLS takes one.
func (a Accounts) At(d coapdoor.Door) *coapdoor.Account {
	if d.Transport != coapdoor.DTLS {
		return nil
	}
	if named := a.said.CoAPAt(evidence.Yes, d.Addr.Port()).Credential; named != "" {
		return a.book.Account(string(named))
	}
	return a.book.First()
}

// A Guest is one reader at one door. Without an account it is a stranger.
type Guest struct {
	In      probe.Input
	Door    coapdoor.Door
	Account *coapdoor.Account
	// Beside says that another guest of the same exchange holds the turn.
	Beside bool

	hidden int
}

// Open knocks. What is received is held back until the session is closed, so
// that secrets in it are masked.
func (g *Guest) Open(ctx context.Context, stay time.Duration) (*coapdoor.Session, coapdoor.Answer, error) {
	if ctx = transport.Late(ctx); g.Beside {
		ctx = transport.Beside(ctx)
	}
	c := coapdoor.Client{Stay: stay}
	if g.Account != nil {
		return g.Account.Open(ctx, g.In, g.Door, c)
	}
	return coapdoor.Open(ctx, g.In, g.Door, c)
}

// Credential is the name of the log-in, empty for a stranger.
func (g *Guest) Credential() declaration.Name {
	if g.Account == nil {
		return ""
	}
	return declaration.Name(g.Account.ID())
}

// Found is a secret in a payload.
type Found struct {
	Name   evidence.Bytes  `json:"name"` // under which it stood; empty if it speaks for itself
	Secret evidence.Secret `json:"secret"`
}

const (
	maxSecrets = 16  // of one payload
	maxHidden  = 256 // of one guest: more would slow the transcript down
)

// Conceal hides every secret of a payload, of which it returns a copy with
// stars. What the payload stands under is the end of its path.
func (g *Guest) Conceal(path string, payload []byte) (stars []byte, found []Found) {
	stars = bytes.Clone(payload)
	name, _, _ := strings.Cut(path, "?")
	name = name[strings.LastIndexByte(name, '/')+1:]
	for _, f := range secretpattern.Find([]byte(name), payload) {
		secret := payload[f.From:f.To]
		if g.hidden++; g.hidden <= maxHidden && len(found) < maxSecrets {
			found = append(found, Found{bytes.Clone(f.Name), g.In.Net.Hide(f.Class, secret)})
		}
		copy(stars[f.From:f.To], bytes.Repeat([]byte("*"), len(secret)))
	}
	return stars, found
}

// Untried is an exchange that did not take place, because what was seen before
// decides.
func Untried(m coapdoor.Method) coapdoor.Exchange {
	return coapdoor.Exchange{Method: m, Outcome: coapdoor.NotTried, Reason: coapdoor.NotNeeded, Format: -1}
}

// Untaken is how a request was taken at a door that was not opened.
func Untaken(m coapdoor.Method, path string, entry coapdoor.Answer) coapdoor.Exchange {
	return coapdoor.Exchange{Method: m, Path: []byte(path), Outcome: entry.Outcome, Reason: entry.Reason, Format: -1}
}
