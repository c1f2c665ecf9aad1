package harness

import (
	"encoding/json"
	"testing"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
)

// Whatever kept the watch over the identity from bringing evidence, what was
// seen meanwhile may have been another device.
func TestRule1NoIdentityNoVerdict(t *testing.T) {
	for _, status := range []evidence.Status{evidence.Failed, evidence.NotRun, evidence.NotPermitted, "", "collectd"} {
		log := evidence.Log{
			{Seq: 1, Unit: evidence.DUT, Probe: "tcp-ports", Status: evidence.Collected, Effect: "active", Data: json.RawMessage(`{}`)},
			{Seq: 2, Unit: evidence.DUT, Probe: "identity", Status: status, Effect: "active", Reason: msg.T("because")},
		}
		if got := trusted(log)[0]; got.HasData() || got.Data != nil {
			t.Errorf("identity %q: tcp-ports is still %s", status, got.Status)
		}
	}
}
