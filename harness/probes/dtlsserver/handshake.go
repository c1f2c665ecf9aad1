package dtlsserver

import (
	"context"
	"slices"
	"time"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/probes/internal/dtlsdoor"
	"github.com/assay-iot/assay/harness/probes/internal/dtlswire"
	"github.com/assay-iot/assay/harness/probes/tlsserver"
)

const (
	// mostLogins is how many declared log-ins are tried at a listener: the first
	// that is let in is proof enough.
	mostLogins = 3
	// mostHandshakes is how many whole handshakes there are with one listener.
	mostHandshakes = mostLogins + 1
	// slowest is the most that they take.
	slowest = mostHandshakes * (dtlsdoor.Patience + time.Second)
)

// handshakes makes whole ones: until then, what the listener takes is only what it
// says.
func (l *look) handshakes(ctx context.Context) error {
	if suites := l.provable(Certificate); len(suites) > 0 {
		if _, err := l.handshake(ctx, Certificate, dtlsdoor.Client{Suites: suites}); err != nil {
			return err
		}
	}
	suites := l.provable(PSK)
	logins := l.in.Logins.For(dtlsdoor.Service)
	for _, login := range logins[:min(len(logins), mostLogins)] {
		if len(suites) == 0 {
			break
		}
		done, err := l.handshake(ctx, PSK, dtlsdoor.Client{Suites: suites, Login: &login, Charge: true})
		if done || err != nil {
			return err
		}
	}
	return nil
}

// provable returns the suites of a kind that were taken in 1.2 and that a whole
// handshake can be made with.
func (l *look) provable(k Kind) []uint16 {
	var list []uint16
	for _, o := range l.Versions[slices.Index(versions, dtlswire.V12)].Offers {
		for _, s := range o.Suites {
			if o.Kind == k && dtlsdoor.Knows(uint16(s.Code)) {
				list = append(list, uint16(s.Code))
			}
		}
	}
	return list
}

// handshake makes one and reports whether it was completed.
func (l *look) handshake(ctx context.Context, k Kind, c dtlsdoor.Client) (bool, error) {
	c.Patience = l.patience.handshake
	session, answer, err := dtlsdoor.Open(ctx, l.in, l.Addr, c)
	if err != nil {
		return false, err
	}
	l.Handshakes = append(l.Handshakes, Handshake{
		Kind: k, Credential: name(c.Login), Outcome: endings[answer.Outcome], Alert: answer.Alert,
		Suite: tlsserver.Code(answer.Suite), Span: answer.Span,
	})
	if session == nil {
		return false, nil
	}
	l.proven(session.Certificates)
	return true, session.Close()
}

// proven notes that the listener holds the key of the chain that it shook hands
// with.
func (l *look) proven(ders [][]byte) {
	places := l.store.Places(ders[:min(len(ders), mostServed)])
	for i, c := range l.Chains {
		if len(ders) > 0 && c.Served == len(ders) && slices.Equal(c.Places, places) {
			l.Chains[i].Proven = evidence.Yes
		}
	}
}

// mostServed is how many certificates of a chain are kept.
const mostServed = 10

func name(login *probe.Login) declaration.Name {
	if login == nil {
		return ""
	}
	return declaration.Name(login.ID)
}

var endings = map[dtlsdoor.Outcome]Ending{
	dtlsdoor.NotTried: BudgetSpent, dtlsdoor.Opened: Completed, dtlsdoor.Refused: Refusal,
	dtlsdoor.Silent: Stalled, dtlsdoor.Strange: Stalled, dtlsdoor.Closed: Gone,
}
