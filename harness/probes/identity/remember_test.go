package identity

import (
	"encoding/json"
	"errors"
	"net/netip"
	"testing"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
)

type notes struct {
	probe.Journal
	begun int
	kept  json.RawMessage
}

func (n *notes) Before(string, string, string) error { n.begun++; return nil }

func (n *notes) Done(_, _, _ string, data json.RawMessage) error { n.kept = data; return nil }

func shows(sum evidence.Digest) Look {
	at := netip.MustParseAddrPort("192.0.2.1:443")
	return Look{Keys: []Key{{Addr: at, Kind: Certificate, SHA256: sum}}}
}

// A run that is carried on must still look at the device that it began with.
func TestRunIsCarriedOnWithTheSameDeviceOnly(t *testing.T) {
	journal := &notes{}
	if _, err := remember(probe.Input{Journal: journal}, shows("aa")); err != nil || journal.begun != 1 || journal.kept == nil {
		t.Fatalf("journalled %d times %s, %v", journal.begun, journal.kept, err)
	}
	tests := []struct {
		name string
		now  Look
		want error
	}{
		{"same", shows("aa"), nil},
		{"another", shows("bb"), ErrChanged},
		{"nothing_shown", Look{}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var stopped error
			in := probe.Input{Journal: &notes{}, Stop: func(err error) { stopped = err }, Resume: probe.Progress{Evidence: journal.kept}}
			first, err := remember(in, tt.now)
			if !errors.Is(err, tt.want) || !errors.Is(stopped, tt.want) || (err == nil) != (tt.want == nil) {
				t.Errorf("err = %v, stopped by %v, want %v", err, stopped, tt.want)
			}
			if len(first.Keys) != 1 || first.Keys[0].SHA256 != "aa" {
				t.Errorf("the last look would be held against %+v", first)
			}
		})
	}
	if _, err := remember(probe.Input{Resume: probe.Progress{Evidence: json.RawMessage(`{}`)}}, shows("aa")); err == nil {
		t.Error("a look that cannot be read is taken")
	}
}
