package checks

import (
	"slices"
	"strings"

	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/probes/tlsserver"
)

var tlsHybridKeyExchangeOffered = register(check.Check{
	ID:     "tls.hybrid-key-exchange-offered",
	Title:  "Each TLS server offers a hybrid post-quantum key exchange",
	Remedy: "Move to a TLS library that has X25519MLKEM768, and switch it on",
	Needs:  tlsSurface(),
	Params: hybridGroups{Groups: []string{"X25519MLKEM768", "SecP256r1MLKEM768"}},
	Decide: decideHybridKeyExchangeOffered,
})

// hybridGroups are the groups of which one is enough.
type hybridGroups struct {
	Groups []string `yaml:"groups"`
}

func decideHybridKeyExchangeOffered(in check.In) []check.Item {
	groups := check.Params[hybridGroups](in).Groups
	return overTLS(in.DUT, func(l tlsListener) []check.Item { return []check.Item{l.hybrid(groups)} })
}

// hybrid judges hellos that offered one hybrid group and nothing else.
func (l tlsListener) hybrid(groups []string) check.Item {
	var refs []evidence.Ref
	var open []string
	for _, g := range groups {
		i := slices.IndexFunc(l.Hybrids, func(o tlsserver.Offer) bool { return string(o.Name) == g })
		if i < 0 {
			open = append(open, g)
			continue
		}
		ref := l.ref("hybrid_groups/%d/tries", i)
		switch l.Hybrids[i].Taken() {
		case evidence.Yes:
			return check.Pass(l.at(), msg.T("it chose {group}, offered alone", "group", g), ref)
		case evidence.Unknown:
			open = append(open, g)
		case evidence.No:
		}
		refs = append(refs, ref)
	}
	switch _, _, lacking := l.lacks(); {
	case lacking || len(open) > 0 || len(refs) == 0:
		return l.undecided(msg.T("hellos that offered one group alone were not answered, or not sent: {groups}", "groups", strings.Join(open, ", ")),
			msg.T("look by hand whether large hellos get through to the device, and run again"), refs...)
	}
	return check.Fail(l.at(), msg.T("it turned away, twice each, between two ordinary hellos that it answered: {groups}", "groups", strings.Join(groups, ", ")), append(refs, l.controls()...)...)
}
