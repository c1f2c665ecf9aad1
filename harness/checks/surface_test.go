package checks

import (
	"maps"
	"net/netip"
	"strings"
	"testing"

	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/check/checktest"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/probes/services"
	"github.com/assay-iot/assay/harness/probes/tcpports"
	"github.com/assay-iot/assay/harness/result"
	"github.com/assay-iot/assay/harness/verdict"
)

var (
	host = netip.MustParseAddr("192.0.2.1")
	web  = netip.AddrPortFrom(host, 80)
	odd  = netip.AddrPortFrom(host, 2323)
)

// surface is what tcp-ports brings when each of the open ports is settled, and
// so is every other one.
func surface(open ...netip.AddrPort) tcpports.Evidence {
	e := tcpports.Evidence{Addrs: []netip.Addr{host}, Tried: tcpports.All}
	first := uint16(1)
	for _, a := range open { // ascending
		e.Open = append(e.Open, tcpports.Port{Addr: a, Seen: 2})
		e.Closed = append(e.Closed, tcpports.Range{Addr: host, First: first, Last: a.Port() - 1})
		first = a.Port() + 1
	}
	e.Closed = append(e.Closed, tcpports.Range{Addr: host, First: first, Last: 65535})
	return e
}

// seenOnce is a surface on which the looks differ for its first open port.
func seenOnce(open ...netip.AddrPort) tcpports.Evidence {
	e := surface(open...)
	e.Open[0].Seen = 1
	return e
}

// short is a surface of which one port was not looked at.
func short(open ...netip.AddrPort) tcpports.Evidence {
	e := surface(open...)
	e.Closed[len(e.Closed)-1].Last--
	e.Tried--
	return e
}

// ofHost is a surface on which a port belongs to the machine itself.
func ofHost(port netip.AddrPort, open ...netip.AddrPort) tcpports.Evidence {
	e := surface(append(open, port)...)
	e.Open = e.Open[:len(open)]
	e.Host = []netip.AddrPort{port}
	return e
}

// filtered is a surface on which all but the open ports were silent.
func filtered(control tcpports.Control, open ...netip.AddrPort) tcpports.Evidence {
	e := surface(open...)
	e.Silent, e.Closed = e.Closed, nil
	control.Addr = host
	e.Controls = []tcpports.Control{control}
	return e
}

// held is a control that lost nothing.
var held = tcpports.Control{Asked: 5, Answered: 5}

func speaks(a netip.AddrPort, p services.Protocol, seen int) services.Service {
	return services.Service{Addr: a, Protocol: p, Seen: seen, TLS: evidence.No}
}

// declared is a device file with a list of services.
func declared(list ...declaration.Service) declaration.Evidence {
	return declaration.Evidence{Given: evidence.Yes, Listed: evidence.Yes, Services: list}
}

// row is an enabled service.
func row(id, protocol string, tcp ...uint16) declaration.Service {
	return declaration.Service{ID: declaration.Name(id), Enabled: evidence.Yes, Protocol: declaration.Name(protocol), TCP: tcp}
}

// verdictsAt returns the verdict of each item by its key.
func verdictsAt(d result.Decision) map[string]verdict.Verdict {
	m := map[string]verdict.Verdict{}
	for _, i := range d.Items {
		m[i.Key] = i.Verdict
	}
	return m
}

// complete says that every item has what rule 1 and rule 12 ask for.
func complete(t *testing.T, d result.Decision) {
	t.Helper()
	for _, i := range d.Items {
		if (i.Verdict == verdict.Inconclusive) != (i.Next.Err() == nil) || len(i.Refs) == 0 && i.Verdict != verdict.Inconclusive {
			t.Errorf("item %+v lacks what to do next, or a reference", i)
		}
	}
}

// absence passes if unseen finds nothing in the way.
var absence = check.Check{ID: "test.absence", Title: "x", Remedy: "x", Needs: tcpSurface, Decide: func(in check.In) []check.Item {
	if gaps := unseen(in.DUT); len(gaps) > 0 {
		return gaps
	}
	return []check.Item{check.Pass(evidence.Endpoint{}, msg.T("nothing is there"), seenAll(in.DUT)...)}
}}

