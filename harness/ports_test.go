package harness

import (
	"slices"
	"strings"
	"testing"
)

func TestParsePorts(t *testing.T) {
	tests := []struct {
		in   string
		want []uint16
	}{
		{"22", []uint16{22}},
		{"80,22", []uint16{22, 80}},
		{"8000-8002, 22,8001", []uint16{22, 8000, 8001, 8002}},
		{"65535", []uint16{65535}},
	}
	for _, tt := range tests {
		t.Run(strings.ReplaceAll(tt.in, ",", "_"), func(t *testing.T) {
			got, err := ParsePorts(tt.in)
			if err != nil || !slices.Equal(got.List, tt.want) || got.All() {
				t.Errorf("ParsePorts(%q) = %v, %v, want %v", tt.in, got.List, err, tt.want)
			}
		})
	}
	for _, bad := range []string{"", "0", "65536", "-1", "80-22", "x", "1-", "80,,22", "1..5"} {
		if got, err := ParsePorts(bad); err == nil || !strings.Contains(err.Error(), "ports") {
			t.Errorf("ParsePorts(%q) = %v, %v", bad, got.List, err)
		}
	}
}

func TestAllPortsAreAll(t *testing.T) {
	all, err := ParsePorts("all")
	if err != nil || !all.All() || all.List[0] != 1 || all.List[65534] != 65535 {
		t.Errorf("all = %d ports, %v", len(all.List), err)
	}
	quick, err := ParsePorts("quick")
	if n := len(quick.List); err != nil || n < 1000 || n > 1300 || !slices.IsSorted(quick.List) {
		t.Errorf("quick = %d ports, sorted %t, %v", n, slices.IsSorted(quick.List), err)
	}
	if len(slices.Compact(slices.Clone(quick.List))) != len(quick.List) {
		t.Error("quick names a port twice")
	}
}
