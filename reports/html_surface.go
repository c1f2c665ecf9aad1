package reports

import (
	"slices"
	"strings"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/result"
)

// surfaceCard is the network side of one unit: how far it was looked over, what
// answered, and pictures of both.
type surfaceCard struct {
	Unit      string
	Place     string
	Searches  []string
	Listeners []listenerCard
	More      int
	Ports     *portPicture
	TLS       *tlsPicture
	Versioned []listenerCard // those of which versions are known
}

// listenerCard is one endpoint on which something answered.
type listenerCard struct {
	Endpoint, Protocol, Secured, Declared, Seen string
	Versions                                    []versionCard
}

// versionCard is one version of TLS or DTLS.
type versionCard struct {
	Name, Word, Class string
	Suites            []string
}

func (b *binder) surfaces() []surfaceCard {
	var list []surfaceCard
	for _, s := range b.r.Surface {
		c := surfaceCard{Unit: b.unitName(s.Unit), Place: b.place("s", s.Unit)}
		for _, x := range s.Searches {
			c.Searches = append(c.Searches, b.say(searchText(x)))
		}
		limit := b.limit(len(s.Listeners))
		for _, l := range s.Listeners[:limit] {
			card := b.listener(l)
			c.Listeners = append(c.Listeners, card)
			if len(card.Versions) > 0 {
				c.Versioned = append(c.Versioned, card)
			}
		}
		c.More = len(s.Listeners) - limit
		c.Ports, c.TLS = b.drawPorts(c.Place, s), b.drawTLS(c.Place, s)
		list = append(list, c)
	}
	return list
}

// unitName is what people call a unit.
func (b *binder) unitName(unit string) string {
	if unit == evidence.DUT {
		return b.say(msg.T("Device under test"))
	}
	return b.say(msg.T("Unit {unit}", "unit", unit))
}

func searchText(s result.Search) msg.Text {
	if s.LeftOut > 0 {
		return msg.T("{where}: {tried} ports tried, {open} answered, {closed} closed, {silent} silent, {unsettled} not settled, {left} of the machine that emulates it left out",
			"where", s.Endpoint, "tried", s.Tried, "open", s.Open, "closed", s.Closed, "silent", s.Silent, "unsettled", s.Unsettled, "left", s.LeftOut)
	}
	return msg.T("{where}: {tried} ports tried, {open} answered, {closed} closed, {silent} silent, {unsettled} not settled",
		"where", s.Endpoint, "tried", s.Tried, "open", s.Open, "closed", s.Closed, "silent", s.Silent, "unsettled", s.Unsettled)
}

func (b *binder) listener(l result.Listener) listenerCard {
	c := listenerCard{
		Endpoint: l.Endpoint, Protocol: b.protocol(l), Secured: b.say(securedText(l)), Declared: b.say(declaredText(l.Declared)),
		Seen: b.say(msg.T("{seen} of {looks}", "seen", l.Seen, "looks", l.Looks)),
	}
	for _, v := range l.Versions {
		c.Versions = append(c.Versions, versionCard{Name: v.Name, Word: b.say(acceptedText(v.Accepted)), Class: acceptedClass(v.Accepted), Suites: slices.Clone(v.Suites)})
	}
	return c
}

func (b *binder) protocol(l result.Listener) string {
	if l.Protocol == "" {
		return b.say(msg.T("not asked"))
	}
	return l.Protocol
}

func securedText(l result.Listener) msg.Text {
	switch overUDP := strings.HasPrefix(l.Endpoint, "udp/"); {
	case l.Secured == evidence.Yes && overUDP:
		return msg.T("inside DTLS")
	case l.Secured == evidence.Yes:
		return msg.T("inside TLS")
	case l.Secured == evidence.No:
		return msg.T("in clear")
	}
	return msg.T("encryption open")
}

func declaredText(t evidence.Tri) msg.Text {
	switch t {
	case evidence.Yes:
		return msg.T("declared")
	case evidence.No:
		return msg.T("not declared")
	}
	return msg.T("declaration open")
}

func acceptedText(t evidence.Tri) msg.Text {
	switch t {
	case evidence.Yes:
		return msg.T("accepted")
	case evidence.No:
		return msg.T("refused")
	}
	return msg.T("not known")
}

func acceptedClass(t evidence.Tri) string {
	switch t {
	case evidence.Yes:
		return "taken"
	case evidence.No:
		return "turned"
	}
	return "unsure"
}

// port is the last part of an endpoint, which tells it from others.
func port(endpoint string) string {
	name, _, _ := strings.Cut(endpoint, "#")
	transport, _, _ := strings.Cut(name, "/")
	return transport + " " + name[strings.LastIndex(name, ":")+1:]
}
