package identity

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net"
	"net/netip"
	"sync"

	"golang.org/x/crypto/ssh"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/internal/tlsinside"
	"github.com/assay-iot/assay/harness/transport"
)

// A looker takes looks at one device, one at a time.
type looker struct {
	in    probe.Input
	table func() ([]byte, error)
	kinds map[int]Kind // that known endpoints showed, by their place
}

// look asks the known endpoints first: that also makes the system learn the
// hardware addresses. Its error says nothing about the device.
func (l *looker) look(ctx context.Context) (Look, error) {
	var seen Look
	known := l.in.Target.Known
	for i, addr := range known[:min(len(known), probe.MaxOpen)] {
		k, err := l.key(ctx, i, addr)
		if err != nil {
			return Look{}, err
		}
		seen.Keys = append(seen.Keys, k)
	}
	table, err := l.table()
	if err != nil {
		return Look{}, err
	}
	macs := parse(table)
	for _, a := range l.in.Target.Addrs {
		seen.Hardware = append(seen.Hardware, Hardware{a, macs[a.Unmap()]})
	}
	return seen, nil
}

// key asks an endpoint for the kind of key that it showed before, or for each
// kind as long as it showed none.
func (l *looker) key(ctx context.Context, i int, addr netip.AddrPort) (Key, error) {
	ask := []Kind{Certificate, HostKey}
	if kind, ok := l.kinds[i]; ok {
		ask = []Kind{kind}
	}
	for _, kind := range ask {
		raw, err := l.raw(ctx, addr, kind)
		if err != nil && !errors.Is(err, transport.ErrTooMuch) { // a flood shows no key
			return Key{}, err
		}
		if raw != nil {
			l.kinds[i] = kind
			sum := sha256.Sum256(raw)
			return Key{addr, kind, evidence.Digest(hex.EncodeToString(sum[:]))}, nil
		}
	}
	return Key{Addr: addr, Kind: Nothing}, nil
}

// raw returns a key as it is sent, nil if none was shown.
func (l *looker) raw(ctx context.Context, addr netip.AddrPort, kind Kind) ([]byte, error) {
	c, err := l.in.Net.Dial(transport.Within(ctx, patience(l.in.Target.Pace)), addr)
	if err != nil {
		_, err = transport.Did(ctx, err)
		return nil, err
	}
	if kind == HostKey {
		return hostKey(ctx, c)
	}
	h, err := tlsinside.Open(ctx, l.in.Net, c)
	if err != nil || h.Session == nil {
		return nil, err
	}
	leaf := h.Session.State.PeerCertificates[0].Raw
	return leaf, h.Session.Close()
}

// errSeen ends a key exchange once the host key is proven. Nobody logs in.
var errSeen = errors.New("the host key was seen")

// hostKey returns the host key of an SSH server, nil if it showed none.
func hostKey(ctx context.Context, c transport.Conn) ([]byte, error) {
	var key []byte
	w := &watched{Conn: c}
	_, _, _, err := ssh.NewClientConn(w, c.RemoteAddr().String(), &ssh.ClientConfig{
		ClientVersion: "SSH-2.0-assay",
		HostKeyCallback: func(_ string, _ net.Addr, k ssh.PublicKey) error {
			key = k.Marshal()
			return errSeen
		},
	})
	closing := c.Close()
	if key == nil && err != nil {
		if _, ours := transport.Did(ctx, w.failure()); ours != nil {
			return nil, ours
		}
	}
	return key, closing
}

// watched keeps the error of the connection itself, which the SSH library mixes
// with complaints of its own.
type watched struct {
	transport.Conn

	mu     sync.Mutex // the library reads in a goroutine of its own
	failed error
}

// Read keeps the error.
func (w *watched) Read(b []byte) (int, error) {
	n, err := w.Conn.Read(b)
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil && w.failed == nil {
		w.failed = err
	}
	return n, err
}

func (w *watched) failure() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.failed
}
