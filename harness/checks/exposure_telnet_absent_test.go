package checks

import (
	"strings"
	"testing"

	"github.com/assay-iot/assay/harness/check/checktest"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/probes/services"
	"github.com/assay-iot/assay/harness/probes/tcpports"
	"github.com/assay-iot/assay/harness/verdict"
)

func TestExposureTelnetAbsent(t *testing.T) {
	tls := speaks(odd, services.HTTP, 2)
	tls.TLS = evidence.Yes
	tests := []struct {
		name  string
		ports tcpports.Evidence
		spoke []services.Service
		want  verdict.Verdict
	}{
		{"no_open_port", surface(), nil, verdict.Pass},
		{"http_only", surface(web), []services.Service{speaks(web, services.HTTP, 2)}, verdict.Pass},
		{"https_on_2323", surface(odd), []services.Service{tls}, verdict.Pass},
		{"telnet_on_2323", surface(odd), []services.Service{speaks(odd, services.Telnet, 2)}, verdict.Fail},
		{"telnet_once", surface(odd), []services.Service{speaks(odd, services.Telnet, 1)}, verdict.Inconclusive},
		{"telnet_beside_an_unknown_port", surface(web, odd), []services.Service{speaks(web, services.Unidentified, 0), speaks(odd, services.Telnet, 2)}, verdict.Fail},
		{"telnet_of_the_host", ofHost(odd), []services.Service{speaks(odd, services.Telnet, 2)}, verdict.Pass},
		{"unidentified", surface(odd), []services.Service{speaks(odd, services.Unidentified, 0)}, verdict.Inconclusive},
		{"nobody_spoke_to_it", surface(odd), nil, verdict.Inconclusive},
		{"one_port_not_settled", short(web), []services.Service{speaks(web, services.HTTP, 2)}, verdict.Inconclusive},
		{"looks_differ", seenOnce(web), []services.Service{speaks(web, services.HTTP, 2)}, verdict.Inconclusive},
		{"telnet_on_a_short_surface", tcpports.Evidence{}, []services.Service{speaks(odd, services.Telnet, 2)}, verdict.Fail},
		{"nothing", tcpports.Evidence{}, nil, verdict.Inconclusive},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ports, said := checktest.Record(t, tcpports.Probe, tt.ports), checktest.Record(t, declaration.Probe, declaration.Evidence{Given: evidence.No})
			spoke := checktest.Record(t, services.Probe, services.Evidence{Services: tt.spoke})
			d := checktest.Decide(t, exposureTelnetAbsent, ports, spoke, said)
			complete(t, d)
			if d.Verdict != tt.want {
				t.Errorf("verdict = %s, want %s; items: %+v", d.Verdict, tt.want, d.Items)
			}
			if d.Verdict != verdict.Inconclusive && d.Basis != verdict.Tested {
				t.Errorf("basis = %s", d.Basis)
			}
			part := checktest.Decide(t, exposureTelnetAbsent, ports, checktest.Partial(spoke, "tcp/192.0.2.1:9"), said)
			if part.Verdict == verdict.Pass || part.Verdict == verdict.Fail != (tt.want == verdict.Fail) {
				t.Errorf("verdict on a part of the services = %s", part.Verdict)
			}
			if none := checktest.Decide(t, exposureTelnetAbsent, ports, said); none.Verdict != verdict.Inconclusive {
				t.Errorf("verdict without services = %s", none.Verdict)
			}
		})
	}
}

// A port whose protocol the manufacturer names and that no dialogue knows
// counts if Telnet's own question was answered with something else.
func TestTelnetOnAPortOfADeclaredProtocol(t *testing.T) {
	unknown := func(ended services.Ending) services.Service {
		s := speaks(odd, services.Unidentified, 0)
		s.Telnet = ended
		return s
	}
	insideTLS := unknown(services.Babble)
	insideTLS.Protocol = services.OtherTLS
	disabled := row("bus", "x-bus", 2323)
	disabled.Enabled = evidence.No
	unstated := row("bus", "x-bus", 2323)
	unstated.Enabled = evidence.Unknown
	named := declared(row("bus", "x-bus", 2323))
	tests := []struct {
		name  string
		said  declaration.Evidence
		spoke services.Service
		want  verdict.Verdict
	}{
		{"said_something_else", named, unknown(services.Babble), verdict.Pass},
		{"hung_up", named, unknown(services.HungUp), verdict.Pass},
		{"something_else_inside_tls", named, insideTLS, verdict.Pass},
		{"open_and_silent", named, unknown(services.Silence), verdict.Inconclusive},
		{"not_asked_twice", named, unknown(""), verdict.Inconclusive},
		{"not_declared", declaration.Evidence{Given: evidence.No}, unknown(services.Babble), verdict.Inconclusive},
		{"another_port_declared", declared(row("bus", "x-bus", 2324)), unknown(services.Babble), verdict.Inconclusive},
		{"no_protocol_declared", declared(row("bus", "", 2323)), unknown(services.Babble), verdict.Inconclusive},
		{"declared_protocol_that_we_speak", declared(row("bus", "mqtt", 2323)), unknown(services.Babble), verdict.Inconclusive},
		{"declared_as_telnet", declared(row("bus", "telnet", 2323)), unknown(services.Babble), verdict.Inconclusive},
		{"declared_as_disabled", declared(disabled), unknown(services.Babble), verdict.Inconclusive},
		{"status_not_declared", declared(unstated), unknown(services.Babble), verdict.Inconclusive},
		{"declared_and_yet_telnet", named, speaks(odd, services.Telnet, 2), verdict.Fail},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := checktest.Decide(t, exposureTelnetAbsent, checktest.Record(t, declaration.Probe, tt.said),
				checktest.Record(t, tcpports.Probe, surface(odd)),
				checktest.Record(t, services.Probe, services.Evidence{Services: []services.Service{tt.spoke}}))
			complete(t, d)
			if d.Verdict != tt.want {
				t.Errorf("verdict = %s, want %s; items: %+v", d.Verdict, tt.want, d.Items)
			}
		})
	}
}

func TestTelnetAnswerIsShownEscaped(t *testing.T) {
	s := speaks(odd, services.Telnet, 2)
	s.Answer = evidence.Bytes("\xff\xfb\x01\x1b[2Jlogin: ")
	d := checktest.Decide(t, exposureTelnetAbsent, checktest.Record(t, declaration.Probe, declared()), checktest.Record(t, tcpports.Probe, surface(odd)),
		checktest.Record(t, services.Probe, services.Evidence{Services: []services.Service{s}}))
	if why := d.Items[0].Why.String(); !strings.HasSuffix(why, `\xff\xfb\x01\x1b[2Jlogin: `) {
		t.Errorf("why = %q", why)
	}
}
