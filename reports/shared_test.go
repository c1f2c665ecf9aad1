package reports

import (
	"strings"
	"time"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/result"
	"github.com/assay-iot/assay/harness/verdict"
)

const (
	etsi = "etsi-en-303-645-v3.1.3"
	psti = "uk-psti-2023-1007"
)

// began is when the shared run began.
var began = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func digest(c string) evidence.Digest { return evidence.Digest(strings.Repeat(c, 64)) }

func ref(probe, pointer string) []evidence.Ref {
	return []evidence.Ref{{Unit: evidence.DUT, Probe: probe, Pointer: pointer}}
}

// shared returns a result that holds whatever a result can: every verdict,
// basis and status, two profiles and units, a waiver, a defect, and strings
// that mean harm. Each call returns its own.
func shared() result.Result {
	return result.Result{
		Schema: result.Schema, Run: sharedRun(), Units: sharedUnits(),
		Verdicts: []result.Profile{
			{
				Profile: etsi, Title: "Cyber security for consumer Internet of Things, baseline requirements", Verdict: verdict.Fail,
				Counts:      result.Counts{Pass: 2, Fail: 3, Inconclusive: 5, NotApplicable: 1},
				Mandatory:   result.Counts{Pass: 1, Fail: 2, Inconclusive: 4, NotApplicable: 1},
				Coverage:    result.Coverage{Tested: 3, Inspected: 1, Declared: 2, Undecided: 5},
				Consistency: verdict.Fail,
			},
			{
				Profile: psti, Title: "Security requirements for relevant connectable products", Verdict: verdict.Inconclusive,
				Counts:      result.Counts{Pass: 1, Inconclusive: 2},
				Mandatory:   result.Counts{Pass: 1, Inconclusive: 2},
				Coverage:    result.Coverage{Declared: 1, Undecided: 2},
				Consistency: verdict.Inconclusive,
			},
		},
		Decisions: sharedDecisions(), Requirements: sharedRequirements(), Records: sharedRecords(), Surface: sharedSurface(),
		Defects: []result.Defect{{Where: `firmware.signed{"min_rsa_bits":2048}`, What: "panic: index out of range [7] with length 7"}},
	}
}

func sharedRun() result.Run {
	return result.Run{
		ID: "20260301T120000Z-1", Operator: "A. Tester", Site: "bench 2", Sample: "S-0042",
		Clock:       result.Clock{Time: began, Source: "system", OffsetNS: 1_500_000},
		CollectedBy: "assay 0.1.0", JudgedBy: "assay 0.1.0",
		Profiles: []result.Source{{ID: etsi, Version: "1", SHA256: digest("a")}, {ID: psti, SHA256: digest("b")}},
		Effect:   "active", Consent: "", Pace: "normal", Scope: []string{"192.0.2.1/32", "2001:db8::1/128"}, Vantage: "mirror",
		Deviations: []result.Deviation{
			{What: msg.T("only {ports} TCP ports were looked at", "ports", 1000), Reason: msg.T("--quick")},
			{What: msg.T("check {check} was left out", "check", "tls.no-sslv3"), Reason: msg.T("{reason}", "reason", "known|broken\x1b[2J")},
		},
		BundleSHA256: digest("c"),
	}
}

func sharedUnits() []result.Unit {
	return []result.Unit{
		{
			Unit: evidence.DUT, Role: "under test", ID: "door-lock-7", Manufacturer: "Assay Labs", Model: "Door Lock Hub",
			Hardware: "B", Firmware: "1.4.2", Serial: "0042", Addresses: []string{"192.0.2.1", "2001:db8::1"}, Identity: []string{"02:00:5e:00:53:01"},
		},
		{
			Unit: "unit-2", Role: "comparison", ID: "door-lock-8", Manufacturer: "Assay Labs", Model: "門鎖 \u202eHub",
			Firmware: "1.4.2", Addresses: []string{"192.0.2.2"}, Identity: []string{},
		},
	}
}

