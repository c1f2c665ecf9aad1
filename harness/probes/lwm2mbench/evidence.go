// Package lwm2mbench plays the LwM2M servers that a device was set to connect to,
// and watches how it bootstraps and registers. It answers as a server does and
// asks and writes nothing.
package lwm2mbench

import (
	"net/netip"
	"time"

	"github.com/assay-iot/assay/harness/evidence"
)

// The roles, as endpoints are called.
const (
	Bootstrap = "lwm2m-bootstrap"
	Server    = "lwm2m-server"
)

// Evidence is what a device said to each server that the device file names. It
// has no role if the file names none.
type Evidence struct {
	Roles []Role `json:"roles"` // the bootstrap server first
}

// Role is one server.
type Role struct {
	Name      Name           `json:"name"`     // Bootstrap or Server
	Declared  Name           `json:"declared"` // such as coaps://192.0.2.1:5684
	Addr      netip.AddrPort `json:"addr"`
	Listened  evidence.Tri   `json:"listened"` // no where the address was not ours to listen at
	Lasted    time.Duration  `json:"lasted_ns"`
	Strangers int64          `json:"strangers"` // datagrams of others, which were not looked at
	Missed    int64          `json:"missed"`    // datagrams of the device that came too fast or too late
	Dialogues []Dialogue     `json:"dialogues"` // in the order in which they began
}

// Name is a word of ours, or of the device file.
type Name string

// Dialogue is what one port of the device said in one protocol.
type Dialogue struct {
	Peer      netip.AddrPort `json:"peer"`
	Began     time.Duration  `json:"began_ns"` // since the role was listened at
	Channel   Channel        `json:"channel"`
	Handshake Handshake      `json:"handshake"` // empty in clear
	Requests  []Request      `json:"requests"`  // each once, in their order, at most mostRequests
	More      int            `json:"more"`      // requests after these
	Malformed int            `json:"malformed"` // datagrams that were no CoAP
	Span      evidence.Span  `json:"span"`      // of all that came, inside DTLS as it was opened
	Below     evidence.Span  `json:"below"`     // of the datagrams of DTLS, empty in clear
}

// Channel is how messages were carried.
type Channel string

// The channels.
const (
	Clear Channel = "clear"
	DTLS  Channel = "dtls"
)

// Handshake is how a handshake of the device ended.
type Handshake struct {
	Outcome Outcome `json:"outcome"`
	// Identity is the PSK identity that the device showed, and Known says
	// whether it is the declared one. It is unknown if the device showed none.
	Identity evidence.Bytes `json:"psk_identity"`
	Known    evidence.Tri   `json:"psk_known"`
	Suite    uint16         `json:"suite"` // 0 unless opened
}

// Outcome is the end of a handshake.
type Outcome string

// The outcomes.
const (
	NotTried Outcome = ""       // in clear
	Opened   Outcome = "opened" // both sides proved that they know the key
	Silent   Outcome = "silent" // the device did not go on in time
	Broken   Outcome = "broken" // one side ended it: no common suite, no common key
)

// Request is one request of the device.
type Request struct {
	Kind     Kind           `json:"kind"`
	OSCORE   evidence.Tri   `json:"oscore"` // whether it was protected by OSCORE
	Path     evidence.Bytes `json:"path"`
	Endpoint evidence.Bytes `json:"endpoint_name"`
	Blocks   int            `json:"blocks"` // in which it came
	Whole    evidence.Tri   `json:"whole"`  // whether the last of them came
	Times    int            `json:"times"`  // how often the same was sent
	Answer   Code           `json:"answer"` // ours, empty for none
	// Key says whether the declared key itself stood in it, as it is or written
	// in digits, and Secrets are what else was recognised. Inside DTLS neither is
	// looked for.
	Key     evidence.Tri      `json:"declared_key"`
	Secrets []evidence.Secret `json:"secrets"`
	Span    evidence.Span     `json:"span"` // of its first datagram
}

// Kind is what a request is for.
type Kind string

// The kinds (OMA LwM2M, transport bindings).
const (
	BootstrapRequest Kind = "bootstrap_request"
	Register         Kind = "register"
	Update           Kind = "update"
	Deregister       Kind = "deregister"
	Protected        Kind = "protected" // by OSCORE: nobody but the real server can say
	Other            Kind = "other"
)

// Begins reports whether a bootstrap or a registration begins with it.
func (k Kind) Begins() bool { return k == BootstrapRequest || k == Register }

// OfLwM2M reports whether it belongs to a bootstrap or a registration.
func (k Kind) OfLwM2M() bool { return k.Begins() || k == Update || k == Deregister }

// Code is a code of CoAP, such as 2.01.
type Code string

const (
	// mostPeers is how many dialogues one role is played in: a device that
	// comes back every ten seconds for ten minutes.
	mostPeers = 64
	// mostRequests is how many requests of one dialogue are recorded.
	mostRequests = 32
)
