package device

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestScopeOfTheDeviceAlone(t *testing.T) {
	tests := map[string]string{ // address and what the refusal says, if there is one
		"127.0.0.1":              "",
		"::1":                    "",
		"10.1.2.3":               "",
		"172.31.255.255":         "",
		"192.168.1.20":           "",
		"169.254.10.20":          "",
		"fe80::1%eth0":           "",
		"fd00::1":                "",
		"::ffff:10.0.0.1":        "",
		"203.0.113.9":            "is public",
		"172.32.0.1":             "is public",
		"100.64.0.1":             "is public",
		"2001:db8::1":            "is public",
		"::ffff:203.0.113.9":     "203.0.113.9 is public",
		"0.0.0.0":                "never tested",
		"::":                     "never tested",
		"255.255.255.255":        "never tested",
		"224.0.0.251":            "never tested",
		"240.0.0.1":              "never tested",
		"ff02::fb":               "never tested",
		"::ffff:255.255.255.255": "never tested",
	}
	for addr, refusal := range tests {
		f, err := Parse("cam.yaml", []byte("device:\n  id: a\n  addresses:\n  - \""+addr+"\"\n"), "")
		if refusal != "" {
			wantFault(t, err, 4, refusal)
			continue
		}
		require.NoError(t, err, addr)
		got, err := f.ScopeOf(now)
		require.NoError(t, err, addr)
		want := netip.MustParseAddr(addr).Unmap().WithZone("")
		assert.Equal(t, []netip.Prefix{netip.PrefixFrom(want, want.BitLen())}, got)
	}
}

func TestScopeOfRanges(t *testing.T) {
	tests := []struct{ name, scope, says string }{
		{"private_range", "address: 192.168.0.0/16", ""},
		{"private_address", "address: 192.168.1.20", ""},
		{"more_than_private", "address: 192.168.0.0/15", "is public"},
		{"loopback_and_more", "address: 126.0.0.0/7", "is public"},
		{"public", "address: 203.0.113.0/28", "203.0.113.0/28 is public"},
		{"public_without_end", "address: 203.0.113.0/28, authorised_by: A. Owner", "is public"},
		{"public_by_nobody", "address: 203.0.113.0/28, until: 2026-12-31", "is public"},
		{"public_authorised", "address: 203.0.113.0/28, authorised_by: A. Owner, until: 2026-12-31", ""},
		{"public_until_today", "address: 203.0.113.0/28, authorised_by: A. Owner, until: 2026-03-01", ""},
		{"public_until_yesterday", "address: 203.0.113.0/28, authorised_by: A. Owner, until: 2026-02-28", "ended after 2026-02-28"},
		{"private_until_yesterday", "address: 192.168.1.0/24, until: 2026-02-28", "ended after 2026-02-28"},
		{"everything", "address: 0.0.0.0/0, authorised_by: A. Owner, until: 2026-12-31", "never tested"},
		{"everything_in_6", "address: \"::/0\", authorised_by: A. Owner, until: 2026-12-31", "never tested"},
		{"multicast", "address: 224.0.0.0/24, authorised_by: A. Owner, until: 2026-12-31", "never tested"},
		{"reserved", "address: 128.0.0.0/1, authorised_by: A. Owner, until: 2026-12-31", "never tested"},
		{"ipv4_written_as_6", "address: \"::ffff:10.0.0.0/104\"", "never tested"},
		{"nothing", "authorised_by: A. Owner", "no address and no prefix"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, err := Parse("cam.yaml", []byte("device: {id: a}\nscope:\n- {"+tt.scope+"}\n"), "")
			if err == nil {
				_, err = f.ScopeOf(now)
			}
			if tt.says == "" {
				require.NoError(t, err)
				return
			}
			wantFault(t, err, 3, tt.says)
		})
	}
}

func TestAddressOutsideTheScope(t *testing.T) {
	const scope = "scope: [{address: 192.168.1.0/24}]\n"
	_, err := Parse("cam.yaml", []byte("device:\n  id: a\n  addresses: [192.168.1.20, 192.168.2.20]\n"+scope), "")
	e := wantFault(t, err, 3, `device file "cam.yaml", line 3: address 192.168.2.20 is outside the scope`)
	assert.Equal(t, `add it under "scope" if you are allowed to test it`, e.Hint)
	_, err = Parse("cam.yaml", []byte("device: {id: a, addresses: [192.168.1.20]}\n"+scope+"units:\n- name: b\n  addresses: [10.0.0.1]\n"), "")
	wantFault(t, err, 5, "10.0.0.1 is outside the scope")
}

func TestScopeWithoutAFile(t *testing.T) {
	f := &File{Device: Device{Addresses: []netip.Addr{netip.MustParseAddr("203.0.113.9")}}}
	_, err := f.ScopeOf(now)
	wantFault(t, err, 0, "is public")
	empty, err := new(File).ScopeOf(now)
	assert.NoError(t, err)
	assert.Empty(t, empty)
}

func TestOnlyLoopback(t *testing.T) {
	assert.True(t, parse(t, "device: {id: a, addresses: [127.0.0.5, \"::1\"]}").OnlyLoopback())
	assert.False(t, parse(t, "device: {id: a, addresses: [127.0.0.5, 10.0.0.1]}").OnlyLoopback())
	assert.False(t, parse(t, "device: {id: a, addresses: [127.0.0.5]}\nunits: [{name: b, addresses: [10.0.0.1]}]").OnlyLoopback())
	assert.False(t, parse(t, "device: {id: a}").OnlyLoopback())
}

func TestConsentTo(t *testing.T) {
	consent := func(effect, until string) *File {
		return parse(t, "device: {id: a}\nconsent:\n  who: A. Owner\n  what: bench test\n  effect: "+effect+"\n  until: "+until+"\n")
	}
	tests := []struct {
		name   string
		f      *File
		effect string
		line   int
		says   string // of the refusal
	}{
		{"active_needs_none", parse(t, "device: {id: a}"), "active", 0, ""},
		{"nobody", parse(t, "device: {id: a}"), "intrusive", 1, "nobody consented to intrusive probes"},
		{"given", consent("intrusive", "2026-03-01"), "intrusive", 0, ""},
		{"more_than_needed", consent("disruptive", "2026-03-01"), "intrusive", 0, ""},
		{"less_than_needed", consent("intrusive", "2026-03-01"), "disruptive", 5, "no more than intrusive"},
		{"past", consent("disruptive", "2026-02-28"), "intrusive", 6, "ended after 2026-02-28"},
		{"past_but_not_needed", consent("disruptive", "2026-02-28"), "passive", 0, ""},
		{"no_effect", consent("disruptive", "2026-03-01"), "brutal", 2, "is none of"},
		{"made_without_an_end", &File{Consent: &Consent{Who: "A", What: "b", Effect: "disruptive"}}, "intrusive", 0, "ended"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.f.ConsentTo(tt.effect, now)
			if tt.says != "" {
				e := wantFault(t, err, tt.line, tt.says)
				assert.Empty(t, got)
				assert.Equal(t, tt.name == "no_effect", e.Hint == "")
				return
			}
			require.NoError(t, err)
			want := "A. Owner, bench test"
			if tt.effect == "active" || tt.effect == "passive" {
				want = ""
			}
			assert.Equal(t, want, got)
		})
	}
}
