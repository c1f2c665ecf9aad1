package checks

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/assay-iot/assay/harness/check/checktest"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/probes/tcpports"
	"github.com/assay-iot/assay/harness/verdict"
)

func TestExposureTCPPortsDeclared(t *testing.T) {
	disabled, unstated := row("web", "http", 80), row("web", "http", 80)
	disabled.Enabled, unstated.Enabled = evidence.No, evidence.Unknown
	http := row("web", "http", 80)
	six := netip.MustParseAddrPort("[2001:db8::1]:80")
	tests := []struct {
		name     string
		seen     tcpports.Evidence
		said     declaration.Evidence
		want     map[string]verdict.Verdict // by key
		advisory string
	}{
		{"declared", surface(web), declared(http), map[string]verdict.Verdict{"tcp/80": "pass", "": "pass"}, ""},
		{"declared_behind_a_filter", filtered(held, web), declared(http), map[string]verdict.Verdict{"tcp/80": "pass", "": "pass"}, ""},
		{"not_declared", surface(web, odd), declared(http), map[string]verdict.Verdict{"tcp/80": "pass", "tcp/2323": "fail", "": "pass"}, ""},
		{"none_declared", surface(web), declared(), map[string]verdict.Verdict{"tcp/80": "fail", "": "pass"}, ""},
		{"none_declared_none_open", surface(), declared(), map[string]verdict.Verdict{"": "pass"}, ""},
		{"not_declared_and_seen_once", seenOnce(web), declared(), map[string]verdict.Verdict{"tcp/80": "inconclusive", "": "inconclusive"}, ""},
		{"declared_and_seen_once", seenOnce(web), declared(http), map[string]verdict.Verdict{"tcp/80": "inconclusive", "": "inconclusive"}, ""},
		{"declared_as_disabled", surface(web), declared(disabled), map[string]verdict.Verdict{"tcp/80": "fail", "": "pass"}, ""},
		{"disabled_for_one_enabled_for_another", surface(web), declared(disabled, http), map[string]verdict.Verdict{"tcp/80": "pass", "": "pass"}, ""},
		{"status_not_declared", surface(web), declared(unstated), map[string]verdict.Verdict{"tcp/80": "inconclusive", "": "pass"}, ""},
		{"declared_for_udp_only", surface(web), declared(declaration.Service{ID: "a", Enabled: evidence.Yes, UDP: []uint16{80}}), map[string]verdict.Verdict{"tcp/80": "fail", "": "pass"}, ""},
		{"declared_and_closed", surface(), declared(row("a", "", 443, 80), http), map[string]verdict.Verdict{"": "pass"}, "declared, and not open: [80 443]"},
		{"disabled_and_closed", surface(), declared(disabled), map[string]verdict.Verdict{"": "pass"}, ""},
		{"port_of_the_host", ofHost(odd, web), declared(http), map[string]verdict.Verdict{"tcp/80": "pass", "": "pass"}, ""},
		{"port_of_the_host_and_open_later", func() tcpports.Evidence { e := surface(web, odd); e.Host = []netip.AddrPort{odd}; return e }(), declared(http), map[string]verdict.Verdict{"tcp/80": "pass", "": "inconclusive"}, ""},
		{"one_port_not_tried", short(web), declared(http), map[string]verdict.Verdict{"tcp/80": "pass", "": "inconclusive"}, ""},
		{"not_declared_on_a_short_surface", tcpports.Evidence{Open: []tcpports.Port{{Addr: odd, Seen: 2}}}, declared(http), map[string]verdict.Verdict{"tcp/2323": "fail", "": "inconclusive"}, ""},
		{"another_address_not_looked_at", func() tcpports.Evidence { e := surface(web); e.Addrs = append(e.Addrs, six.Addr()); return e }(), declared(http), map[string]verdict.Verdict{"tcp/80": "pass", "": "inconclusive"}, ""},
		{"control_lost_one", filtered(tcpports.Control{Asked: 2, Answered: 1}, web), declared(http), map[string]verdict.Verdict{"tcp/80": "pass", "": "inconclusive"}, ""},
		{"nothing", tcpports.Evidence{}, declared(http), map[string]verdict.Verdict{"": "inconclusive"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ports, said := checktest.Record(t, tcpports.Probe, tt.seen), checktest.Record(t, declaration.Probe, tt.said)
			d := checktest.Decide(t, exposureTCPPortsDeclared, ports, said)
			complete(t, d)
			sameVerdicts(t, d.Items, tt.want)
			if got := d.Items[len(d.Items)-1].Advisory.String(); got != tt.advisory {
				t.Errorf("advisory = %q, want %q", got, tt.advisory)
			}
			if d.Verdict == verdict.Pass && d.Basis != verdict.Tested {
				t.Errorf("basis = %s", d.Basis)
			}
			part := checktest.Decide(t, exposureTCPPortsDeclared, checktest.Partial(ports, "tcp/192.0.2.1:9"), said)
			if part.Verdict == verdict.Pass || (part.Verdict == verdict.Fail) != (d.Verdict == verdict.Fail) {
				t.Errorf("verdict on a part = %s", part.Verdict)
			}
			if alone := checktest.Decide(t, exposureTCPPortsDeclared, ports); alone.Verdict != verdict.Inconclusive {
				t.Errorf("without a record of the declaration: %s", alone.Verdict)
			}
		})
	}
}

func TestRule8NoDeclarationListsWhatWasSeen(t *testing.T) {
	for name, said := range map[string]declaration.Evidence{
		"no_device_file": {Given: evidence.No},
		"no_list":        {Given: evidence.Yes, Listed: evidence.No},
	} {
		t.Run(name, func(t *testing.T) {
			for want, seen := range map[string]tcpports.Evidence{
				"TCP ports seen open: 192.0.2.1:80, 192.0.2.1:2323": surface(web, odd),
				"no TCP port was seen open":                         ofHost(odd),
			} {
				d := checktest.Decide(t, exposureTCPPortsDeclared, checktest.Record(t, tcpports.Probe, seen), checktest.Record(t, declaration.Probe, said))
				complete(t, d)
				if d.Verdict != verdict.Inconclusive || len(d.Items) != 1 || !strings.HasSuffix(d.Items[0].Why.String(), want) {
					t.Errorf("items = %+v, want %q", d.Items, want)
				}
				if !strings.Contains(d.Items[0].Next.String(), "ixit.soft_serv") {
					t.Errorf("next = %q", d.Items[0].Next)
				}
			}
		})
	}
}
