package checks

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/probes/anchors"
	"github.com/assay-iot/assay/harness/probes/declaration"
)

var tlsCertificateIdentityMatches = register(check.Check{
	ID:     "tls.certificate-identity-matches",
	Title:  "The certificate of each TLS server is for this device",
	Remedy: "Put the name under which clients reach the device into the certificate as a subject alternative name, or have clients pin it",
	Needs:  tlsSurface(anchors.Probe, declaration.Probe),
	Decide: func(in check.In) []check.Item {
		trust := trusted(in.DUT)
		return overTLS(in.DUT, func(l tlsListener) []check.Item { return []check.Item{l.identity(trust)} })
	},
})

// identity judges what a listener shows to clients that ask for its declared
// names, or, if there are none, for its address.
func (l tlsListener) identity(t trust) check.Item {
	names, refs := l.names()
	switch {
	case l.Certified() != evidence.Yes:
		return l.uncertified()
	case len(names) > 0:
		return l.namesCovered(t, names, refs)
	}
	var proof []evidence.Ref
	for i := range l.Chains {
		ref, fits := l.chain(i).isFor(t, l.Addr.Addr().Unmap().String())
		if fits != evidence.Yes {
			return l.undecided(msg.T("no name is declared for it, and the certificate is not for its address"),
				msg.T("declare under server_names how clients call it, or the certificate's fingerprint under trust.pins"), l.ref("chains/%d/places", i))
		}
		proof = append(proof, ref, l.ref("chains/%d/possession_proven", i))
	}
	return l.proven(check.Pass(l.at(), msg.T("the certificate is for the address {address}, or pinned", "address", l.Addr.Addr().String()), proof...), l.everyChain())
}

// names returns the names that are declared for the listener, and where.
func (l tlsListener) names() ([]string, []evidence.Ref) {
	var names []string
	var refs []evidence.Ref
	rows := l.rows()
	for i := range declaration.Probe.From(l.view).Services {
		for j, n := range rows[i].ServerNames {
			if !slices.Contains(names, string(n)) {
				names, refs = append(names, string(n)), append(refs, declaration.Probe.At(l.view, "/services/%d/server_names/%d", i, j))
			}
		}
	}
	return names, refs
}

// namesCovered judges what clients were shown that asked for each name.
func (l tlsListener) namesCovered(t trust, names []string, refs []evidence.Ref) check.Item {
	var wrong, open []string
	var shown []int
	for _, n := range names {
		chains := l.shownFor(n)
		fits := evidence.Yes
		for _, i := range chains {
			ref, fit := l.chain(i).isFor(t, n)
			if refs = append(refs, ref); fit != evidence.Yes {
				fits = fit
			}
			if fit == evidence.No && l.Chains[i].Seen < 2 {
				fits = evidence.Unknown
			}
		}
		switch shown = append(shown, chains...); {
		case len(chains) == 0 || fits == evidence.Unknown:
			open = append(open, n)
		case fits == evidence.No:
			wrong = append(wrong, n)
		}
	}
	switch {
	case len(wrong) > 0:
		return check.Fail(l.at(), msg.T("the certificate that it showed is not for the declared {names}", "names", strings.Join(wrong, ", ")), refs...)
	case len(open) > 0:
		return l.undecided(msg.T("no certificate was seen twice, and read to its end, for the declared {names}", "names", strings.Join(open, ", ")), msg.T("run again"), append(refs, l.ref("handshakes"))...)
	}
	return l.proven(check.Pass(l.at(), msg.T("the certificate that it showed is for the declared {names}, or pinned", "names", strings.Join(names, ", ")), refs...), shown)
}

// shownFor returns the chains that were shown to clients that asked for a name.
// Nobody asks for an address (RFC 6066, 3).
func (l tlsListener) shownFor(name string) []int {
	if _, err := netip.ParseAddr(name); err == nil {
		name = ""
	}
	var found []int
	for _, h := range l.Handshakes {
		if string(h.ServerName) == name && h.Chain >= 0 && h.Chain < len(l.Chains) && !slices.Contains(found, h.Chain) {
			found = append(found, h.Chain)
		}
	}
	return found
}

func (l tlsListener) everyChain() []int {
	var all []int
	for i := range l.Chains {
		all = append(all, i)
	}
	return all
}

// proven returns a pass if the server was seen to hold the keys: anybody can show
// the certificate of another.
func (l tlsListener) proven(pass check.Item, chains []int) check.Item {
	for _, i := range chains {
		if l.Chains[i].Proven != evidence.Yes {
			return l.undecided(msg.T("the certificate fits, and no handshake showed that the server holds its key"), msg.T("run again"), l.ref("chains/%d/possession_proven", i))
		}
	}
	return pass
}

// isFor says whether clients that call the server by a name or an address take
// its certificate to be its own, and where that stands.
func (c chain) isFor(t trust, name string) (evidence.Ref, evidence.Tri) {
	if len(c.certs) == 0 {
		return c.cite("served"), evidence.Unknown
	}
	leaf, field := c.leaf(), "dns_names"
	if ref, ok := t.pin(leaf.SHA256); ok {
		return ref, evidence.Yes
	}
	covered := slices.ContainsFunc(leaf.Names, func(n evidence.Bytes) bool { return covers(string(n), name) })
	if addr, err := netip.ParseAddr(name); err == nil {
		field = "addresses"
		covered = slices.ContainsFunc(leaf.Addresses, func(a netip.Addr) bool { return a.Unmap() == addr.Unmap().WithZone("") })
	}
	switch {
	case covered:
		return c.certificate(0, field), evidence.Yes
	case leaf.Parsed != evidence.Yes || !leaf.AllNames():
		return c.certificate(0, "names_in_all"), evidence.Unknown
	}
	return c.certificate(0, field), evidence.No
}

// covers reports whether a DNS name of a certificate is for a name (RFC 9525,
// 6.3): a wildcard is a whole label, the leftmost, and stands for one label.
func covers(pattern, name string) bool {
	fold := func(s string) []string { return strings.Split(strings.ToLower(strings.TrimSuffix(s, ".")), ".") }
	want, have := fold(pattern), fold(name)
	if len(want) != len(have) || slices.Contains(want, "") || slices.Contains(have, "") {
		return false
	}
	if want[0] == "*" && len(want) > 1 {
		want, have = want[1:], have[1:]
	}
	return slices.Equal(want, have)
}
