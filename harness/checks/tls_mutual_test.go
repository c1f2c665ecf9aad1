package checks

import (
	"testing"

	"github.com/assay-iot/assay/harness/check/checktest"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/probes/mutualtls"
	"github.com/assay-iot/assay/harness/probes/services"
	"github.com/assay-iot/assay/harness/probes/tcpports"
	"github.com/assay-iot/assay/harness/probes/tlsserver"
	"github.com/assay-iot/assay/harness/verdict"
)

// visitedAs is a listener as strangers saw it: one letter for each try, in the
// order declared, nothing, self-made, nothing, self-made, declared; without a
// declared certificate it is the four in the middle.
func visitedAs(p services.Protocol, script string) mutualtls.Listener {
	answer := func(s string) mutualtls.Try {
		return mutualtls.Try{Outcome: tlsserver.Completed, Alert: -1, Request: evidence.Yes, After: tlsserver.Accepted, Answer: evidence.Bytes(s)}
	}
	tries := map[rune]mutualtls.Try{
		'r': {Outcome: tlsserver.Refusal, Alert: 116}, 'c': {Outcome: tlsserver.HungUp, Alert: -1}, 's': {Outcome: tlsserver.Stalled, Alert: -1},
		'l': {Outcome: tlsserver.Completed, Alert: 116, After: tlsserver.Alerted}, 'w': {Outcome: tlsserver.Completed, Alert: -1, After: tlsserver.Silent},
		'2': answer("HTTP/1.1 200 OK\r\n"), '3': answer("HTTP/1.1 302 Found\r\n"), '4': answer("HTTP/1.1 400 Bad Request\r\n"), 'p': answer("HTTP/1.1 401 Unauthorized\r\n"),
		'n': answer("HTTP/1.1 404 Not Found\r\n"), 'g': answer("garbage"), 'h': answer("HTTP/1.1 x"), 'x': answer("HTTP/1.1 2xx "), 'a': answer("\x20\x02\x00\x00"), 'd': answer("\x20\x02\x00\x05"),
	}
	l := mutualtls.Listener{Addr: https, Protocol: p}
	shown := []mutualtls.Shown{mutualtls.Nothing, mutualtls.SelfMade, mutualtls.Nothing, mutualtls.SelfMade}
	if len(script) == 6 {
		l.Credential = "app"
		shown = append(append([]mutualtls.Shown{mutualtls.Declared}, shown...), mutualtls.Declared)
	}
	for i, r := range script {
		t := tries[r]
		t.Shown = shown[i]
		l.Tries = append(l.Tries, t)
	}
	return l
}

