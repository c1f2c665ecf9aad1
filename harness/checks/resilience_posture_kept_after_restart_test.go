package checks

import (
	"net/netip"
	"testing"
	"time"

	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/check/checktest"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/mqttconnect"
	"github.com/assay-iot/assay/harness/probes/powercycle"
	"github.com/assay-iot/assay/harness/probes/services"
	"github.com/assay-iot/assay/harness/probes/tcpports"
	"github.com/assay-iot/assay/harness/verdict"
)

// stands is a look at a broker that keeps everybody out.
func stands(f ...func(*powercycle.Endpoint)) powercycle.Look {
	e := powercycle.Endpoint{Addr: broker, Accepts: evidence.Yes, Certificate: "aa", Doors: []powercycle.Door{{Way: way311, Anonymous: ansRefused, Random: ansRefused}}}
	for _, change := range f {
		change(&e)
	}
	return powercycle.Look{Endpoints: []powercycle.Endpoint{e}}
}

// returned is a device that came back as it was.
func returned(f ...func(*powercycle.Evidence)) powercycle.Evidence {
	e := powercycle.Evidence{
		Before: []powercycle.Look{stands(), stands()}, After: []powercycle.Look{stands(), stands()},
		Off: powercycle.Off{Quiet: 2}, Back: powercycle.Back{All: evidence.Yes, Waited: 20 * time.Second}, Tried: tcpports.All,
	}
	for _, change := range f {
		change(&e)
	}
	return e
}

// after changes the looks after the power cut.
func after(looks ...powercycle.Look) func(*powercycle.Evidence) {
	return func(e *powercycle.Evidence) { e.After = looks }
}

func TestPostureKeptAfterRestart(t *testing.T) {
	open := stands(func(e *powercycle.Endpoint) { e.Doors[0].Anonymous = ansIn })
	anyPair := stands(func(e *powercycle.Endpoint) { e.Doors[0].Random = ansIn })
	shut := stands(func(e *powercycle.Endpoint) { *e = powercycle.Endpoint{Addr: broker, Accepts: evidence.No} })
	another := stands(func(e *powercycle.Endpoint) { e.Certificate = "bb" })
	stricter := stands(func(e *powercycle.Endpoint) { e.Doors[0].Anonymous = ansClosed })
	silent := stands(func(e *powercycle.Endpoint) { e.Doors[0].Random = ansSilent })
	gone := func(d time.Duration) func(*powercycle.Evidence) {
		return func(e *powercycle.Evidence) {
			e.Back = powercycle.Back{All: evidence.No, Waited: d, Gone: []netip.AddrPort{broker}}
			e.After, e.Tried = nil, 0
		}
	}
	tests := []struct {
		name string
		seen powercycle.Evidence
		want verdict.Verdict
	}{
		{"as_before", returned(), verdict.Pass},
		{"always_open", returned(func(e *powercycle.Evidence) { e.Before = []powercycle.Look{open, open} }, after(open, open)), verdict.Pass},
		{"strangers_let_in", returned(after(open, open)), verdict.Fail},
		{"every_pair_let_in", returned(after(anyPair, anyPair)), verdict.Fail},
		{"strangers_let_in_once", returned(after(open, stands())), verdict.Inconclusive},
		{"strangers_let_in_once_before", returned(func(e *powercycle.Evidence) { e.Before[0] = open }, after(open, open)), verdict.Inconclusive},
		{"new_port", returned(func(e *powercycle.Evidence) { e.Opened = []powercycle.Opened{{Addr: odd, Seen: 2}} }), verdict.Fail},
		{"new_port_once", returned(func(e *powercycle.Evidence) { e.Opened = []powercycle.Opened{{Addr: odd, Seen: 1}} }), verdict.Inconclusive},
		{"not_back", returned(gone(301 * time.Second)), verdict.Fail},
		{"not_waited_for_long_enough", returned(gone(100 * time.Second)), verdict.Inconclusive},
		{"back_and_gone_again", returned(after(shut, shut)), verdict.Fail},
		{"back_late", returned(func(e *powercycle.Evidence) { e.Back.Waited = 301 * time.Second }), verdict.Inconclusive},
		{"does_not_always_accept", returned(after(shut, stands())), verdict.Inconclusive},
		{"another_certificate", returned(after(another, another)), verdict.Inconclusive},
		{"certificates_flap", returned(after(another, stands())), verdict.Inconclusive},
		{"stricter", returned(after(stricter, stricter)), verdict.Inconclusive},
		{"silent", returned(after(silent, silent), func(e *powercycle.Evidence) { e.Before = []powercycle.Look{silent, silent} }), verdict.Inconclusive},
		{"one_look_after", returned(after(stands())), verdict.Inconclusive},
		{"not_seen_to_be_off", returned(func(e *powercycle.Evidence) { e.Off.Quiet = 1 }), verdict.Inconclusive},
		{"few_ports_looked_at", returned(func(e *powercycle.Evidence) { e.Tried = 1000 }), verdict.Inconclusive},
		{"nobody_switched_it", powercycle.Evidence{}, verdict.Inconclusive},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := checktest.Record(t, powercycle.Probe, tt.seen)
			decided(t, resiliencePostureKeptAfterRestart, tt.want, append(brokerSurface(t), r)...)
			onPart(t, resiliencePostureKeptAfterRestart, tt.want, r, brokerSurface(t)...)
		})
	}
	t.Run("nothing", func(t *testing.T) { decided(t, resiliencePostureKeptAfterRestart, verdict.Inconclusive) })
}

