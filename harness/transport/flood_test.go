package transport

import (
	"errors"
	"io"
	"runtime"
	"testing"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/internal/peers"
)

type discard struct{}

func (discard) Write(b []byte) (int, error) { return len(b), nil }
func (discard) Close() error                { return nil }

// Endless answers on many connections take no memory to speak of.
func TestFloodMemory(t *testing.T) {
	const most = 32 << 20
	at := peers.Flood(t, "endless "+canary)
	n := New(Config{Scope: onlyLoopback, Transcript: func(evidence.Member) (io.WriteCloser, error) { return discard{}, nil }})
	n.Hide("password", []byte(canary))
	base := inUse()
	var conns []Conn
	for range 32 {
		c := mustDial(t, n, at)
		conns = append(conns, c)
		if _, err := io.Copy(io.Discard, c); !errors.Is(err, ErrTooMuch) {
			t.Fatalf("the flood ended with %v", err)
		}
	}
	if grown := inUse() - base; grown > most {
		t.Errorf("%d connections hold %d bytes more", len(conns), grown)
	}
}

func inUse() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}
