package checks

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/check/checktest"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/probes/lwm2mbench"
	"github.com/assay-iot/assay/harness/verdict"
)

func playedAs(name lwm2mbench.Name, dialogues ...lwm2mbench.Dialogue) lwm2mbench.Role {
	return lwm2mbench.Role{
		Name: name, Declared: "coaps://192.0.2.9:5684", Addr: netip.MustParseAddrPort("192.0.2.9:5684"),
		Listened: evidence.Yes, Lasted: time.Minute, Dialogues: dialogues,
	}
}

func lwm2mAsked(kind lwm2mbench.Kind, f ...func(*lwm2mbench.Request)) lwm2mbench.Request {
	q := lwm2mbench.Request{Kind: kind, OSCORE: evidence.No, Whole: evidence.Yes, Times: 1, Blocks: 1, Answer: "2.01", Key: evidence.No}
	for _, change := range f {
		change(&q)
	}
	return q
}

func spokeClear(requests ...lwm2mbench.Request) lwm2mbench.Dialogue {
	return lwm2mbench.Dialogue{Channel: lwm2mbench.Clear, Requests: requests}
}

func spokeDTLS(requests ...lwm2mbench.Request) lwm2mbench.Dialogue {
	return lwm2mbench.Dialogue{Channel: lwm2mbench.DTLS, Requests: requests,
		Handshake: lwm2mbench.Handshake{Outcome: lwm2mbench.Opened, Identity: []byte("meter"), Known: evidence.Yes, Suite: 0xc0a8}}
}

func shookHands(o lwm2mbench.Outcome, known evidence.Tri) lwm2mbench.Dialogue {
	return lwm2mbench.Dialogue{Channel: lwm2mbench.DTLS, Handshake: lwm2mbench.Handshake{Outcome: o, Known: known, Identity: []byte("who\x1b")}}
}

