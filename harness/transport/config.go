package transport

import (
	"io"
	"net/netip"
	"time"

	"github.com/assay-iot/assay/harness/evidence"
)

// Config says what a Net may do and where it writes.
type Config struct {
	// Scope holds every address that may be contacted. Multicast, broadcast
	// and unspecified addresses are refused even if it holds them.
	Scope []netip.Prefix
	// Limits is what the run may spend. Zero means no limit for Connections,
	// Bytes and Time, DefaultExchange for PerExchange, and none for Logins.
	Limits Limits
	// Name returns the next name for a connection's transcript, which several
	// units may share. If nil, they are numbered from 1.
	Name func() evidence.Member
	// Transcript opens a member of the transcript. If nil, nothing is written
	// down.
	Transcript func(evidence.Member) (io.WriteCloser, error)
	// CompareKey is the run's key for evidence.Hide.
	CompareKey []byte
	// Seal takes the original of what is masked in a member. If nil, the
	// originals are not kept.
	Seal func(m evidence.Member, offset int64, original []byte) error
	// Ledger counts log-ins. If nil, none is allowed.
	Ledger Ledger
	// Stop, if not nil, is told once why the run has to end.
	Stop func(error)
}

// A Ledger keeps the log-ins that were tried, over restarts of the run.
type Ledger interface {
	// Tried returns how often account was tried at service so far.
	Tried(service, account string) (int, error)
	// Try counts one more, and returns once that is on disk.
	Try(service, account string) error
}

// DefaultExchange is the most that one connection may send, in bytes, unless
// the limits say otherwise.
const DefaultExchange = 1 << 20

const (
	// maxConnections is enough for two looks at all ports of two addresses,
	// with every port tried again, and as much for the dialogues.
	maxConnections = 16 << 16
	// maxBytes bounds the transcript.
	maxBytes = 256 << 20
	// maxLogins is the number of tries after which no device locks an account
	// that people use, the control included.
	maxLogins = 3
	// maxTime is what two looks at all ports of two addresses take at
	// PerSecond 100, with every port silent, and an hour for the rest.
	maxTime = 6 * time.Hour

	// normalRate spares small devices and still settles all ports within
	// half an hour.
	normalRate = 100
	// gentleRate gives a device time to forget each connection before the
	// next one.
	gentleRate = 10
	// benchWidth is the number of connections beyond which more make a scan
	// slower, not faster.
	benchWidth = 64
)

// LimitsOf returns the limits of a pace; what is no pace is gentle.
func LimitsOf(p Pace) Limits {
	l := Limits{
		Connections: maxConnections, PerSecond: gentleRate, AtOnce: 1,
		Bytes: maxBytes, PerExchange: DefaultExchange, Logins: maxLogins, Time: maxTime,
	}
	switch p {
	case Normal:
		l.PerSecond = normalRate
	case Bench:
		l.PerSecond, l.AtOnce = 0, benchWidth
	default:
		l.Time = maxTime * normalRate / gentleRate
	}
	return l
}
