package coapread

import "github.com/assay-iot/assay/harness/probes/internal/coapdoor"

// Types of all CoAP probes, for those who read their evidence.
type (
	Door         = coapdoor.Door
	Answer       = coapdoor.Answer
	Asked        = coapdoor.Asked
	Exchange     = coapdoor.Exchange
	Notification = coapdoor.Notification
	Outcome      = coapdoor.Outcome
	Code         = coapdoor.Code
	Standing     = coapdoor.Standing
)

// The transports.
const (
	UDP  = coapdoor.UDP
	DTLS = coapdoor.DTLS
	TCP  = coapdoor.TCP
	TLS  = coapdoor.TLS
	WS   = coapdoor.WS
	WSS  = coapdoor.WSS
)

// The outcomes.
const (
	NotTried  = coapdoor.NotTried
	Opened    = coapdoor.Opened
	Answered  = coapdoor.Answered
	Reset     = coapdoor.Reset
	Closed    = coapdoor.Closed
	Declined  = coapdoor.Declined
	Refused   = coapdoor.Refused
	Silent    = coapdoor.Silent
	Malformed = coapdoor.Malformed
)

// Spoilt is the standing of a log-in that was refused.
const Spoilt = coapdoor.Spoilt