func TestLwM2MBootstrapEncrypted(t *testing.T) {
	const boot, server = lwm2mbench.Bootstrap, lwm2mbench.Server
	reg, bs, update := lwm2mAsked(lwm2mbench.Register), lwm2mAsked(lwm2mbench.BootstrapRequest), lwm2mAsked(lwm2mbench.Update)
	withKey := lwm2mAsked(lwm2mbench.Register, func(q *lwm2mbench.Request) { q.Key = evidence.Yes })
	withSecret := lwm2mAsked(lwm2mbench.Register, func(q *lwm2mbench.Request) { q.Secrets = []evidence.Secret{{Class: "token", Length: 20}} })
	half := lwm2mAsked(lwm2mbench.Register, func(q *lwm2mbench.Request) { q.Whole, q.Answer = evidence.No, "2.31" })
	sealed := lwm2mAsked(lwm2mbench.Protected, func(q *lwm2mbench.Request) { q.OSCORE, q.Answer = evidence.Yes, "" })
	noisy := spokeClear()
	noisy.Malformed = 3
	deaf := playedAs(server)
	deaf.Listened = evidence.No
	tests := []struct {
		name  string
		roles []lwm2mbench.Role
		want  verdict.Verdict
		says  string // in the why of the first item
	}{
		{"registers_inside", []lwm2mbench.Role{playedAs(server, spokeDTLS(reg, update))}, verdict.Pass, "registered inside DTLS, 1 times"},
		{"both_inside", []lwm2mbench.Role{playedAs(boot, spokeDTLS(bs)), playedAs(server, spokeDTLS(reg))}, verdict.Pass, "registered inside DTLS too"},
		{"registers_in_clear", []lwm2mbench.Role{playedAs(server, spokeClear(reg), spokeClear(reg))}, verdict.Fail, "2 requests to register or bootstrap in clear"},
		{"registers_and_updates_in_clear", []lwm2mbench.Role{playedAs(server, spokeClear(reg, update, update))}, verdict.Fail, "3 requests"},
		{"bootstraps_in_clear", []lwm2mbench.Role{playedAs(boot, spokeClear(bs, bs)), playedAs(server, spokeDTLS(reg))}, verdict.Fail, "2 requests"},
		{"in_clear_with_the_key", []lwm2mbench.Role{playedAs(server, spokeClear(reg, withKey))}, verdict.Fail, "its declared key"},
		{"in_clear_with_a_secret", []lwm2mbench.Role{playedAs(server, spokeClear(reg, withSecret))}, verdict.Fail, "1 secrets with them"},
		{"falls_back_to_clear", []lwm2mbench.Role{playedAs(server, spokeDTLS(reg), spokeClear(reg), spokeClear(reg))}, verdict.Fail, "2 requests"},
		{"in_clear_once", []lwm2mbench.Role{playedAs(server, spokeClear(reg))}, verdict.Inconclusive, "once"},
		{"in_clear_once_and_inside", []lwm2mbench.Role{playedAs(server, spokeDTLS(reg), spokeClear(reg))}, verdict.Inconclusive, "once"},
		{"inside_and_something_in_clear", []lwm2mbench.Role{playedAs(server, spokeDTLS(reg), spokeClear(update, update))}, verdict.Inconclusive, "2 messages in clear"},
		{"inside_and_noise", []lwm2mbench.Role{playedAs(server, spokeDTLS(reg), noisy)}, verdict.Inconclusive, "3 messages in clear"},
		{"bootstrap_alone", []lwm2mbench.Role{playedAs(boot, spokeDTLS(bs))}, verdict.Inconclusive, "came to no end"},
		{"bootstrap_and_silence", []lwm2mbench.Role{playedAs(boot, spokeDTLS(bs)), playedAs(server)}, verdict.Inconclusive, "came to no end"},
		{"bootstrap_not_seen", []lwm2mbench.Role{playedAs(boot), playedAs(server, spokeDTLS(reg))}, verdict.Inconclusive, "nothing came"},
		{"half_a_registration", []lwm2mbench.Role{playedAs(server, spokeDTLS(half))}, verdict.Inconclusive, "neither registered"},
		{"oscore", []lwm2mbench.Role{playedAs(server, spokeClear(sealed))}, verdict.Inconclusive, "inside OSCORE"},
		{"unknown_identity", []lwm2mbench.Role{playedAs(server, shookHands(lwm2mbench.Broken, evidence.No))}, verdict.Inconclusive, `who\x1b`},
		{"no_handshake_completed", []lwm2mbench.Role{playedAs(server, shookHands(lwm2mbench.Silent, evidence.Unknown))}, verdict.Inconclusive, "1 handshakes"},
		{"silence", []lwm2mbench.Role{playedAs(server)}, verdict.Inconclusive, "nothing came from the device within 1m0s"},
		{"not_ours", []lwm2mbench.Role{deaf}, verdict.Inconclusive, "nobody could listen at 192.0.2.9:5684"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			records := []evidence.Record{
				checktest.Record(t, lwm2mbench.Probe, lwm2mbench.Evidence{Roles: tt.roles}), checktest.Record(t, declaration.Probe, declaration.Evidence{}),
			}
			d := checktest.Decide(t, lwm2mBootstrapEncrypted, records...)
			if d.Verdict != tt.want || len(d.Items) != len(tt.roles) || !strings.Contains(d.Items[0].Why.String(), tt.says) {
				t.Errorf("verdict = %s, want %s; items %+v", d.Verdict, tt.want, d.Items)
			}
			if want := "bench/" + string(tt.roles[0].Name); d.Items[0].Endpoint != want || d.Items[0].Key != want {
				t.Errorf("endpoint = %q, want %q", d.Items[0].Endpoint, want)
			}
			records[0] = checktest.Partial(records[0], "something")
			if d := checktest.Decide(t, lwm2mBootstrapEncrypted, records...); d.Verdict == verdict.Pass || (d.Verdict == verdict.Fail) != (tt.want == verdict.Fail) {
				t.Errorf("from a part: %s", d.Verdict)
			}
		})
	}
}

func TestLwM2MThatIsNotDeclared(t *testing.T) {
	for used, want := range map[evidence.Tri]verdict.Verdict{
		evidence.Unknown: verdict.Inconclusive, evidence.No: verdict.NotApplicable, evidence.Yes: verdict.Inconclusive,
	} {
		d := checktest.Decide(t, lwm2mBootstrapEncrypted, checktest.Record(t, lwm2mbench.Probe, lwm2mbench.Evidence{}),
			checktest.Record(t, declaration.Probe, declaration.Evidence{LwM2M: declaration.LwM2M{Used: used}}))
		if d.Verdict != want || len(d.Items) != 1 {
			t.Errorf("used %s: %s, %+v", used, d.Verdict, d.Items)
		}
	}
	d, _ := check.Judge(lwm2mBootstrapEncrypted, nil, nil)
	if d.Verdict != verdict.Inconclusive {
		t.Errorf("without evidence: %s", d.Verdict)
	}
}
