package checks

import (
	"testing"

	"github.com/assay-iot/assay/harness/check/checktest"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/mqttconnect"
	"github.com/assay-iot/assay/harness/probes/mqttread"
	"github.com/assay-iot/assay/harness/probes/services"
	"github.com/assay-iot/assay/harness/probes/tcpports"
	"github.com/assay-iot/assay/harness/verdict"
)

// plain5 is a door in clear, beside the ones of broker.
var plain5 = mqttconnect.Way{Addr: odd, TLS: evidence.No, Version: mqttconnect.V5}

func TestMQTTListenersEquallyProtected(t *testing.T) {
	inClear := way311
	inClear.TLS = evidence.No
	inClear5 := way5
	inClear5.TLS = evidence.No
	tests := []struct {
		name  string
		doors []mqttconnect.Door
		want  verdict.Verdict
	}{
		{"alike", []mqttconnect.Door{takes(way311, sound), takes(way5, sound)}, verdict.Pass},
		{"alike_and_open", []mqttconnect.Door{takes(way311, "i ii ii i"), takes(way5, "i ii ii i")}, verdict.Pass},
		{"alike_and_in_clear", []mqttconnect.Door{takes(inClear, sound), takes(inClear5, sound)}, verdict.Pass},
		{"one_refuses_and_one_hangs_up", []mqttconnect.Door{takes(way311, sound), takes(way5, "i cc cc i")}, verdict.Pass},
		{"five_forgotten", []mqttconnect.Door{takes(way311, sound), takes(way5, "i ii rr i")}, verdict.Fail},
		{"five_flapping", []mqttconnect.Door{takes(way311, sound), takes(way5, "i iri rr i")}, verdict.Fail},
		{"any_password_in_three", []mqttconnect.Door{takes(way311, "i rr ii i"), takes(way5, sound)}, verdict.Fail},
		{"five_let_one_in_once", []mqttconnect.Door{takes(way311, sound), takes(way5, "i rir rr i")}, verdict.Inconclusive},
		{"five_is_silent", []mqttconnect.Door{takes(way311, sound), takes(way5, "i rr ss i")}, verdict.Inconclusive},
		{"no_log_in", []mqttconnect.Door{takes(way311, "- rr rr -"), takes(way5, "- rr rr -")}, verdict.Inconclusive},
		{"no_log_in_and_five_open", []mqttconnect.Door{takes(way311, "- rr rr -"), takes(way5, "- ii rr -")}, verdict.Inconclusive},
		{"five_is_not_spoken", []mqttconnect.Door{takes(way311, sound), takes(way5, "o oo oo n")}, verdict.NotApplicable},
		{"one_door", []mqttconnect.Door{takes(way5, "i ii rr i")}, verdict.NotApplicable},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			record := connected(t, tt.doors...)
			decided(t, mqttListenersEquallyProtected, tt.want, append(brokerSurface(t), record)...)
			onPart(t, mqttListenersEquallyProtected, tt.want, record, brokerSurface(t)...)
			shortSurface(t, mqttListenersEquallyProtected, tt.want, record)
			decided(t, mqttListenersEquallyProtected, verdict.Inconclusive, brokerSurface(t)...)
		})
	}
	withoutBroker(t, mqttListenersEquallyProtected, connected(t))
}

// Two listeners are compared if something shows that one broker is behind both.
func TestListenersOfOneBroker(t *testing.T) {
	status, other := keptAs("door/status", `{"firmware":"2.3.1","start":4}`), keptAs("door/status", `{"firmware":"2.3.1","start":5}`)
	short := keptAs("door/status", "online")
	at := func(way mqttconnect.Way, m mqttread.Message) mqttread.Reading {
		r := reader(mqttread.Stranger, glance(m))
		r.Way = way
		return r
	}
	tests := []struct {
		name          string
		secure, plain string
		readings      []mqttread.Reading
		want          verdict.Verdict
	}{
		{"same_log_in", sound, sound, nil, verdict.Fail},
		{"same_log_in_where_any_is_taken", "i rr ii i", "i rr ii i", nil, verdict.Inconclusive},
		{"same_message", "i ii ii i", "i ii ii i", []mqttread.Reading{at(way5, status), at(plain5, status)}, verdict.Fail},
		{"other_message", "i ii ii i", "i ii ii i", []mqttread.Reading{at(way5, status), at(plain5, other)}, verdict.Inconclusive},
		{"message_that_says_little", "i ii ii i", "i ii ii i", []mqttread.Reading{at(way5, short), at(plain5, short)}, verdict.Inconclusive},
		{"nothing_in_common", "i ii ii i", "i ii ii i", nil, verdict.Inconclusive},
		{"no_log_in", "- rr rr -", "- rr rr -", nil, verdict.Inconclusive},
	}
	surface := []evidence.Record{checktest.Record(t, tcpports.Probe, surface(odd, broker)), checktest.Record(t, services.Probe, services.Evidence{
		Services: []services.Service{speaks(odd, services.MQTT, 2), inside(speaks(broker, services.MQTT, 2))},
	})}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			records := append(surface[:2:2], connected(t, takes(plain5, tt.plain), takes(way5, tt.secure)))
			if tt.readings != nil {
				records = append(records, readBy(t, tt.readings...))
			}
			d := decided(t, mqttListenersEquallyProtected, tt.want, records...)
			if got := verdictsAt(d); got["tcp/2323#mqtt-5"] != tt.want {
				t.Errorf("verdicts = %v", got)
			}
		})
	}
}

// What is read can show a fail, and never makes a pass.
func TestRule1ReadingsMakeNoPass(t *testing.T) {
	status := keptAs("door/status", `{"firmware":"2.3.1","start":4}`)
	records := append(brokerSurface(t), connected(t, takes(way311, sound), takes(way5, "i rr ss i")),
		readBy(t, reader(mqttread.Member, glance(status), glance(status))))
	decided(t, mqttListenersEquallyProtected, verdict.Inconclusive, records...)
}
