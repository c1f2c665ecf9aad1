package declaration

import (
	"testing"

	"github.com/assay-iot/assay/harness/evidence"
)

func TestCoAPAt(t *testing.T) {
	set := func(path Text) CoAP { return CoAP{Resources: []Resource{{Path: path, Public: evidence.No}}} }
	e := Evidence{Services: []Service{
		{ID: "web", TCP: []uint16{80}},
		{ID: "off", Enabled: evidence.No, UDP: []uint16{5683}, CoAP: set("/off")},
		{ID: "dtls", UDP: []uint16{5684}, CoAP: set("/a")},
		{ID: "tcp", Enabled: evidence.Yes, TCP: []uint16{5684}, CoAP: set("/b")},
		{ID: "bare", UDP: []uint16{5690}, CoAP: CoAP{Credential: "app"}},
		{ID: "oscore", UDP: []uint16{5691}, CoAP: CoAP{OSCORE: evidence.Yes}},
	}}
	tests := []struct {
		name string
		udp  evidence.Tri
		port uint16
		want Text // path of the first resource
	}{
		{"over_udp", evidence.Yes, 5684, "/a"},
		{"same_number_over_tcp", evidence.No, 5684, "/b"},
		{"switched_off_is_taken_for_the_first", evidence.Yes, 5683, "/a"},
		{"undeclared_is_taken_for_the_first", evidence.Yes, 9999, "/a"},
		{"port_of_another_service", evidence.No, 80, "/a"},
		{"credential_alone", evidence.Yes, 5690, ""},
		{"oscore_alone", evidence.Yes, 5691, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got Text
			if c := e.CoAPAt(tt.udp, tt.port); len(c.Resources) > 0 {
				got = c.Resources[0].Path
			}
			if got != tt.want {
				t.Errorf("resource = %q, want %q", got, tt.want)
			}
		})
	}
	if c := (Evidence{}).CoAPAt(evidence.Yes, 5683); c.declared() {
		t.Errorf("nothing declared gives %+v", c)
	}
}

func TestCoAPOf(t *testing.T) {
	c := CoAP{Resources: []Resource{{Path: "/a", Public: evidence.Yes}, {Path: "/b", Public: evidence.No}}}
	if r, ok := c.Of("/b"); !ok || r.Public != evidence.No {
		t.Errorf("Of(/b) = %+v, %t", r, ok)
	}
	if r, ok := c.Of("/c"); ok || r.Path != "" {
		t.Errorf("Of(/c) = %+v, %t", r, ok)
	}
}
