package peers

import (
	"net/netip"
	"strconv"
	"syscall"
	"testing"
)

func TestListens(t *testing.T) {
	for _, addr := range []string{"127.0.0.1", "::1"} {
		want := netip.AddrPortFrom(netip.MustParseAddr(addr), 0)
		if _, err := free([]netip.AddrPort{want}); err != nil {
			t.Logf("%v", err) // not every machine has IPv6
			continue
		}
		spec := httpd(serveHere)
		spec.Listen = []netip.AddrPort{want}
		p := Start(t, spec)
		if p.Addr.Addr() != want.Addr() || !listens(p.PID(), p.Addr.Port()) {
			t.Errorf("the listener on %v is not seen", p.Addr)
		}
		p.Stop()
		if listens(p.PID(), p.Addr.Port()) {
			t.Errorf("the listener on %v is seen after it was stopped", p.Addr)
		}
	}
}

func TestListensNot(t *testing.T) {
	const nobody = 1 << 30 // above every process id
	p := Start(t, httpd(serveHere))
	if port := Tarpit(t).Port(); listens(p.PID(), port) {
		t.Errorf("port %d of the test is seen as the peer's", port)
	}
	if listens(p.PID(), p.Addr.Port()+1) {
		t.Errorf("the peer on %v is seen on the next port too", p.Addr)
	}
	if listens(nobody, p.Addr.Port()) {
		t.Error("a group that does not exist listens")
	}
}

func TestGroupOf(t *testing.T) {
	p := Start(t, httpd(serveHere))
	tests := map[string]int{
		"/proc/self":                     syscall.Getpgrp(),
		"/proc/" + strconv.Itoa(p.PID()): p.PID(),
		"/proc/nonesuch":                 0,
	}
	for process, want := range tests {
		if got := groupOf(process); got != want {
			t.Errorf("group of %s is %d, want %d", process, got, want)
		}
	}
}
