package device

import (
	"slices"
	"strings"
	"testing"
)

// A maker cannot hide an open port by calling it the host's.
func TestHostPortsAreForLoopbackOnly(t *testing.T) {
	_, err := Parse("cam.yaml", []byte("device:\n  id: cam\n  addresses: [192.168.1.9]\n  host_ports: [23]\n"), "")
	if err == nil || !strings.Contains(err.Error(), "line 4") || !strings.Contains(err.Error(), "its own") {
		t.Errorf("err = %v", err)
	}
	_, err = Parse("cam.yaml", []byte("device:\n  id: cam\n  addresses: [192.168.1.9]\n  host_udp_ports: [69]\n"), "")
	if err == nil || !strings.Contains(err.Error(), "line 4") || !strings.Contains(err.Error(), "its own") {
		t.Errorf("err = %v", err)
	}
	f, err := Parse("lab.yaml", []byte("device:\n  id: lab\n  addresses: [127.9.9.9]\n  host_ports: [2024]\n  host_udp_ports: [5353]\n"), "")
	if err != nil || !slices.Equal(f.Device.HostPorts, []uint16{2024}) || !slices.Equal(f.Device.HostUDPPorts, []uint16{5353}) {
		t.Errorf("file = %+v, %v", f, err)
	}
	if again, err := Parse("lab.yaml", f.Effective(), ""); err != nil || !slices.Equal(again.Device.HostPorts, f.Device.HostPorts) || !slices.Equal(again.Device.HostUDPPorts, f.Device.HostUDPPorts) {
		t.Errorf("the stored form loses them: %v", err)
	}
}
