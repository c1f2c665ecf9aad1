package checks

import (
	"slices"
	"testing"

	"github.com/assay-iot/assay/harness/check/checktest"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/coapobserve"
	"github.com/assay-iot/assay/harness/probes/coapread"
	"github.com/assay-iot/assay/harness/verdict"
)

// Notifications in clear fail what was not readable; one round of them, OSCORE
// and another door do not.
func TestCoAPNotifiedInClear(t *testing.T) {
	read := append(coapBoth(t), readCoAP(t, inClear("+trr", "+trr")))
	for _, tt := range []struct {
		name   string
		door   coapread.Door
		reader coapread.Reader
		told   [2]int
		oscore evidence.Tri
		want   verdict.Verdict
	}{
		{"twice", coapClear, coapread.Stranger, [2]int{3, 1}, evidence.No, verdict.Fail},
		{"once", coapClear, coapread.Stranger, [2]int{3, 0}, evidence.No, verdict.Pass},
		{"never", coapClear, coapread.Stranger, [2]int{}, evidence.No, verdict.Pass},
		{"holder", coapClear, coapread.Holder, [2]int{3, 3}, evidence.No, verdict.Pass},
		{"oscore", coapClear, coapread.Stranger, [2]int{3, 3}, evidence.Yes, verdict.Pass},
		{"not_known_if_oscore", coapClear, coapread.Stranger, [2]int{3, 3}, evidence.Unknown, verdict.Pass},
		{"inside", coapDTLS, coapread.Stranger, [2]int{3, 3}, evidence.No, verdict.Pass},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := coapobserve.Visit{Door: tt.door, Reader: tt.reader}
			for _, n := range tt.told {
				w := coapobserve.Watched{Path: []byte("/owner"), Notifications: n, First: coapread.Notification{OSCORE: tt.oscore}}
				v.Rounds = append(v.Rounds, coapobserve.Round{Resources: []coapobserve.Watched{w}})
			}
			observed := checktest.Record(t, coapobserve.Probe, coapobserve.Evidence{Visits: []coapobserve.Visit{v}})
			decided(t, coapEndpointEncrypted, tt.want, append(slices.Clone(read), observed)...)
		})
	}
}
