package health

import (
	"context"
	"errors"
	"net/netip"
	"syscall"
	"testing"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/tcpports"
	"github.com/assay-iot/assay/harness/transport"
)

var addr = netip.MustParseAddrPort("192.0.2.1:80")

// answering is a device that answers every connection alike.
type answering struct {
	transport.Dialer
	err error
}

func (a answering) Dial(context.Context, netip.AddrPort) (transport.Conn, error) {
	if a.err != nil {
		return nil, a.err
	}
	return closing{}, nil
}

type closing struct{ transport.Conn }

func (closing) Close() error { return nil }

func TestRun(t *testing.T) {
	ours := errors.New("too many open files")
	tests := []struct {
		name string
		err  error
		want evidence.Tri
		part bool
	}{
		{"accepts", nil, evidence.Yes, false},
		{"refuses", syscall.ECONNREFUSED, evidence.No, false},
		{"silent", context.DeadlineExceeded, evidence.No, false},
		{"our_own_trouble", ours, evidence.Unknown, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			pages := map[string]evidence.Page{tcpports.Probe.Name: {Value: tcpports.Evidence{Open: []tcpports.Port{{Addr: addr, Seen: 2}}}}}
			e, err := run(t.Context(), probe.Input{Net: answering{err: tt.err}, Evidence: evidence.NewView(evidence.DUT, pages)})
			if (err != nil) != tt.part || (len(e.Endpoints) == 0) != tt.part {
				t.Fatalf("run = %+v, %v", e, err)
			}
			if !tt.part && e.Endpoints[0].Accepts != tt.want {
				t.Errorf("accepts = %s, want %s", e.Endpoints[0].Accepts, tt.want)
			}
		})
	}
}

func TestBoundCountsOpenPorts(t *testing.T) {
	if got := bound(probe.Target{Open: 3}).Connections; got != 3 {
		t.Errorf("connections = %d", got)
	}
}
