package mqttpublish

import (
	"context"
	"slices"
	"time"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/internal/mqttdoor"
	"github.com/assay-iot/assay/harness/probes/internal/mqttwire"
)

const (
	// stay bounds a client: longer than one exchange takes.
	stay = 120 * time.Second
	// patience bounds one answer: a small device behind a radio link takes a
	// second or two.
	patience = 5 * time.Second
	// late is how long a message may take more than one that was sent after
	// it.
	late = time.Second
	// maxTopics bounds how many topics of a reader are kept.
	maxTopics = 64
	// maxName bounds how much of a topic is kept; the longest that MQTT
	// allows is 64 KiB.
	maxName = 1 << 10
)

// A client is one that was let in, and what it received.
type client struct {
	*mqttdoor.Session
	filters []string // to be taken back
	tokens  []received
	topics  []Topic
	count   int
	gone    mqttdoor.Outcome // how it ended, empty while it has not
	alive   bool             // it answered a ping at the end
}

// received is a message that may be a canary.
type received struct {
	payload string
	span    evidence.Span
}

// subscribe asks for one filter.
func (c *client) subscribe(ctx context.Context, filter string) (Grant, error) {
	if c.gone != "" {
		return NotAsked, nil
	}
	ack, err := c.asked(func() (mqttwire.SubAck, error) { return c.Subscribe(mqttwire.Filter{Topic: filter, QoS: 1}) })
	if err != nil {
		o, err := c.failed(ctx, err)
		return grantOf[o], err
	}
	if ack.Codes[0].Failed() {
		return Refused, nil
	}
	c.filters = append(c.filters, filter)
	return Granted, nil
}

// grantOf is how a subscription ended that was not answered.
var grantOf = map[mqttdoor.Outcome]Grant{mqttdoor.Closed: Closed, mqttdoor.Silent: Silent, mqttdoor.Malformed: Unclear}

// subscribeAll asks for everything, in two ways: some brokers guard only one.
func (c *client) subscribeAll(ctx context.Context, r *Reader) (err error) {
	if r.All, err = c.subscribe(ctx, "#"); err == nil {
		r.Below, err = c.subscribe(ctx, "+/#")
	}
	return err
}

func (c *client) asked(f func() (mqttwire.SubAck, error)) (mqttwire.SubAck, error) {
	if err := c.Wait(patience); err != nil {
		return mqttwire.SubAck{}, err
	}
	return f()
}

// failed notes that the device ended something. A session that was only slow
// goes on.
func (c *client) failed(ctx context.Context, err error) (mqttdoor.Outcome, error) {
	o, err := mqttdoor.Did(ctx, err)
	if err == nil && o != mqttdoor.Silent {
		c.gone = o
	}
	return o, err
}

// publish sends a canary and notes how the broker took it.
func (c *client) publish(ctx context.Context, topic, token string, to *Canary) error {
	if c.gone != "" {
		return nil
	}
	if err := c.Wait(patience); err != nil {
		return err
	}
	ack, err := c.Publish(mqttwire.Publish{QoS: 1, Topic: topic, Payload: []byte(token)})
	if err != nil {
		o, err := c.failed(ctx, err)
		to.Sent = sentOf[o]
		return err
	}
	to.Sent, to.Span = Acknowledged, c.Span(c.Last())
	if c.Version == mqttdoor.V5 {
		to.Code = int(ack.Code)
		if ack.Code.Failed() {
			to.Sent = Turned
		}
	}
	return nil
}

// sentOf is how a message ended that was not acknowledged.
var sentOf = map[mqttdoor.Outcome]Sent{mqttdoor.Closed: HungUp, mqttdoor.Silent: NoAnswer, mqttdoor.Malformed: Babble}

// await reads until a canary arrives, or for as long as one may take.
func (c *client) await(ctx context.Context, token string, to *Canary) error {
	if err := c.listen(ctx, patience, token); err != nil {
		return err
	}
	c.arrived(token, to)
	return nil
}

// settle reads for a while what comes late, and pings.
func (c *client) settle(ctx context.Context, wait time.Duration) error {
	if err := c.listen(ctx, wait, ""); err != nil || c.gone != "" {
		return err
	}
	if err := c.Wait(patience); err != nil {
		return err
	}
	if err := c.Ping(); err != nil {
		_, err = c.failed(ctx, err)
		return err
	}
	c.alive = true
	return c.listen(ctx, 0, "") // what came before the answer to the ping
}

// listen takes what comes, until it is the token or the time is up.
func (c *client) listen(ctx context.Context, d time.Duration, token string) error {
	if c.gone != "" || token != "" && c.got(token) {
		return nil
	}
	if err := c.Wait(d); err != nil {
		return err
	}
	for {
		m, err := c.Next()
		if err != nil {
			_, err = c.failed(ctx, err)
			return err
		}
		c.take(m)
		if token != "" && string(m.Payload) == token {
			return nil
		}
	}
}

// take notes a message: its topic, and all of it only if it may be ours.
func (c *client) take(m mqttwire.Message) {
	c.count++
	span := c.Span(m.Span)
	if len(m.Payload) == tokenLength {
		c.tokens = append(c.tokens, received{string(m.Payload), span})
	}
	name := m.Topic[:min(len(m.Topic), maxName)]
	i := slices.IndexFunc(c.topics, func(t Topic) bool { return string(t.Name) == name })
	switch {
	case i >= 0:
		c.topics[i].Count++
	case len(c.topics) < maxTopics:
		c.topics = append(c.topics, Topic{evidence.Bytes(name), 1, triOf(m.Retain), span})
	}
}

func triOf(b bool) evidence.Tri {
	if b {
		return evidence.Yes
	}
	return evidence.No
}

// got reports whether a canary came in.
func (c *client) got(token string) bool {
	return slices.ContainsFunc(c.tokens, func(r received) bool { return r.payload == token })
}

// arrived notes whether a canary came in. That it did not is said only of a
// message that was sent and a client that was there until the end.
func (c *client) arrived(token string, to *Canary) {
	i := slices.IndexFunc(c.tokens, func(r received) bool { return r.payload == token })
	switch {
	case i >= 0:
		to.Arrived, to.Span = evidence.Yes, c.tokens[i].span
	case c.alive && to.Sent != NotSent:
		to.Arrived = evidence.No
	}
}

// report tells what a reader received. Held says that all came that had to.
func (c *client) report(r *Reader, held bool, tokens ...string) {
	r.Heard, r.Count, r.Alive = c.topics, c.count, triOf(c.alive)
	switch {
	case slices.ContainsFunc(tokens, c.got):
		r.HeardB = evidence.Yes
	case c.alive && held:
		r.HeardB = evidence.No
	}
}

// leave takes every subscription back and says good-bye.
func (c *client) leave() {
	if c.gone == "" && len(c.filters) > 0 && c.Wait(late) == nil {
		_, _ = c.Unsubscribe(c.filters...) // hanging up takes them back as well
	}
	c.Close()
}
