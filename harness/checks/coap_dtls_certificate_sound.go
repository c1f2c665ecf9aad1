package checks

import (
	"fmt"
	"time"

	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/probes/anchors"
	"github.com/assay-iot/assay/harness/probes/clock"
	"github.com/assay-iot/assay/harness/probes/dtlsserver"
)

var coapDTLSCertificateSound = register(check.Check{
	ID:     "coap.dtls-certificate-sound",
	Title:  "The certificate of each DTLS server is in date, and its keys and signatures are strong",
	Remedy: "Renew the certificate in time, with a key of EC P-256 or RSA of 3072 bits, signed with SHA-256",
	Needs:  dtlsSurface(clock.Probe, anchors.Probe),
	Params: certificateLimits{SkewH: 24, MinRSABits: soundKeys.MinRSABits, MinECBits: soundKeys.MinECBits},
	Decide: decideDTLSCertificateSound,
})

// certificateLimits are those of the checks of dates and of keys together.
type certificateLimits struct {
	SkewH      int `yaml:"skew_h"`
	MinRSABits int `yaml:"min_rsa_bits"`
	MinECBits  int `yaml:"min_ec_bits"`
}

func decideDTLSCertificateSound(in check.In) []check.Item {
	p, trust := check.Params[certificateLimits](in), trusted(in.DUT)
	now, at := clock.Probe.From(in.DUT), clock.Probe.At(in.DUT, "/time")
	return overDTLS(in.DUT, func(l dtlsListener) []check.Item {
		var items []check.Item
		for i := range l.Chains {
			c := l.chain(i)
			if len(c.certs) == 0 {
				items = append(items, check.Inconclusive(c.at, msg.T("there was no room left for the certificates"), msg.T("test fewer listeners at once"), c.cite("served")))
				continue
			}
			dates, keys := c, c // two items, so that none hides the other
			dates.at, keys.at = l.about(i, "dates"), l.about(i, "keys")
			items = append(items, dates.inDate(now, at, time.Duration(p.SkewH)*time.Hour),
				keys.keySound(keyLimits{p.MinRSABits, p.MinECBits}, trust.named))
		}
		if len(items) == 0 {
			items = append(items, l.uncertified())
		}
		return items
	})
}

// uncertified is the item of a listener that showed no certificate.
func (l dtlsListener) uncertified() check.Item {
	if l.Certified() == evidence.No {
		return check.NotApplicable(l.at(), msg.T("it showed no certificate with any suite that it took, but used: {modes}", "modes", l.modes()), l.ref("modes"), l.ref("versions"))
	}
	if modern, _ := l.version(dtlsserver.DTLS13); modern.Seen > 0 {
		return check.Inconclusive(l.at(), msg.T("no certificate was seen, as DTLS 1.3 encrypts it"), msg.T("read the certificate with a client of DTLS 1.3"), l.ref("versions"))
	}
	if item, lacking := l.lacks(); lacking {
		return item
	}
	return check.Inconclusive(l.at(), msg.T("no certificate was seen"), msg.T("run again"), l.ref("chains"))
}

func (l dtlsListener) modes() string {
	var names []string
	for _, m := range l.Modes {
		names = append(names, string(m.Kind))
	}
	return fmt.Sprint(names)
}

// chain returns a chain of the listener with all that is needed to judge it.
func (l dtlsListener) chain(i int) chain {
	c := l.Chains[i]
	return chain{
		Chain: c, at: l.about(i, "certificates"), certs: dtlsserver.Probe.From(l.view).Of(c),
		cite: func(field string) evidence.Ref { return l.ref("chains/%d/%s", i, field) },
		certificate: func(n int, field string) evidence.Ref {
			return dtlsserver.Probe.At(l.view, "/certificates/%d/%s", c.Places[n], field)
		},
	}
}

// about is the listener for one side of a chain: "dates", or "dates 2" of a
// further one.
func (l dtlsListener) about(i int, side string) evidence.Endpoint {
	if i > 0 {
		side = fmt.Sprintf("%s %d", side, i+1)
	}
	return l.at().Subject(side)
}