func TestRule5AbsenceIsOnlyAsGoodAsTheSearch(t *testing.T) {
	http := speaks(web, services.HTTP, 2)
	tests := []struct {
		name  string
		ports tcpports.Evidence
		spoke []services.Service
		want  string // that the item says, or nothing if it passes
		next  string
	}{
		{"whole", surface(web), []services.Service{http}, "", ""},
		{"no_open_port", surface(), nil, "", ""},
		{"filtered", filtered(held, web), []services.Service{http}, "", ""},
		{"port_of_the_host", ofHost(odd, web), []services.Service{http}, "", ""},
		{"host_answered_too", ofHost(odd, web), []services.Service{http, speaks(odd, services.Unidentified, 0)}, "", ""},
		{"nothing", tcpports.Evidence{}, nil, "TCP ports not settled: 65535", "--ports all"},
		{"one_port_not_tried", short(web), []services.Service{http}, "TCP ports not settled: 1", "--ports all"},
		{"looks_differ", seenOnce(web), []services.Service{http}, "TCP ports not settled: 1", "--pace gentle"},
		{"control_lost_one", filtered(tcpports.Control{Asked: 5, Answered: 4}, web), []services.Service{http}, "TCP ports not settled: 65534", "--pace gentle"},
		{"no_control", filtered(tcpports.Control{}, web), []services.Service{http}, "TCP ports not settled: 65534", "--pace gentle"},
		{"nobody_spoke_to_it", surface(web), nil, "did not speak a known protocol twice: 192.0.2.1:80", "device file"},
		{"unidentified", surface(web, odd), []services.Service{http, speaks(odd, services.Unidentified, 2)}, "twice: 192.0.2.1:2323", "device file"},
		{"identified_once", surface(web), []services.Service{speaks(web, services.HTTP, 1)}, "twice: 192.0.2.1:80", "device file"},
		{"something_inside_tls", surface(web), []services.Service{speaks(web, services.OtherTLS, 2)}, "twice: 192.0.2.1:80", "device file"},
		{"both", short(web), []services.Service{speaks(web, services.Unidentified, 2)}, "not settled: 1; open ones that", "--ports all"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := checktest.Decide(t, absence, checktest.Record(t, tcpports.Probe, tt.ports),
				checktest.Record(t, services.Probe, services.Evidence{Services: tt.spoke}))
			complete(t, d)
			item := d.Items[0]
			if len(d.Items) != 1 || item.Endpoint != "" || (item.Verdict == verdict.Pass) != (tt.want == "") {
				t.Fatalf("items = %+v", d.Items)
			}
			if !strings.Contains(item.Why.String(), tt.want) || !strings.Contains(item.Next.String(), tt.next) {
				t.Errorf("why = %q, next = %q; want %q, %q", item.Why, item.Next, tt.want, tt.next)
			}
		})
	}
}

func TestATrapForScannersIsNotListedPortByPort(t *testing.T) {
	var open []netip.AddrPort
	for port := range uint16(500) {
		open = append(open, netip.AddrPortFrom(host, port+1))
	}
	d := checktest.Decide(t, absence, checktest.Record(t, tcpports.Probe, surface(open...)), checktest.Record(t, services.Probe, services.Evidence{}))
	if why := d.Items[0].Why.String(); !strings.HasSuffix(why, ", 192.0.2.1:20, +480") {
		t.Errorf("why = %q", why)
	}
}

func TestListeners(t *testing.T) {
	probe := check.Check{ID: "test.listeners", Title: "x", Remedy: "x", Needs: tcpSurface, Decide: func(in check.In) (items []check.Item) {
		for _, l := range listeners(in.DUT, services.Telnet) {
			items = append(items, check.Pass(evidence.TCP(l.Addr), msg.T("x"), l.ref("protocol"), l.ref("answer")))
		}
		return items
	}}
	console := netip.AddrPortFrom(host, 23)
	d := checktest.Decide(t, probe, checktest.Record(t, tcpports.Probe, ofHost(odd, console, web)), checktest.Record(t, services.Probe, services.Evidence{Services: []services.Service{
		speaks(web, services.HTTP, 2), speaks(console, services.Telnet, 1), speaks(odd, services.Telnet, 2),
	}}))
	if len(d.Items) != 1 || d.Items[0].Endpoint != "tcp/192.0.2.1:23" || d.Items[0].Refs[0].Pointer != "/services/1/protocol" {
		t.Errorf("items = %+v", d.Items)
	}
}

// sameVerdicts compares items, which have different keys here, with what is
// wanted.
func sameVerdicts(t *testing.T, items []check.Item, want map[string]verdict.Verdict) {
	t.Helper()
	got := verdictsAt(result.Decision{Items: items})
	if len(items) != len(want) || !maps.Equal(got, want) {
		t.Errorf("verdicts = %v, want %v; items: %+v", got, want, items)
	}
}
