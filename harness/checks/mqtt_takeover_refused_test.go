package checks

import (
	"testing"

	"github.com/assay-iot/assay/harness/check/checktest"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/mqtttakeover"
	"github.com/assay-iot/assay/harness/verdict"
)

// outlasted is a round in which A's session outlasted everybody but A itself.
func outlasted(f ...func(*mqtttakeover.Round)) mqtttakeover.Round {
	turned := mqtttakeover.Attempt{Connection: ansRefused, Held: evidence.Yes}
	r := mqtttakeover.Round{
		A: ansIn, BElsewhere: ansIn, B: turned, Random: turned, Anonymous: turned,
		Own: mqtttakeover.Attempt{Connection: ansIn, Held: evidence.No},
	}
	for _, change := range f {
		change(&r)
	}
	return r
}

func TestMQTTTakeoverRefused(t *testing.T) {
	good := outlasted()
	byB := outlasted(func(r *mqtttakeover.Round) { r.B = mqtttakeover.Attempt{Connection: ansIn, Held: evidence.No} })
	byRandom := outlasted(func(r *mqtttakeover.Round) { r.Random.Held = evidence.No })
	byStranger := outlasted(func(r *mqtttakeover.Round) { r.Anonymous.Held = evidence.No })
	letInAndHarmless := outlasted(func(r *mqtttakeover.Round) { r.Anonymous.Connection = ansIn })
	unknown := outlasted(func(r *mqtttakeover.Round) { r.Random.Held = evidence.Unknown })
	neverTaken := outlasted(func(r *mqtttakeover.Round) { r.Own.Held = evidence.Yes })
	noB := outlasted(func(r *mqtttakeover.Round) { r.BElsewhere = ansRefused; r.B = mqtttakeover.Attempt{Connection: ansNot} })
	tests := []struct {
		name string
		b    string
		seen []mqtttakeover.Round
		want verdict.Verdict
	}{
		{"outlasted", "lock", []mqtttakeover.Round{good, good}, verdict.Pass},
		{"let_in_and_harmless", "lock", []mqtttakeover.Round{letInAndHarmless, good}, verdict.Pass},
		{"b_takes_over", "lock", []mqtttakeover.Round{byB, byB}, verdict.Fail},
		{"random_takes_over", "lock", []mqtttakeover.Round{byRandom, byRandom}, verdict.Fail},
		{"stranger_takes_over", "lock", []mqtttakeover.Round{byStranger, byStranger}, verdict.Fail},
		{"stranger_takes_over_without_b", "", []mqtttakeover.Round{byStranger, byStranger}, verdict.Fail},
		{"flapping_twice_in_three", "lock", []mqtttakeover.Round{byB, good, byB}, verdict.Fail},
		{"one_off", "lock", []mqtttakeover.Round{byB, good, good}, verdict.Inconclusive},
		{"two_one_offs_of_two", "lock", []mqtttakeover.Round{byB, byStranger, good}, verdict.Inconclusive},
		{"not_seen", "lock", []mqtttakeover.Round{good, unknown}, verdict.Inconclusive},
		{"a_cannot_take_over_either", "lock", []mqtttakeover.Round{neverTaken, neverTaken}, verdict.Inconclusive},
		{"b_not_let_in_elsewhere", "lock", []mqtttakeover.Round{noB, noB}, verdict.Inconclusive},
		{"no_second_log_in", "", []mqtttakeover.Round{good, good}, verdict.Inconclusive},
		{"a_not_let_in", "lock", []mqtttakeover.Round{{A: ansRefused, BElsewhere: ansNot}}, verdict.Inconclusive},
		{"one_round_is_enough_where_all_was_held", "lock", []mqtttakeover.Round{good}, verdict.Pass},
		{"version_not_spoken", "lock", []mqtttakeover.Round{{A: ansOld}, {A: ansOld}}, verdict.NotApplicable},
		{"no_log_in", "", nil, verdict.Inconclusive},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := mqtttakeover.Doorway{Door: way311, A: "app", Rounds: tt.seen}
			if tt.b != "" {
				d.B = "lock"
			}
			r := checktest.Record(t, mqtttakeover.Probe, mqtttakeover.Evidence{Doors: []mqtttakeover.Doorway{d}})
			decided(t, mqttTakeoverRefused, tt.want, append(brokerSurface(t), r)...)
			onPart(t, mqttTakeoverRefused, tt.want, r, brokerSurface(t)...)
		})
	}
	withoutBroker(t, mqttTakeoverRefused, checktest.Record(t, mqtttakeover.Probe, mqtttakeover.Evidence{}))
}
