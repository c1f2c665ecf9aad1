package harness

import (
	"strings"
	"testing"
)

func TestSelection(t *testing.T) {
	s := Selection{Only: []string{"mqtt.*"}, Skip: []Skip{{"mqtt.malformed-survived", "lab rule 7"}}}
	for id, want := range map[string]string{
		"mqtt.anonymous-refused": "", "mqtt.malformed-survived": "left out by --skip: lab rule 7", "exposure.telnet-absent": "left out by --only",
	} {
		reason, next, out := s.leavesOut(id)
		if out != (want != "") || reason.String() != want || out == next.IsZero() {
			t.Errorf("%s: left out %t, %q, next %q", id, out, reason, next)
		}
	}
	if _, _, out := (Selection{}).leavesOut("a.b"); out {
		t.Error("the empty selection leaves something out")
	}
	if got := len(s.deviations()); got != 2 {
		t.Errorf("%d deviations", got)
	}
}

func TestSelectionErr(t *testing.T) {
	ids := []string{"mqtt.anonymous-refused", "exposure.telnet-absent"}
	tests := []struct {
		name string
		s    Selection
		want string
	}{
		{"matches_none", Selection{Only: []string{"mqt.*"}}, "matches no check"},
		{"bad_glob", Selection{Only: []string{"["}}, "syntax error"},
		{"unknown_check", Selection{Skip: []Skip{{"a.b", "x"}}}, "no check of the profiles"},
		{"no_reason", Selection{Skip: []Skip{{ids[0], ""}}}, "needs a reason"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.s.Err(ids); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v, want one with %q", err, tt.want)
			}
		})
	}
	if err := (Selection{Only: []string{"*.telnet-absent"}}).Err(ids); err != nil {
		t.Error(err)
	}
}
