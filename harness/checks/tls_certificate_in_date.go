package checks

import (
	"time"

	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/probes/clock"
)

var tlsCertificateInDate = register(check.Check{
	ID:     "tls.certificate-in-date",
	Title:  "The certificate of each TLS server is in date",
	Remedy: "Renew the certificate in time, or give a device that cannot renew it one without an end (9999-12-31)",
	Needs:  tlsSurface(clock.Probe),
	Params: dateTolerance{SkewH: 24},
	Decide: decideCertificateInDate,
})

// dateTolerance is how far, in hours, the clocks of a device and of a bench may
// be apart.
type dateTolerance struct {
	SkewH int `yaml:"skew_h"`
}

func decideCertificateInDate(in check.In) []check.Item {
	skew := time.Duration(check.Params[dateTolerance](in).SkewH) * time.Hour
	now, at := clock.Probe.From(in.DUT), clock.Probe.At(in.DUT, "/time")
	return overChains(in.DUT, func(_ tlsListener, c chain) check.Item { return c.inDate(now, at, skew) })
}