func TestTLSMutualAuthenticationRequired(t *testing.T) {
	tests := []struct {
		name, says string
		protocol   services.Protocol
		script     string
		want       verdict.Verdict
	}{
		{"required", "between two requests with app", services.HTTP, "2rrrr2", verdict.Pass},
		{"late_refusal", "", services.HTTP, "2llll2", verdict.Pass},
		{"hangs_up", "", services.HTTP, "2crcr2", verdict.Pass},
		{"web_server_says_so", "", services.HTTP, "244442", verdict.Pass},
		{"password_besides", "", services.HTTP, "p4444p", verdict.Pass},
		{"broker", "", services.MQTT, "arrrra", verdict.Pass},
		{"broker_with_password", "", services.MQTT, "drrrrd", verdict.Pass},
		{"path_unknown_is_an_answer", "", services.HTTP, "nrrrrn", verdict.Pass},
		{"open", "without a certificate", services.HTTP, "222222", verdict.Fail},
		{"open_and_nobody_declared", "without a certificate", services.HTTP, "2222", verdict.Fail},
		{"any_certificate", "had made itself", services.MQTT, "arara" + "a", verdict.Fail},
		{"open_without_control", "without a certificate", services.HTTP, "c2222c", verdict.Fail},
		{"open_once", "differently", services.HTTP, "22rrr2", verdict.Inconclusive},
		{"only_a_password_is_wanted", "differently", services.HTTP, "pppppp", verdict.Inconclusive},
		{"only_a_password_is_wanted_by_the_broker", "differently", services.MQTT, "dddddd", verdict.Inconclusive},
		{"password_for_strangers_alone", "", services.MQTT, "adddda", verdict.Pass},
		{"no_declared_certificate", "a credential of the service client-certificate", services.HTTP, "rrrr", verdict.Inconclusive},
		{"declared_one_refused", "the declared certificate app as well", services.HTTP, "rrrrrr", verdict.Inconclusive},
		{"declared_one_refused_at_the_end", "as well", services.HTTP, "2rrrrr", verdict.Inconclusive},
		{"stalls", "shows nothing", services.HTTP, "2ssss2", verdict.Inconclusive},
		{"waits", "shows nothing", services.OtherTLS, "wwwwww", verdict.Inconclusive},
		{"sent_elsewhere", "shows nothing", services.HTTP, "233332", verdict.Inconclusive},
		{"garbage", "shows nothing", services.HTTP, "2ggxh2", verdict.Inconclusive},
		{"garbage_of_a_broker", "shows nothing", services.MQTT, "a2222a", verdict.Inconclusive},
		{"unknown_protocol_answers", "shows nothing", services.OtherTLS, "2222", verdict.Inconclusive},
		{"asked_once", "shows nothing", services.HTTP, "rr", verdict.Inconclusive},
	}
	claimed := named443()
	claimed.ClientCertificate = evidence.Yes
	records := func(e mutualtls.Evidence, d declaration.Evidence) []evidence.Record {
		return []evidence.Record{
			checktest.Record(t, mutualtls.Probe, e), checktest.Record(t, declaration.Probe, d),
			checktest.Record(t, tcpports.Probe, surface(https)), checktest.Record(t, services.Probe, services.Evidence{Services: []services.Service{inside(speaks(https, services.HTTP, 2))}}),
		}
	}
	visit := func(l ...mutualtls.Listener) mutualtls.Evidence { return mutualtls.Evidence{Listeners: l} }
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			all := records(visit(visitedAs(tt.protocol, tt.script)), declared(claimed))
			tlsVerdict(t, tlsMutualAuthenticationRequired, tt.want, tt.says, all...)
			onPart(t, tlsMutualAuthenticationRequired, tt.want, all[0], all[1:]...)
		})
	}
	open, elsewhere, twice := visit(visitedAs(services.HTTP, "2222")), claimed, claimed
	elsewhere.TCP, twice.ID = []uint16{8443}, "again"
	disabled, denied := claimed, claimed
	disabled.Enabled, denied.ClientCertificate = evidence.No, evidence.No
	for _, tt := range []struct {
		name, says string
		e          mutualtls.Evidence
		d          declaration.Evidence
		want       verdict.Verdict
	}{
		{"no_device_file", "no list of services", open, declaration.Evidence{Given: evidence.No}, verdict.Inconclusive},
		{"no_list", "no list of services", open, declaration.Evidence{Given: evidence.Yes, Listed: evidence.No}, verdict.Inconclusive},
		{"not_claimed", "no service is declared", open, declared(named443()), verdict.NotApplicable},
		{"denied", "no service is declared", open, declared(denied), verdict.NotApplicable},
		{"disabled", "no service is declared", open, declared(disabled), verdict.NotApplicable},
		{"not_there", "no port of the declared service", open, declared(elsewhere), verdict.Inconclusive},
		{"claimed_by_two", "without a certificate", open, declared(claimed, twice), verdict.Fail},
		{"nothing_seen", "no port of the declared service", mutualtls.Evidence{}, declared(claimed), verdict.Inconclusive},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tlsVerdict(t, tlsMutualAuthenticationRequired, tt.want, tt.says, records(tt.e, tt.d)...)
		})
	}
}
