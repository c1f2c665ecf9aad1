package checks

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/check/checktest"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/probes/mqttconnect"
	"github.com/assay-iot/assay/harness/probes/services"
	"github.com/assay-iot/assay/harness/probes/tcpports"
	"github.com/assay-iot/assay/harness/verdict"
)

// answersBy are the answers of a door, one to a letter.
var answersBy = map[rune]mqttconnect.Answer{
	'i': ansIn, 'r': ansRefused, 'c': ansClosed, 's': ansSilent, 'o': ansOld, 'n': ansNot,
	't': {Outcome: mqttconnect.TLSRefused, Code: -1},
	'm': {Outcome: mqttconnect.Malformed, Code: -1},
	'd': {Outcome: mqttconnect.Declined, Code: -1},
	'2': {Outcome: mqttconnect.OtherCode, Code: 2, Answers: mqttconnect.V311},
	'-': {Outcome: mqttconnect.NotTried, Reason: mqttconnect.NoCredential, Code: -1},
	'b': {Outcome: mqttconnect.NotTried, Reason: mqttconnect.BudgetSpent, Code: -1},
	'x': {Outcome: mqttconnect.NotTried, Reason: mqttconnect.RefusedBefore, Code: -1},
}

// takes is a door with its answers: "i rr rr i" is a good log-in, two clients
// without credentials, two random pairs, the good log-in again.
func takes(way mqttconnect.Way, script string) mqttconnect.Door {
	parts := strings.Fields(script)
	list := func(s string) (all []mqttconnect.Answer) {
		for _, r := range s {
			all = append(all, answersBy[r])
		}
		return all
	}
	d := mqttconnect.Door{Way: way, Before: list(parts[0])[0], Anonymous: list(parts[1]), Random: list(parts[2]), After: list(parts[3])[0]}
	if parts[0] != "-" {
		d.Credential = "app"
	}
	return d
}

// connected is the record of a run on doors.
func connected(t *testing.T, doors ...mqttconnect.Door) evidence.Record {
	t.Helper()
	return checktest.Record(t, mqttconnect.Probe, mqttconnect.Evidence{Doors: doors})
}

// sound is a door that takes the good log-in alone.
const sound = "i rr rr i"

func TestRule3ARefusalCountsBetweenTwoGoodLogIns(t *testing.T) {
	tests := []struct {
		name, script string
		want         admission
		next         string // of the item if it is not clear
	}{
		{"refused", "i rr rr i", keepsOut, ""},
		{"hung_up", "i cc rr i", keepsOut, ""},
		{"refused_and_hung_up", "i rcr rr i", keepsOut, ""},
		{"alert_of_tls", "i tt rr i", keepsOut, ""},
		{"let_in", "- ii rr -", letsIn, ""},
		{"let_in_in_two_of_three", "i iri rr i", letsIn, ""},
		{"let_in_in_one_of_three", "i rir rr i", unclear, "run again"},
		{"no_log_in", "- rr rr -", unclear, "give an MQTT log-in"},
		{"log_in_refused", "r rr rr x", unclear, "log-in app of the device file right"},
		{"log_in_refused_at_another_door", "x rr rr x", unclear, "log-in app of the device file right"},
		{"budget_spent", "b rr rr b", unclear, "the budget of log-ins is per run"},
		{"dead_after_it", "i cc rr c", unclear, "run again"},
		{"dead_before_it", "c cc rr n", unclear, "run again"},
		{"silent", "i ss rr i", unclear, "run again"},
		{"connection_declined", "i dd rr i", unclear, "run again"},
		{"client_identifier_refused", "i 22 rr i", unclear, "run again"},
		{"babble", "i mm rr i", unclear, "run again"},
		{"asked_once", "i r rr i", unclear, "run again"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := entry{Door: takes(way5, tt.script)}
			if got := e.admits(e.Anonymous); got != tt.want {
				t.Errorf("admits = %d, want %d", got, tt.want)
			}
			if next := e.unsure(e.Anonymous, "anonymous").Next.String(); tt.next != "" && !strings.Contains(next, tt.next) {
				t.Errorf("next = %q, want %q", next, tt.next)
			}
		})
	}
}

func TestDoorsOfAVersionThatIsNotSpoken(t *testing.T) {
	for script, want := range map[string]bool{
		"o oo oo n": true, "- oo oo -": true, "x oo oo x": true, "n oo oo n": true,
		"i oo oo i": false, "- or oo -": false, "- oo oi -": false, sound: false,
	} {
		if got := (entry{Door: takes(way5, script)}).unspoken(); got != want {
			t.Errorf("%q: unspoken = %t", script, got)
		}
	}
}

// spokenAt are the records of a device whose open ports are these.
func spokenAt(t *testing.T, list ...services.Service) []evidence.Record {
	t.Helper()
	var open []netip.AddrPort
	for _, s := range list {
		open = append(open, s.Addr)
	}
	return []evidence.Record{checktest.Record(t, tcpports.Probe, surface(open...)), checktest.Record(t, services.Probe, services.Evidence{Services: list})}
}

// shortSurface expects that no pass stands where ports were not looked at, and
// that a fail does.
func shortSurface(t *testing.T, c check.Check, whole verdict.Verdict, records ...evidence.Record) {
	t.Helper()
	want := verdict.Inconclusive
	if whole == verdict.Fail {
		want = verdict.Fail
	}
	spoke := speaks(broker, services.MQTT, 2)
	spoke.TLS = evidence.Yes
	decided(t, c, want, append([]evidence.Record{checktest.Record(t, tcpports.Probe, short(broker)),
		checktest.Record(t, services.Probe, services.Evidence{Services: []services.Service{spoke}})}, records...)...)
}

func TestWithSurfaceAddsOneItem(t *testing.T) {
	probe := check.Check{ID: "test.surface", Title: "x", Remedy: "x", Needs: tcpSurface, Decide: func(in check.In) []check.Item {
		return withSurface(in.DUT, []check.Item{check.Pass(way5.Endpoint(), msg.T("x"), seenAll(in.DUT)...)})
	}}
	if d := decided(t, probe, verdict.Pass, brokerSurface(t)...); len(d.Items) != 1 {
		t.Errorf("items = %+v", d.Items)
	}
	shortSurface(t, probe, verdict.Pass)
}
