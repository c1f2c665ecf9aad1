package mqttdoor

import (
	"errors"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/internal/mqttwire"
	"github.com/assay-iot/assay/harness/probes/internal/tlsinside"
	"github.com/assay-iot/assay/harness/probes/internal/websocket"
	"github.com/assay-iot/assay/harness/transport"
)

// Outcome is what a door did with a complete CONNECT.
type Outcome string

// The outcomes. What we could not do is none of them.
const (
	NotTried   Outcome = "not_tried"   // no CONNECT was sent; Answer.Reason says why
	Accepted   Outcome = "accepted"    // CONNACK with code 0
	Refused    Outcome = "refused"     // CONNACK about credentials or rights
	OtherCode  Outcome = "other_code"  // CONNACK with another code
	Closed     Outcome = "closed"      // it closed or reset the connection after the whole CONNECT
	Declined   Outcome = "declined"    // it took no connection, or ended it before the CONNECT was sent
	Silent     Outcome = "silent"      // nothing came in time
	Malformed  Outcome = "malformed"   // what came is no CONNACK, not all of one, or too much
	TLSRefused Outcome = "tls_refused" // it turned the client away by an alert of TLS
)

// Reason says why no CONNECT was sent.
type Reason string

// The reasons.
const (
	Tried         Reason = ""
	NoCredential  Reason = "no_credential"  // the device file gives none
	BudgetSpent   Reason = "budget_spent"   // the account may not be tried again
	RefusedBefore Reason = "refused_before" // this log-in was refused once and is not risked again
	NotNeeded     Reason = "not_needed"     // what was seen before decides
)

// Answer is how a door took one client.
type Answer struct {
	Outcome Outcome       `json:"outcome"`
	Reason  Reason        `json:"reason"`  // set if the outcome is not_tried
	Code    int           `json:"code"`    // of the CONNACK, -1 without one
	Answers Version       `json:"answers"` // version in which the CONNACK came, empty without one
	Span    evidence.Span `json:"span"`
}

// Untried is the answer of a door that was not asked.
func Untried(why Reason) Answer {
	a := none(NotTried)
	a.Reason = why
	return a
}

// accessCodes speak of credentials or rights: MQTT 3.1.1, 3.2.2.3, and MQTT 5,
// 3.2.2.2.
var accessCodes = map[mqttwire.Version][]mqttwire.Code{
	mqttwire.V311: {mqttwire.BadUserNameOrPassword311, mqttwire.NotAuthorized311},
	mqttwire.V5:   {mqttwire.BadUserNameOrPassword, mqttwire.NotAuthorized, mqttwire.Banned},
}

// ofConnAck reads a CONNACK.
func ofConnAck(c mqttwire.ConnAck) Answer {
	a := Answer{Outcome: OtherCode, Code: int(c.Code), Answers: V311}
	if c.Version == mqttwire.V5 {
		a.Answers = V5
	}
	for _, code := range accessCodes[c.Version] {
		if c.Code == code {
			a.Outcome = Refused
		}
	}
	if c.Accepted() {
		a.Outcome = Accepted
	}
	return a
}

// none is the answer of a device that sent no CONNACK.
func none(o Outcome) Answer { return Answer{Outcome: o, Code: -1} }

// at adds where all lies that came. Who said something, if only half a packet,
// was not silent and did not just hang up.
func (a Answer) at(s evidence.Span) Answer {
	a.Span = s
	if s.Length > 0 && (a.Outcome == Silent || a.Outcome == Closed) {
		a.Outcome = Malformed
	}
	return a
}

// ofError tells what the device did when no CONNACK came, of a CONNECT that was
// sent whole or not. Its own error says that the device had no part in it.
func ofError(act transport.Act, sent bool, err error) (Answer, error) {
	switch {
	case tlsinside.Alerted(err):
		return none(TLSRefused), nil
	case babbled(err):
		return none(Malformed), nil
	case act == transport.Silent:
		return none(Silent), nil
	case act == transport.Closed && sent:
		return none(Closed), nil
	case act == transport.Closed, act == transport.Refused:
		return none(Declined), nil
	}
	return Answer{}, err
}

// babbled reports whether what came is no CONNACK.
func babbled(err error) bool {
	if _, ok := errors.AsType[*mqttwire.UnexpectedError](err); ok {
		return true
	}
	if _, ok := errors.AsType[*mqttwire.DisconnectedError](err); ok {
		return true
	}
	return errors.Is(err, mqttwire.ErrMalformed) || errors.Is(err, mqttwire.ErrTooLarge) || errors.Is(err, websocket.ErrMalformed) || errors.Is(err, transport.ErrTooMuch)
}
