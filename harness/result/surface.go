package result

import "github.com/assay-iot/assay/harness/evidence"

// Surface is the network side of one unit as probes saw it, for pictures.
type Surface struct {
	Unit      string     `json:"unit"`
	Searches  []Search   `json:"searches"`  // TCP before UDP, by address
	Listeners []Listener `json:"listeners"` // in the order in which they were found
}

// A Search says how far the ports of one address were looked at, in numbers of
// ports.
type Search struct {
	Endpoint  string `json:"endpoint"` // "tcp/ADDR" or "udp/ADDR"
	Tried     int    `json:"tried"`
	Open      int    `json:"open"`
	Closed    int    `json:"closed"`    // refused each time
	Silent    int    `json:"silent"`    // no answer each time
	Unsettled int    `json:"unsettled"` // two looks differ
	LeftOut   int    `json:"left_out"`  // of the machine that runs an emulated device
}

// A Listener is an endpoint on which something answered.
type Listener struct {
	Endpoint string       `json:"endpoint"` // as in evidence.Endpoint
	Seen     int          `json:"seen"`     // looks in which it answered
	Looks    int          `json:"looks"`
	Protocol string       `json:"protocol"` // as the probe names it; empty if none was asked for
	Secured  evidence.Tri `json:"secured"`  // whether it was spoken inside TLS or DTLS
	Declared evidence.Tri `json:"declared"` // unknown if no list of services was declared
	Versions []Version    `json:"versions,omitempty"`
}

// A Version is one version of TLS or DTLS, and whether a listener took it.
type Version struct {
	Name     string       `json:"name"`
	Accepted evidence.Tri `json:"accepted"`
	Suites   []string     `json:"suites,omitempty"` // that it accepted, by name
}
