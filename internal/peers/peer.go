package peers

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// outputFile is where a peer's standard output and error go: a file, because
// a pipe would keep Wait waiting for every grandchild.
const outputFile = "output.log"

// Peer is a running program.
type Peer struct {
	// Addr is where it listens; the first address if it has several.
	Addr netip.AddrPort
	// Addrs are all addresses, in the order of Spec.Listen.
	Addrs []netip.AddrPort
	// Dir is its folder.
	Dir string

	name  string
	cmd   *exec.Cmd
	ended chan struct{} // closed when the program is gone and waited for
}

// run starts a command in a process group of its own.
func run(cmd *exec.Cmd, name string, room Room) (*Peer, error) {
	out, err := os.Create(room.Path(outputFile))
	if err != nil {
		return nil, fmt.Errorf("output of a peer: %w", err)
	}
	defer func() { _ = out.Close() }() // the program has its own handle
	cmd.Stdout, cmd.Stderr = out, out
	ownGroup(cmd)
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start: %w", err)
	}
	p := &Peer{
		Addr: room.Addrs[0], Addrs: room.Addrs, Dir: room.Dir,
		name: name, cmd: cmd, ended: make(chan struct{}),
	}
	go func() {
		defer close(p.ended)
		_ = cmd.Wait() // how it ended is seen by ready, or of no interest
	}()
	return p, nil
}

// ready waits until each address accepts.
func (p *Peer) ready(t testing.TB) error {
	ctx, cancel := context.WithTimeout(t.Context(), readyWithin)
	defer cancel()
	for _, addr := range p.Addrs {
		if err := p.accepts(ctx, addr); err != nil {
			return err
		}
	}
	return nil
}

// accepts waits until one address accepts.
func (p *Peer) accepts(ctx context.Context, addr netip.AddrPort) error {
	for {
		err := p.dial(ctx, addr)
		select {
		case <-p.ended:
			return errEnded
		default:
		}
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s does not accept: %w", addr, err)
		case <-time.After(pollEvery):
		}
	}
}

// dial connects once, and sees that it is the peer who answered.
func (p *Peer) dial(ctx context.Context, addr netip.AddrPort) error {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", addr.String())
	if err != nil {
		return err
	}
	defer conn.Close()
	if !listens(p.PID(), addr.Port()) {
		return errors.New("somebody else answers there")
	}
	return nil
}

// PID is the process id, which is the id of its process group too.
func (p *Peer) PID() int { return p.cmd.Process.Pid }

// Output is the end of what the peer has printed so far.
func (p *Peer) Output() string {
	b, err := os.ReadFile(filepath.Join(p.Dir, outputFile))
	if err != nil {
		return err.Error()
	}
	return string(b[max(0, len(b)-tailBytes):])
}

// Stop ends the peer and all that it started, and returns when it is gone. It
// may be called again.
func (p *Peer) Stop() {
	select {
	case <-p.ended: // its id may already be another's
		return
	default:
	}
	terminate(p.PID())
	select {
	case <-p.ended:
	case <-time.After(stopWithin):
	}
	kill(p.PID())
	<-p.ended
}

// end stops the peer after the test, and shows what it said if that failed.
func (p *Peer) end(t testing.TB) {
	p.Stop()
	if t.Failed() {
		t.Logf("peer %q said:\n%s", p.name, p.Output())
	}
}
