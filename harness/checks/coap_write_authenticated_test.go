package checks

import (
	"strings"
	"testing"

	"github.com/assay-iot/assay/harness/check/checktest"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/coapread"
	"github.com/assay-iot/assay/harness/probes/coapwrite"
	"github.com/assay-iot/assay/harness/verdict"
)

// wroteBy is one write: how it was taken, and whether the value changed and was
// put back: "2+y" changed and is back, "rny" was refused and changed nothing.
func wroteBy(who coapread.Reader, d coapread.Door, script string) coapwrite.Attempt {
	tri := map[byte]evidence.Tri{'+': evidence.Yes, 'y': evidence.Yes, 'n': evidence.No, '?': evidence.Unknown}
	a := coapwrite.Attempt{
		Actor: coapwrite.Actor{Door: d, Reader: who}, Entry: coapread.Answer{Outcome: coapread.Opened}, Value: evidence.Bytes("21"),
		Put: tookBy(rune(script[0])).Exchange, Post: coapread.Exchange{Outcome: coapread.NotTried, Format: -1},
		Changed: tri[script[1]], Restored: tri[script[2]],
	}
	if who == coapread.Holder {
		a.Actor.Credential = "app"
	}
	switch script[0] {
	case '2':
		a.Put.Code = "2.04"
	case '!':
		a.Entry.Outcome, a.Put.Outcome = coapread.Refused, coapread.Refused
	case '5':
		a.Post = tookBy('5').Exchange
	case 'p': // PUT is not allowed, and POST works
		a.Put.Code, a.Post = "4.05", tookBy('t').Exchange
		a.Post.Code = "2.04"
	}
	return a
}

// wrote is the record of writes to one resource, by the holder and by a stranger
// in clear.
func wrote(t *testing.T, holder, stranger []string, change func(*coapwrite.Resource)) evidence.Record {
	t.Helper()
	r := coapwrite.Resource{Path: []byte("/setpoint"), Original: evidence.Bytes("20"), Format: -1, Last: evidence.Bytes("20"), Restored: evidence.Yes}
	for _, s := range holder {
		r.Controls = append(r.Controls, wroteBy(coapread.Holder, coapDTLS, s))
	}
	for _, s := range stranger {
		r.Attempts = append(r.Attempts, wroteBy(coapread.Stranger, coapClear, s))
	}
	if change != nil {
		change(&r)
	}
	return checktest.Record(t, coapwrite.Probe, coapwrite.Evidence{Resources: []coapwrite.Resource{r}})
}

