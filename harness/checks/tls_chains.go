package checks

import (
	"fmt"
	"slices"

	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/probes/tlsserver"
)

// overChains returns an item for every chain of every listener.
func overChains(v evidence.View, judge func(tlsListener, chain) check.Item) []check.Item {
	return overTLS(v, func(l tlsListener) []check.Item {
		var items []check.Item
		for i := range l.Chains {
			c := l.chain(i)
			if len(c.certs) == 0 {
				items = append(items, check.Inconclusive(c.at, msg.T("there was no room left for the certificates"), msg.T("test fewer listeners at once"), c.cite("served")))
				continue
			}
			items = append(items, judge(l, c))
		}
		if len(items) == 0 {
			items = append(items, l.uncertified())
		}
		return items
	})
}

// uncertified is the item of a listener that showed no certificate.
func (l tlsListener) uncertified() check.Item {
	switch {
	case l.keyless():
		return check.NotApplicable(l.at(), msg.T("it took only suites with pre-shared keys"), l.ref("versions"))
	case l.Certified() == evidence.No:
		return l.undecided(msg.T("it took only suites without a certificate: {suites}", "suites", named(l.suites(func(tlsserver.Suite) bool { return true }))),
			msg.T("give the server a certificate, and switch anonymous suites off"), l.ref("chains"))
	}
	return l.undecided(msg.T("no certificate was seen"), msg.T("run again"), l.ref("chains"))
}

// chain returns a chain of the listener with all that is needed to judge it.
func (l tlsListener) chain(i int) chain {
	c := l.Chains[i]
	e := tlsserver.Probe.From(l.view)
	return chain{
		Chain: c, at: l.chainAt(i), certs: e.Of(c),
		cite: func(field string) evidence.Ref { return l.ref("chains/%d/%s", i, field) },
		certificate: func(n int, field string) evidence.Ref {
			return tlsserver.Probe.At(l.view, "/certificates/%d/%s", c.Places[n], field)
		},
	}
}

// chainAt is the listener for its first chain. A further one has the server name
// for which it was served first, or its number.
func (l tlsListener) chainAt(i int) evidence.Endpoint {
	if i == 0 {
		return l.at()
	}
	nameOf := func(chain int) tlsserver.Name {
		at := slices.IndexFunc(l.Handshakes, func(h tlsserver.Handshake) bool { return h.Chain == chain })
		if at < 0 {
			return ""
		}
		return l.Handshakes[at].ServerName
	}
	name := nameOf(i)
	for other := range i {
		if nameOf(other) == name {
			name = ""
		}
	}
	if name == "" {
		return l.at().Subject(fmt.Sprintf("certificate %d", i+1))
	}
	return l.at().Subject(string(name))
}
