package checks

import (
	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/probes/anchors"
)

var tlsCertificateKeySound = register(check.Check{
	ID:     "tls.certificate-key-sound",
	Title:  "The keys and signatures of the certificates of each TLS server are strong",
	Remedy: "Make a new key, RSA of 3072 bits or EC P-256, and have the certificate signed with SHA-256",
	Needs:  tlsSurface(anchors.Probe),
	Params: soundKeys,
	Decide: func(in check.In) []check.Item {
		trust := trusted(in.DUT)
		return overChains(in.DUT, func(_ tlsListener, c chain) check.Item {
			return c.keySound(check.Params[keyLimits](in), trust.named)
		})
	},
})
