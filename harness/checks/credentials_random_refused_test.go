package checks

import (
	"strings"
	"testing"

	"github.com/assay-iot/assay/harness/probes/services"
	"github.com/assay-iot/assay/harness/verdict"
)

func TestCredentialsRandomRefused(t *testing.T) {
	tests := []struct {
		name, three, five string
		want              verdict.Verdict
	}{
		{"refused", sound, sound, verdict.Pass},
		{"hung_up", "i cc cc i", sound, verdict.Pass},
		{"any_password", "i rr ii i", "i rr ii i", verdict.Fail},
		{"any_password_and_no_log_in_given", "- rr ii -", sound, verdict.Fail},
		{"any_password_in_five", sound, "i rr ii i", verdict.Fail},
		{"flapping", sound, "i rr iri i", verdict.Fail},
		{"accepted_once", sound, "i rr rir i", verdict.Inconclusive},
		{"anonymous", "i ii rr i", "i ii ii i", verdict.NotApplicable},
		{"five_is_anonymous", sound, "i ii ii i", verdict.Pass},
		{"not_clear_whether_anonymous", sound, "i rir ii i", verdict.Inconclusive},
		{"silent_to_strangers", sound, "i ss ii i", verdict.Inconclusive},
		{"silent_to_strangers_and_refused", sound, "i ss rr i", verdict.Inconclusive},
		{"no_log_in", "- rr rr -", sound, verdict.Inconclusive},
		{"control_failed", sound, "i rr rr c", verdict.Inconclusive},
		{"budget_spent", sound, "i rr bb i", verdict.Inconclusive},
		{"five_is_not_spoken", sound, "o oo oo n", verdict.Pass},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			record := connected(t, takes(way311, tt.three), takes(way5, tt.five))
			decided(t, credentialsRandomRefused, tt.want, append(brokerSurface(t), record)...)
			onPart(t, credentialsRandomRefused, tt.want, record, brokerSurface(t)...)
			shortSurface(t, credentialsRandomRefused, tt.want, record)
			decided(t, credentialsRandomRefused, verdict.Inconclusive, brokerSurface(t)...)
		})
	}
	withoutBroker(t, credentialsRandomRefused, connected(t))
}

// A service whose log-in nobody looked at leaves the check open, and takes no
// item of the others with it.
func TestRandomPairsOnOtherServices(t *testing.T) {
	for _, p := range []services.Protocol{services.HTTP, services.SSH, services.Telnet} {
		t.Run(string(p), func(t *testing.T) {
			surface := spokenAt(t, speaks(web, p, 2), speaks(broker, services.MQTT, 2))
			d := decided(t, credentialsRandomRefused, verdict.Inconclusive, append(surface, connected(t, takes(way5, sound)))...)
			if got := verdictsAt(d); got["tcp/80"] != verdict.Inconclusive || got["tcp/8883#mqtt-5"] != verdict.Pass {
				t.Errorf("verdicts = %v", got)
			}
			if why := d.Items[1].Why.String(); !strings.Contains(why, string(p)) {
				t.Errorf("why = %q", why)
			}
			decided(t, credentialsRandomRefused, verdict.Fail, append(surface, connected(t, takes(way5, "i rr ii i")))...)
		})
	}
}
