package mqttpublish

import (
	"context"
	"crypto/rand"
	"strings"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/internal/mqttdoor"
	"github.com/assay-iot/assay/harness/transport"
)

// An exchange is one while it takes place.
type exchange struct {
	Exchange
	in   probe.Input
	door mqttdoor.Door
	a, b mqttdoor.Party

	topicA, topicB               string
	clientA, clientB             *client // own subscribers, who publish as well
	readerA, stranger, second    *client
	tokenB, tokenA, tokenAgain   string // payloads
	tokenCross, tokenStrangerToB string
}

// run lets the clients in, sends the canaries and sees who got them. Its error
// says nothing about the device. What comes to nothing early ends early: without
// its controls the rest would mean nothing.
func (x *exchange) run(ctx context.Context) error {
	x.untried()
	x.topicA, x.topicB = x.a.Canary+"/"+token(8), x.b.Canary+"/"+token(8)
	defer x.leave()
	defer x.note()
	for _, step := range []func(context.Context) (bool, error){x.enter, x.enterReaders, x.send, x.receive} {
		if goOn, err := step(ctx); err != nil || !goOn {
			return err
		}
	}
	return nil
}

// untried is what stands where an exchange ended early.
func (x *exchange) untried() {
	no := mqttdoor.Untried(mqttdoor.NotNeeded)
	x.A, x.B = Client{no, NotAsked}, Client{no, NotAsked}
	x.ReaderA = Reader{Connection: no, Own: NotAsked, All: NotAsked, Below: NotAsked}
	x.Stranger = x.ReaderA
	for _, c := range []*Canary{&x.BToB, &x.AToA, &x.AToB, &x.StrangerToB, &x.BToBAgain} {
		*c = Canary{Sent: NotSent, Code: -1}
	}
	for _, t := range []*string{&x.tokenB, &x.tokenA, &x.tokenAgain, &x.tokenCross, &x.tokenStrangerToB} {
		*t = token(tokenLength)
	}
}

// tokenLength is the length of a canary in bytes.
const tokenLength = 26

// token returns n characters that nobody guesses, at most 26.
func token(n int) string { return strings.ToLower(rand.Text()[:n]) }

// enter lets both identities subscribe to a topic of their own.
func (x *exchange) enter(ctx context.Context) (bool, error) {
	var err error
	if x.clientB, x.B, err = x.identity(ctx, x.b, x.topicB); err != nil || x.B.Own != Granted {
		return false, err
	}
	x.clientA, x.A, err = x.identity(transport.Beside(ctx), x.a, x.topicA)
	return err == nil && x.A.Own == Granted, err
}

func (x *exchange) identity(ctx context.Context, p mqttdoor.Party, topic string) (*client, Client, error) {
	s, answer, err := p.Open(ctx, x.in, x.door, mqttdoor.Client{Stay: stay})
	if s == nil {
		return nil, Client{answer, NotAsked}, err
	}
	c := &client{Session: s}
	grant, err := c.subscribe(ctx, topic)
	return c, Client{answer, grant}, err
}

// enterReaders lets those in who listen to everything. A stranger who is turned
// away reads nothing, which is an answer too.
func (x *exchange) enterReaders(ctx context.Context) (bool, error) {
	ctx = transport.Beside(ctx)
	var err error
	if x.readerA, x.ReaderA.Connection, err = opened(x.a.Open(ctx, x.in, x.door, mqttdoor.Client{Stay: stay})); err != nil {
		return false, err
	}
	if x.readerA != nil {
		if x.ReaderA.Own, err = x.readerA.subscribe(ctx, x.topicA); err != nil {
			return false, err
		}
		if err := x.readerA.subscribeAll(ctx, &x.ReaderA); err != nil {
			return false, err
		}
	}
	if x.stranger, x.Stranger.Connection, err = opened(mqttdoor.Open(ctx, x.in, x.door, mqttdoor.Client{Stay: stay})); err != nil {
		return false, err
	}
	if x.stranger != nil {
		err = x.stranger.subscribeAll(ctx, &x.Stranger)
	}
	return err == nil, err
}

func opened(s *mqttdoor.Session, a mqttdoor.Answer, err error) (*client, mqttdoor.Answer, error) {
	if s == nil {
		return nil, a, err
	}
	return &client{Session: s}, a, err
}

// send publishes the canaries in an order in which the first and the last show
// that B could be reached all the time.
func (x *exchange) send(ctx context.Context) (bool, error) {
	publisher, err := x.strangerToPublish(ctx)
	if err != nil {
		return false, err
	}
	for _, m := range []struct {
		from         *client
		to           *client
		topic, token string
		canary       *Canary
	}{
		{x.clientB, x.clientB, x.topicB, x.tokenB, &x.BToB},
		{x.clientA, x.clientA, x.topicA, x.tokenA, &x.AToA},
		{x.clientA, nil, x.topicB, x.tokenCross, &x.AToB},
		{publisher, nil, x.topicB, x.tokenStrangerToB, &x.StrangerToB},
		{x.clientB, x.clientB, x.topicB, x.tokenAgain, &x.BToBAgain},
	} {
		if m.from == nil {
			continue
		}
		if err := m.from.publish(ctx, m.topic, m.token, m.canary); err != nil {
			return false, err
		}
		if m.to == nil {
			continue
		}
		if err := m.to.await(ctx, m.token, m.canary); err != nil || m.canary.Arrived != evidence.Yes {
			return false, err
		}
	}
	return true, nil
}

// strangerToPublish returns a client without credentials, nil where none is let
// in. Who was sent away for subscribing to everything comes back to publish.
func (x *exchange) strangerToPublish(ctx context.Context) (*client, error) {
	if x.stranger == nil || x.stranger.gone == "" {
		return x.stranger, nil
	}
	var err error
	x.second, _, err = opened(mqttdoor.Open(transport.Beside(ctx), x.in, x.door, mqttdoor.Client{Stay: stay}))
	return x.second, err
}

// receive waits for what comes late. While the first one waits, the others'
// messages come in as well.
func (x *exchange) receive(ctx context.Context) (bool, error) {
	wait := late
	for _, c := range []*client{x.clientB, x.readerA, x.stranger} {
		if c == nil {
			continue
		}
		if err := c.settle(ctx, wait); err != nil {
			return false, err
		}
		wait = late / 10
	}
	return true, nil
}

// note writes down who received what, also where the exchange ended early.
func (x *exchange) note() {
	if x.clientB != nil {
		x.clientB.arrived(x.tokenCross, &x.AToB)
		x.clientB.arrived(x.tokenStrangerToB, &x.StrangerToB)
	}
	if x.readerA != nil {
		x.readerA.report(&x.ReaderA, x.Held() && x.readerA.got(x.tokenA), x.tokenB, x.tokenAgain)
	}
	if x.stranger != nil {
		x.stranger.report(&x.Stranger, x.Held(), x.tokenB, x.tokenAgain)
	}
}

// leave takes every subscription back and says good-bye.
func (x *exchange) leave() {
	for _, c := range []*client{x.clientB, x.clientA, x.readerA, x.stranger, x.second} {
		if c != nil {
			c.leave()
		}
	}
}