func sharedDecisions() []result.Decision {
	telnet := result.Decision{
		Check: "exposure.telnet-absent", Title: msg.T("The device speaks Telnet on no TCP port"), Verdict: verdict.Fail, Basis: verdict.Tested,
		Remedy: msg.T("Remove the Telnet server from the product image; offer SSH with keys if a console is needed"),
	}
	for _, port := range []string{"23", "2323", "2324", "2325", "2326", "2327"} {
		telnet.Items = append(telnet.Items, result.Item{
			Endpoint: "tcp/[2001:db8::1]:" + port, Unit: evidence.DUT, Key: "tcp/" + port, Verdict: verdict.Fail,
			Why:  msg.T("a Telnet option was negotiated, starting with {answer}", "answer", evidence.Bytes("\xff\xfb\x01\x1b[2J")),
			Refs: ref("services", "/services/0/protocol"),
		})
	}
	telnet.Items[0].Excerpts = []result.Excerpt{{
		Ref: telnet.Items[0].Refs[0], Record: 3, Value: `{"protocol":"telnet","answer":"\xff\xfb\x01` + "</pre><script>\x1b[2J\u202e" + `"}`, LeftOut: 99,
		Span: evidence.Span{Member: "transcript/000012", Offset: 40, Length: 24},
	}}
	return []result.Decision{
		{
			Check: "credentials.unique-across-units", Title: msg.T("Two units have different passwords"), Verdict: verdict.NotApplicable,
			Items: []result.Item{{Unit: "unit-2", Verdict: verdict.NotApplicable, Why: msg.T("no service asked for a password"), Refs: []evidence.Ref{}}},
		},
		telnet,
		{
			Check: "firmware.signed", With: `{"min_rsa_bits":2048}`, Title: msg.T("The update file is signed"), Verdict: verdict.Inconclusive,
			Items: []result.Item{{Verdict: verdict.Inconclusive, Why: msg.T("the check broke"), Next: msg.T("report the defects that this run lists"), Refs: []evidence.Ref{}}},
		},
		{
			Check: "mqtt.anonymous-refused", Title: msg.T("The broker refuses clients without credentials"), Verdict: verdict.Fail, Basis: verdict.Tested,
			Remedy: msg.T("Ask every client for credentials or a certificate"),
			Items: []result.Item{
				{
					Endpoint: "tcp/192.0.2.1:1883#a|b<script>alert(1)</script>\n\x1b]0;x\x07", Unit: evidence.DUT, Key: "tcp/1883", Verdict: verdict.Fail,
					Why:  msg.T("it accepted {n} of {n} connections without credentials", "n", 3),
					Refs: ref("mqtt-anonymous", "/listeners/0/accepted"), Advisory: msg.T("it names its version: {version}", "version", "`v1` [x](http://evil.example) *w*"),
				},
				{Endpoint: "tcp/192.0.2.1:8883", Unit: evidence.DUT, Key: "tcp/8883", Verdict: verdict.Pass, Why: msg.T("it refused {n} connections without credentials, between two good log-ins", "n", 3), Refs: ref("mqtt-anonymous", "/listeners/1/refused")},
				{Endpoint: "tcp/192.0.2.1:8884", Unit: evidence.DUT, Key: "tcp/8884", Verdict: verdict.Inconclusive, Why: msg.T("it answered once in 2 tries"), Next: msg.T("run again"), Refs: ref("mqtt-anonymous", "/listeners/2/refused")},
			},
		},
		{
			Check: "tls.no-weak-suite", Title: msg.T("TLS offers no weak cipher suite"), Verdict: verdict.Pass, Basis: verdict.Tested,
			Items: []result.Item{{
				Endpoint: "tcp/192.0.2.1:8883", Unit: evidence.DUT, Key: "tcp/8883", Verdict: verdict.Pass, Why: msg.T("it offered {n} suites, none of them weak", "n", 4),
				Advisory: msg.T("it offers TLS 1.2 and not 1.3"), Refs: ref("tls", "/endpoints/0/suites"),
			}},
		},
		{
			Check: "web.session-expires", Title: msg.T("A session ends after a time without use"), Verdict: verdict.Fail, Basis: verdict.Tested,
			Remedy: msg.T("End sessions after 15 minutes without use"),
			Items: []result.Item{{
				Endpoint: "tcp/192.0.2.1:443#/api", Unit: evidence.DUT, Key: "tcp/443#/api", Verdict: verdict.Fail, Why: msg.T("a session was accepted after {time}", "time", "2h"), Refs: ref("web", "/sessions/0"),
			}},
		},
	}
}

