// Package identity records by what a device can be told from another one, from
// before the first probe until after the last: a run that began with one device
// must not end with another.
package identity

import (
	"net/netip"

	"github.com/assay-iot/assay/harness/evidence"
)

// Evidence holds the first and the last look. A device that changed in between
// leaves none.
type Evidence struct {
	Start Look `json:"start"`
	End   Look `json:"end"`
	Looks int  `json:"looks"` // in all, those in between included
	// Same says whether something was known in both looks, and was the same.
	Same evidence.Tri `json:"same"`
}

// Look is what was seen at one time.
type Look struct {
	Hardware []Hardware `json:"hardware"` // one for each address, in order
	Keys     []Key      `json:"keys"`     // one for each known endpoint, in order
}

// Hardware is the address below an IP address.
type Hardware struct {
	Addr netip.Addr `json:"addr"`
	MAC  MAC        `json:"mac"` // empty if the system does not know it
}

// MAC is a hardware address, "02:00:5e:10:00:01".
type MAC string

// Key is what an endpoint proves to hold.
type Key struct {
	Addr   netip.AddrPort  `json:"addr"`
	Kind   Kind            `json:"kind"`
	SHA256 evidence.Digest `json:"sha256"` // empty if Kind is Nothing
}

// Kind is the kind of a key.
type Kind string

// The kinds.
const (
	Nothing     Kind = "none"            // no key was shown
	Certificate Kind = "tls_certificate" // the whole leaf certificate
	HostKey     Kind = "ssh_host_key"    // in the format of RFC 4253, 6.6
)
