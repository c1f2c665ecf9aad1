package mqttread

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/probes/internal/mqttdoor/doortest"
	"github.com/assay-iot/assay/harness/probes/mqttconnect"
	"github.com/assay-iot/assay/internal/peers"
)

func TestHostileBrokers(t *testing.T) {
	const letIn = "\x20\x02\x00\x00"
	tests := []struct {
		name  string
		at    netip.AddrPort
		ended []Ending
		most  time.Duration
	}{
		{"hangs_up", peers.Closer(t), []Ending{NotLetIn}, time.Second},
		{"resets", peers.Reset(t), []Ending{NotLetIn}, time.Second},
		{"floods_with_answers", peers.Flood(t, letIn), []Ending{Babble, NotLetIn}, 3 * time.Second},
		{"floods_with_messages", scripted(t, letIn, strings.Repeat("\x30\x05\x00\x01ahi", 300_000)), []Ending{TooMuch}, 10 * time.Second},
		{"floods_with_secrets", scripted(t, letIn, secrets(4000)), []Ending{Mute}, 20 * time.Second},
		{"lies_about_a_length", scripted(t, letIn, "\x30\xff\xff\xff\x7f"), []Ending{TooMuch}, 3 * time.Second},
		{"babbles", scripted(t, letIn, "\x00\x00"), []Ending{Babble}, 3 * time.Second},
		{"falls_silent", scripted(t, letIn, ""), []Ending{Mute}, hasty.answer + 2*time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			begun := time.Now()
			doors := doorsOf(tt.at, evidence.No)
			doors.Doors = doors.Doors[:1]
			e, data, err := collect(t, doortest.New(t), doors, declaration.Evidence{})
			require.NoError(t, err)
			assert.Less(t, time.Since(begun), tt.most)
			assert.Less(t, len(data), evidence.MaxRecord)
			for _, r := range e.Readings {
				assert.Contains(t, tt.ended, r.Looks[0].Ended)
				assert.NotEqual(t, evidence.Yes, r.Looks[0].RetainedRead)
			}
		})
	}
}

func secrets(n int) string {
	var b strings.Builder
	for i := range n {
		payload := fmt.Sprintf("\x00\x01a{\"pin\":\"7Q4K-92XD-LMRV%04d\"}", i)
		b.WriteString("\x30" + string(rune(len(payload))) + payload)
	}
	return b.String()
}

// A broker that hangs up on one filter is asked for the others.
func TestHangsUpOnAFilter(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"#", "$SYS/#", "+/#"} {
		t.Run(strings.NewReplacer("#", "all", "/", "_", "$", "", "+", "below").Replace(bad), func(t *testing.T) {
			at := picky(t, bad)
			doors := doorsOf(at, evidence.No)
			doors.Doors = doors.Doors[:1]
			e, _, err := collect(t, doortest.New(t), doors, declaration.Evidence{})
			require.NoError(t, err)
			l := e.Readings[0].Looks[0]
			for _, s := range l.Subscriptions {
				want := Granted
				if string(s.Filter) == bad {
					want = HungUp
				}
				assert.Equal(t, want, s.Grant, string(s.Filter))
			}
			assert.Equal(t, Left, l.Ended)
		})
	}
}

// Who reads, and with which log-in.
func TestWhoReads(t *testing.T) {
	way := Way{Addr: netip.MustParseAddrPort("192.0.2.1:8883")}
	two := declaration.Evidence{Services: []declaration.Service{
		{TCP: []uint16{1883}, MQTT: declaration.MQTT{ReadsAll: "app"}},
		{TCP: []uint16{8883}, MQTT: declaration.MQTT{ReadsAll: "admin"}},
	}}
	tests := []struct {
		name   string
		said   declaration.Evidence
		logins []probe.Login
		spoilt string
		want   string
	}{
		{"nobody", declaration.Evidence{}, nil, "", "stranger:"},
		{"nobody_may_read_all", declaration.Evidence{}, []probe.Login{app, admin}, "", "stranger: member:app"},
		{"both", said, []probe.Login{app, admin}, "", "stranger: member:app reads_all:admin"},
		{"by_port", two, []probe.Login{app, admin}, "", "stranger: member:app reads_all:admin"},
		{"only_who_may_read_all", said, []probe.Login{admin}, "", "stranger: reads_all:admin"},
		{"refused_before", said, []probe.Login{app, admin}, "app", "stranger: reads_all:admin"},
		{"reads_all_without_a_log_in", said, []probe.Login{app}, "", "stranger: member:app"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := probe.Input{Logins: doortest.New(t, tt.logins...).Input.Logins, Evidence: evidence.NewView(evidence.DUT, map[string]evidence.Page{
				declaration.Probe.Name: {Value: tt.said},
				mqttconnect.Probe.Name: {Value: mqttconnect.Evidence{Doors: []mqttconnect.Door{
					{Credential: declaration.Name(tt.spoilt), Before: Answer{Outcome: mqttconnect.Refused}},
				}}},
			})}
			var got []string
			for _, j := range newGuests(in, hasty).at(way) {
				got = append(got, string(j.Reader)+":"+string(j.Credential))
			}
			assert.Equal(t, tt.want, strings.Join(got, " "))
		})
	}
}

// A run never does more than was announced.
func TestBound(t *testing.T) {
	one, most := bound(probe.Target{Open: 1}), bound(probe.Target{Open: probe.MaxOpen})
	assert.Equal(t, 36, one.Connections)
	assert.Equal(t, 36, one.Logins)
	assert.Equal(t, 13*patient.longest(), one.Time)
	assert.Equal(t, 288, most.Connections)
}
