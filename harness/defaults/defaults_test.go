package defaults

import (
	"strings"
	"testing"
)

func TestVendorComesFirst(t *testing.T) {
	list, err := For("mqtt", "instar")
	if err != nil || len(list) < 10 || list[0].Vendor != "INSTAR" {
		t.Fatalf("list = %+v, %v", list, err)
	}
	plain, err := For("mqtt", "")
	if err != nil || len(plain) != len(list) || plain[0].Vendor != "Tasmota" {
		t.Errorf("without a vendor: %+v, %v", plain[0], err)
	}
	seen := map[[2]string]bool{}
	for _, p := range list {
		if seen[[2]string{p.User, p.Password}] {
			t.Errorf("%s/%s appears twice", p.User, p.Password)
		}
		seen[[2]string{p.User, p.Password}] = true
	}
	if none, err := For("gopher", ""); err != nil || len(none) != 0 {
		t.Errorf("gopher = %+v, %v", none, err)
	}
}

func TestReadRefuses(t *testing.T) {
	head := "service,vendor,user,password,source\n"
	for name, bad := range map[string]string{
		"empty": "", "no_heading": "mqtt,,a,b,c\n", "no_source": head + "mqtt,,a,b,\n", "no_user": head + "mqtt,,,b,c\n",
		"no_service": head + ",,a,b,c\n", "short_row": head + "mqtt,,a\n",
	} {
		t.Run(name, func(t *testing.T) {
			if list, err := read([]byte(bad)); err == nil || !strings.Contains(err.Error(), "default log-ins") {
				t.Errorf("read = %+v, %v", list, err)
			}
		})
	}
}