// What nobody identified may have changed unseen.
func TestPostureOfAnUnknownPort(t *testing.T) {
	ports := checktest.Record(t, tcpports.Probe, surface(odd, broker))
	spoke := checktest.Record(t, services.Probe, services.Evidence{Services: []services.Service{speaks(odd, services.Unidentified, 0), speaks(broker, services.MQTT, 2)}})
	d := decided(t, resiliencePostureKeptAfterRestart, verdict.Inconclusive, ports, spoke, checktest.Record(t, powercycle.Probe, returned()))
	if at := verdictsAt(d); at[""] != verdict.Inconclusive || at["tcp/8883"] != verdict.Pass {
		t.Errorf("verdicts = %v", at)
	}
	short := checktest.Record(t, tcpports.Probe, short(broker))
	decided(t, resiliencePostureKeptAfterRestart, verdict.Inconclusive, append(brokerSurface(t)[1:], short, checktest.Record(t, powercycle.Probe, returned()))...)
}

func TestRecoverParameter(t *testing.T) {
	late := returned(func(e *powercycle.Evidence) { e.Back.Waited = 400 * time.Second })
	log := append(evidence.Log(brokerSurface(t)), checktest.Record(t, powercycle.Probe, late))
	for with, want := range map[int]verdict.Verdict{300: verdict.Inconclusive, 500: verdict.Pass} {
		if d, _ := check.Judge(resiliencePostureKeptAfterRestart, check.With{"recover_s": with}, log); d.Verdict != want {
			t.Errorf("within %d s: %s", with, d.Verdict)
		}
	}
}

// Clients are compared version by version.
func TestPostureVersionByVersion(t *testing.T) {
	both := func(five mqttconnect.Answer) powercycle.Look {
		return stands(func(e *powercycle.Endpoint) {
			e.Doors = append(e.Doors, powercycle.Door{Way: way5, Anonymous: five, Random: ansRefused})
		})
	}
	shut, open := both(ansRefused), both(ansIn)
	seen := returned(func(e *powercycle.Evidence) { e.Before = []powercycle.Look{shut, shut} }, after(open, open))
	d := decided(t, resiliencePostureKeptAfterRestart, verdict.Fail, append(brokerSurface(t), checktest.Record(t, powercycle.Probe, seen))...)
	if why := d.Items[0].Why.String(); why != "MQTT client anonymous 5 was kept out before the power cut, and let in twice after it" {
		t.Errorf("why = %q", why)
	}
}