// sharedSurface has every kind of listener, and names that mean harm.
func sharedSurface() []result.Surface {
	return []result.Surface{{
		Unit: evidence.DUT,
		Searches: []result.Search{
			{Endpoint: "tcp/192.0.2.1", Tried: 65535, Open: 3, Closed: 65000, Silent: 530, Unsettled: 1, LeftOut: 1},
			{Endpoint: "udp/192.0.2.1", Tried: 4, Open: 1, Silent: 3},
		},
		Listeners: []result.Listener{
			{Endpoint: "tcp/192.0.2.1:1883", Seen: 2, Looks: 2, Protocol: "mqtt", Secured: evidence.No, Declared: evidence.No},
			{
				Endpoint: "tcp/192.0.2.1:8883", Seen: 2, Looks: 2, Protocol: "mqtt", Secured: evidence.Yes, Declared: evidence.Yes,
				Versions: []result.Version{
					{Name: "SSL 3.0", Accepted: evidence.No}, {Name: "TLS 1.0", Accepted: evidence.Unknown},
					{Name: "TLS 1.2", Accepted: evidence.Yes, Suites: []string{"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "TLS_RSA_WITH_AES_128_CBC_SHA"}},
				},
			},
			{Endpoint: "tcp/192.0.2.1:9999", Seen: 1, Looks: 2, Protocol: "<img src=x>\x1b[2J\u202e", Declared: evidence.Unknown},
			{Endpoint: "udp/192.0.2.1:5683", Seen: 2, Looks: 2, Protocol: "coap", Secured: evidence.No, Declared: evidence.Yes},
		},
	}, {Unit: "unit-2", Searches: []result.Search{}, Listeners: []result.Listener{{Endpoint: "tcp/192.0.2.2:80", Seen: 2, Looks: 2}}}}
}

func sharedRequirements() []result.Requirement {
	unanswered := func(profile, id, level, text string) result.Requirement {
		return result.Requirement{
			Profile: profile, ID: id, Level: level, Text: text, Verdict: verdict.Inconclusive, Checks: []string{},
			Why: msg.T("not declared whether it applies: {features}", "features", "passwords"), Next: msg.T("answer in the device file: {features}", "features", "passwords"),
		}
	}
	return []result.Requirement{
		unanswered(etsi, "5.1-1", "mandatory", "Every password is unique to the device or chosen by the user."),
		unanswered(etsi, "5.1-2", "mandatory", "Passwords that are set at the factory cannot be guessed."),
		unanswered(etsi, "5.1-2A", "recommended", "Passwords follow good practice."),
		{
			Profile: etsi, ID: "5.2-1", Level: "mandatory", Text: "The manufacturer publishes how to report a vulnerability.", Applicable: evidence.Yes,
			Verdict: verdict.Inconclusive, Why: msg.T("no check looks at it"), Next: msg.T("Read the policy at the address in the product documents."), Checks: []string{}, Verified: "read in the source",
		},
		{
			Profile: etsi, ID: "5.3-9", Level: "mandatory", Text: "Updates are verified by the device.", Applicable: evidence.Yes,
			Verdict: verdict.Inconclusive, Why: msg.T("the check broke"), Next: msg.T("report the defects that this run lists"), Checks: []string{`firmware.signed{"min_rsa_bits":2048}`},
			Waiver: "update server under repair; B. Owner; until 2026-06-30",
		},
		{
			Profile: etsi, ID: "5.3-15", Level: "recommended", Text: "The device can be isolated and its hardware replaced.", Applicable: evidence.Yes,
			Verdict: verdict.Fail, Basis: verdict.Declared, Why: msg.T("the manufacturer declares that it is not met"), Checks: []string{},
		},
		{
			Profile: etsi, ID: "5.4-4", Level: "mandatory", Text: "Critical parameters for updates and services are unique to the device.", Applicable: evidence.No,
			Verdict: verdict.NotApplicable, Basis: verdict.Declared, Why: msg.T("declared absent: {features}", "features", "unique-parameters"), Checks: []string{"credentials.unique-across-units"},
		},
		{
			Profile: etsi, ID: "5.5-1", Level: "recommended", Text: "Communication uses best-practice cryptography.", Applicable: evidence.Yes,
			Verdict: verdict.Pass, Basis: verdict.Tested, Why: msg.T("passed: {checks}", "checks", "tls.no-weak-suite"), Checks: []string{"tls.no-weak-suite"},
		},
		{
			Profile: etsi, ID: "5.5-5", Level: "mandatory", Text: "Security settings change over a network only after authentication.", Applicable: evidence.Unknown,
			Verdict: verdict.Fail, Basis: verdict.Tested, Why: msg.T("failed: {checks}", "checks", "mqtt.anonymous-refused"), Next: msg.T("answer in the device file: {features}", "features", "network-configuration"),
			Checks: []string{"mqtt.anonymous-refused", "exposure.telnet-absent"}, FailedBy: []string{"mqtt.anonymous-refused"}, Cases: []result.Case{{ID: "5.5-5-2", Verdict: verdict.Fail}},
		},
		{
			Profile: etsi, ID: "5.6-1", Level: "mandatory", Text: "Network and logical interfaces that are not used are disabled.", Applicable: evidence.Yes,
			Verdict: verdict.Fail, Basis: verdict.Tested, Why: msg.T("failed: {checks}", "checks", "exposure.telnet-absent"), Checks: []string{"exposure.telnet-absent"}, FailedBy: []string{"exposure.telnet-absent"},
			Waiver: "removed in 1.5; B. Owner; until 2026-06-30",
		},
		{
			Profile: etsi, ID: "5.6-9", Level: "mandatory", Text: "The manufacturer follows a secure development process.", Applicable: evidence.Yes,
			Verdict: verdict.Pass, Basis: verdict.Inspected, Why: msg.T("passed: {checks}", "checks", "answers"), Checks: []string{},
		},
		unanswered(psti, "1", "mandatory", "Passwords are unique per product or set by the user."),
		{
			Profile: psti, ID: "2", Level: "mandatory", Text: "Who reports a security issue learns how, and hears back.", Applicable: evidence.Yes,
			Verdict: verdict.Inconclusive, Why: msg.T("failed, and only supports: {checks}", "checks", "web.session-expires"), Next: msg.T("Read the policy at the address in the product documents."), Checks: []string{"web.session-expires"},
		},
		{
			Profile: psti, ID: "3", Level: "mandatory", Text: "The manufacturer says until when updates are given.", Applicable: evidence.Yes,
			Verdict: verdict.Pass, Basis: verdict.Declared, Why: msg.T("declared"), Checks: []string{},
		},
	}
}

func sharedRecords() []result.Record {
	rec := func(seq int, probe, effect string, status evidence.Status) result.Record {
		return result.Record{
			Seq: seq, Unit: evidence.DUT, Probe: probe, Version: 1, Status: status, Effect: effect,
			Started: began.Add(time.Duration(seq) * time.Second), Took: time.Second, SHA256: digest("d"),
		}
	}
	ports := rec(2, "tcpports", "active", evidence.Partial)
	ports.Reason, ports.Missing = msg.T("no answer within {time}", "time", "3s"), []string{"tcp/1024-2047", "tcp/9000"}
	web := rec(4, "web", "active", evidence.Failed)
	web.Reason, web.Phase = msg.T("{error}", "error", "connection reset\r\nPASS everything"), "after reset"
	listed := rec(5, "mqtt-credentials", "intrusive", evidence.NotPermitted)
	listed.Reason = msg.T("its effect is {effect}, and {allowed} was allowed", "effect", "intrusive", "allowed", "active")
	other := rec(6, "mqtt-credentials", "intrusive", evidence.NotPermitted)
	other.Reason, other.Unit = listed.Reason, "unit-2"
	reset := rec(7, "factory-reset", "disruptive", evidence.NotPermitted)
	reset.Reason = msg.T("its effect is {effect}, and {allowed} was allowed", "effect", "disruptive", "allowed", "active")
	images := rec(8, "firmware", "passive", evidence.NotRun)
	images.Reason = msg.T("no image was given")
	return []result.Record{rec(1, "declaration", "passive", evidence.Collected), ports, rec(3, "services", "active", evidence.Collected), web, listed, other, reset, images}
}