func TestCoAPWriteAuthenticated(t *testing.T) {
	works := []string{"2+y", "2+y"}
	skipped := func(why coapwrite.Reason) func(*coapwrite.Resource) {
		return func(r *coapwrite.Resource) { r.Skipped, r.Restored = why, evidence.Unknown }
	}
	stuck := func(r *coapwrite.Resource) { r.Restored, r.Last = evidence.No, evidence.Bytes("21\x1b[2J") }
	tests := []struct {
		name             string
		holder, stranger []string
		change           func(*coapwrite.Resource)
		want             verdict.Verdict
		text             string
	}{
		{"refused", works, []string{"rny", "rny"}, nil, verdict.Pass, "between writes by the holder of log-in app"},
		{"forbidden", works, []string{"fny", "fny"}, nil, verdict.Pass, ""},
		{"not_allowed", works, []string{"5ny", "5ny"}, nil, verdict.Pass, ""},
		{"alert", works, []string{"!ny", "!ny"}, nil, verdict.Pass, ""},
		{"rejected", works, []string{"xny", "xny"}, nil, verdict.Pass, ""},
		{"changed", works, []string{"2+y", "2+y"}, nil, verdict.Fail, "was put back"},
		{"changed_by_post", works, []string{"p+y", "p+y"}, nil, verdict.Fail, ""},
		{"changed_without_a_log_in_to_compare", nil, []string{"2+y", "2+y"}, nil, verdict.Fail, ""},
		{"changed_in_two_of_three", works, []string{"2+y", "rny", "2+y"}, nil, verdict.Fail, "2 of 3 writes"},
		{"changed_once", works, []string{"2+y", "rny", "rny"}, nil, verdict.Inconclusive, ""},
		{"changed_and_stuck", works, []string{"2+y", "2+n"}, stuck, verdict.Fail, `could not be put back: it was 20, and is 21\x1b[2J`},
		{"changed_once_and_stuck", nil, []string{"2+n"}, stuck, verdict.Inconclusive, "could not be put back"},
		{"taken_and_unchanged", works, []string{"2ny", "2ny"}, nil, verdict.Inconclusive, "did not refuse the write (2.04)"},
		{"posted_and_unchanged", works, []string{"pny", "pny"}, nil, verdict.Inconclusive, "(2.04)"},
		{"silent", works, []string{"sny", "sny"}, nil, verdict.Inconclusive, "(silent)"},
		{"unreadable_afterwards", works, []string{"r?y", "r?y"}, nil, verdict.Inconclusive, ""},
		{"written_once", works, []string{"rny"}, nil, verdict.Inconclusive, ""},
		{"no_holder", nil, []string{"rny", "rny"}, nil, verdict.Inconclusive, "no holder"},
		{"holder_refused", []string{"rny", "rny"}, []string{"rny", "rny"}, nil, verdict.Inconclusive, "could not write either"},
		{"holder_refused_afterwards", []string{"2+y", "rny"}, []string{"rny", "rny"}, nil, verdict.Inconclusive, ""},
		{"nobody_reads_it", nil, nil, skipped(coapwrite.Unreadable), verdict.Inconclusive, "unreadable"},
		{"it_changes_by_itself", nil, nil, skipped(coapwrite.Changing), verdict.Inconclusive, "changing"},
		{"it_holds_a_secret", nil, nil, skipped(coapwrite.HasSecret), verdict.Inconclusive, "secret"},
		{"the_run_ended", nil, nil, skipped(coapwrite.NotYet), verdict.Inconclusive, "not_yet"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			read, written := readCoAP(t, inClear("+ttr", "+ttr")), wrote(t, tt.holder, tt.stranger, tt.change)
			d := decided(t, coapWriteAuthenticated, tt.want, append(coapBoth(t), read, written)...)
			if why := d.Items[len(d.Items)-1].Why.String(); !strings.Contains(why, tt.text) {
				t.Errorf("why = %q", why)
			}
			everyCoAPSurface(t, coapWriteAuthenticated, tt.want, read, written)
			onPart(t, coapWriteAuthenticated, tt.want, written, append(coapBoth(t), read)...)
		})
	}
	withoutCoAP(t, coapWriteAuthenticated, checktest.Record(t, coapwrite.Probe, coapwrite.Evidence{}))
}

// Without a resource that may be written, nobody writes.
func TestCoAPWriteWithoutResources(t *testing.T) {
	d := decided(t, coapWriteAuthenticated, verdict.Inconclusive, append(coapBoth(t), readCoAP(t, inClear("+ttt", "+ttt")), checktest.Record(t, coapwrite.Probe, coapwrite.Evidence{}))...)
	if next := d.Items[0].Next.String(); !strings.Contains(next, "give two test_values") {
		t.Errorf("next = %q", next)
	}
}

// Each door in clear and inside DTLS has an item of its own.
func TestCoAPWriteAtEachDoor(t *testing.T) {
	written := wrote(t, []string{"2+y", "2+y"}, []string{"2+y", "2+y"}, func(r *coapwrite.Resource) {
		for range 2 {
			r.Attempts = append(r.Attempts, wroteBy(coapread.Stranger, coapDTLS, "!ny"))
		}
	})
	d := decided(t, coapWriteAuthenticated, verdict.Fail, append(coapBoth(t), readCoAP(t, append(behindDTLS("+ttt", "+ttt"), inClear("+ttt", "+ttt"))...), written)...)
	sameVerdicts(t, d.Items, map[string]verdict.Verdict{"udp/5683#/setpoint": verdict.Fail, "udp/5684#/setpoint": verdict.Pass})
}
