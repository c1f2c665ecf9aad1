package coapdoor

import (
	"time"

	"github.com/assay-iot/assay/harness/evidence"
)

// Outcome is what a door did with a client, or a server with a request.
type Outcome string

// The outcomes. What we could not do is none of them.
const (
	NotTried  Outcome = "not_tried" // nothing was sent; Reason says why
	Opened    Outcome = "opened"    // a request can be sent; over UDP that says nothing yet
	Answered  Outcome = "answered"  // a response came that belongs to the request
	Reset     Outcome = "reset"     // it rejected the message in CoAP's own words: RST, or Abort over TCP
	Closed    Outcome = "closed"    // ICMP, or it hung up after the whole request
	Declined  Outcome = "declined"  // it took no connection, or ended it before a request was sent
	Refused   Outcome = "refused"   // it turned the client away by an alert of TLS or DTLS
	Silent    Outcome = "silent"    // nothing came in time
	Malformed Outcome = "malformed" // only what is no CoAP came, or too much
)

// Reason says why nothing was sent.
type Reason string

// The reasons.
const (
	Tried         Reason = ""
	NoCredential  Reason = "no_credential"  // the device file gives none
	BudgetSpent   Reason = "budget_spent"   // the account may not be tried again
	RefusedBefore Reason = "refused_before" // this log-in was refused once and is not risked again
	NotNeeded     Reason = "not_needed"     // what was seen before decides
	NoUse         Reason = "no_use"         // a log-in is of no use at this door: only DTLS takes one
)

// Answer is how a door took a client.
type Answer struct {
	Outcome Outcome `json:"outcome"`
	Reason  Reason  `json:"reason"` // set if the outcome is not_tried
	// Suite is the cipher suite of DTLS or TLS, 0 without one.
	Suite uint16        `json:"suite"`
	Span  evidence.Span `json:"span"`
}

// Code is that of a response, such as "2.05", or empty.
type Code string

// Method is what a request asks for.
type Method string

// The methods.
const (
	GET    Method = "GET"
	POST   Method = "POST"
	PUT    Method = "PUT"
	DELETE Method = "DELETE"
	FETCH  Method = "FETCH"
	Ping   Method = "ping" // an empty message (RFC 7252, 4.3), or Ping over TCP (RFC 8323, 5.4)
)

// Exchange is one request and what came of it.
type Exchange struct {
	Method Method         `json:"method"`
	Path   evidence.Bytes `json:"path"` // with query; the device may have named it
	// Confirmable says whether the request asked for an acknowledgement. Over
	// TCP it is unknown.
	Confirmable evidence.Tri `json:"confirmable"`
	Outcome     Outcome      `json:"outcome"`
	Reason      Reason       `json:"reason"`
	// Code is that of the response; of several blocks that of the first,
	// unless a later one is an error.
	Code    Code           `json:"code"`
	Payload evidence.Bytes `json:"payload"` // all blocks, as far as the caps allow
	// Truncated says whether there was more: a cap was reached, or a block
	// did not come or did not fit.
	Truncated evidence.Tri   `json:"truncated"`
	Format    int            `json:"format"` // Content-Format, -1 without one
	ETag      evidence.Bytes `json:"etag"`
	// These say whether the response had the option.
	Observe evidence.Tri `json:"observe"`
	Block   evidence.Tri `json:"block"` // Block1 or Block2
	OSCORE  evidence.Tri `json:"oscore"`
	// Echo says whether the server challenged us to show that we receive what
	// is sent to our address (RFC 9175). The challenge is met once.
	Echo evidence.Tri `json:"echo"`
	// Critical says whether the response had a critical option that we do not
	// know, or that is not as its standard has it.
	Critical evidence.Tri `json:"unknown_critical"`
	Separate evidence.Tri `json:"separate"` // the response came after the acknowledgement
	Blocks   int          `json:"blocks"`   // responses that brought a part of the payload
	Tries    int          `json:"tries"`    // datagrams in which the first message of the request was sent
	// Request is the size of the first message sent, and Response that of all
	// that answered it, up to the first response: in bytes with the headers of
	// UDP and IP. Over TCP they are those of the messages alone.
	Request  int `json:"request_bytes"`
	Response int `json:"response_bytes"`
	// Strays count messages that belong to no exchange of ours, and Bad what
	// is no CoAP. They are dropped.
	Strays int           `json:"strays"`
	Bad    int           `json:"bad"`
	Took   time.Duration `json:"took_ns"` // from the first datagram to the first response, 0 without one
	Span   evidence.Span `json:"span"`
}

// Success reports whether the server did what was asked.
func (x Exchange) Success() bool { return x.Outcome == Answered && len(x.Code) > 0 && x.Code[0] == '2' }

// Forbids reports whether the server refused in the protocol's own words to do
// that for this client.
func (x Exchange) Forbids() bool {
	return x.Outcome == Answered && (x.Code == "4.01" || x.Code == "4.03")
}

// Notification is one message of an observation (RFC 7641).
type Notification struct {
	Code     Code           `json:"code"`
	Sequence int            `json:"sequence"` // of the Observe option, -1 without one
	Payload  evidence.Bytes `json:"payload"`  // of one message; Truncated says whether there is more
	// Truncated says whether it was one block of several.
	Truncated evidence.Tri  `json:"truncated"`
	OSCORE    evidence.Tri  `json:"oscore"`
	After     time.Duration `json:"after_ns"` // since the registration was answered
	Span      evidence.Span `json:"span"`
}

// Listing is what /.well-known/core says.
type Listing struct {
	Exchange Exchange `json:"exchange"`
	// Parsed says whether all of it could be read.
	Parsed evidence.Tri `json:"parsed"`
	Links  []Link       `json:"links"` // in the order of the listing, each path once
	// Outside counts links that lead elsewhere, which nobody follows.
	Outside int `json:"outside"`
	// LwM2M says whether it is that of a LwM2M server or client.
	LwM2M evidence.Tri `json:"lwm2m"`
}

// Link is one resource.
type Link struct {
	Path       evidence.Bytes `json:"path"` // absolute, with query
	Type       evidence.Bytes `json:"rt"`
	Interface  evidence.Bytes `json:"if"`
	Format     evidence.Bytes `json:"ct"`
	Observable evidence.Tri   `json:"observable"` // whether it is marked so
}

// Asked is a question put to a server until it is answered, at most three
// times, with a control before, between and after.
type Asked struct {
	// Exchange is the last one, which is the answer if there was one.
	Exchange Exchange `json:"exchange"`
	Times    int      `json:"times"` // how often it was asked
	// Controls count exchanges whose answer is certain while the server is
	// there. Kept counts those that were answered at once, with nothing lost.
	Controls int `json:"controls"`
	Kept     int `json:"kept"`
}

// NotAnswered reports whether the server did not answer: it was asked three
// times, and answered everything else around it. It is no refusal.
func (a Asked) NotAnswered() bool {
	return a.Exchange.Outcome == Silent && a.Times >= Times && a.Controls > a.Times && a.Kept == a.Controls
}
