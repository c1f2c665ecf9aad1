package cli

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// tarpit accepts connections, answers the first few, and says nothing to the
// others until it is told to.
type tarpit struct {
	port     string
	patience atomic.Int64 // how many connections are yet to be answered
}

// firstLook is how many connections the watch over the identity makes before
// the first probe: it tries TLS and SSH.
const firstLook = 2

func newTarpit(t *testing.T) *tarpit {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	end := make(chan struct{})
	t.Cleanup(func() { close(end); ln.Close() })
	_, port, err := net.SplitHostPort(ln.Addr().String())
	require.NoError(t, err)
	p := &tarpit{port: port}
	p.patience.Store(firstLook)
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			if p.patience.Add(-1) >= 0 {
				go greet(c, greetings["telnet"])
				continue
			}
			go func() { <-end; c.Close() }()
		}
	}()
	return p
}

// A run that the operator interrupts leaves a journal and says how to carry on;
// carried on, it comes to the end that it would have come to.
func TestInterruptedRunIsCarriedOn(t *testing.T) {
	folder(t, map[string]string{"q.yaml": onePort})
	p := newTarpit(t)
	args := []string{"run", "127.0.0.1", "--ports", p.port, "-p", "q.yaml"}
	before := len(listing(t))
	journal := interrupted(t, os.Interrupt, args...)

	p.patience.Store(1000)
	w := newWorld("keys")
	code := w.assay(append(args, "--resume", journal, "--format", "json")...)
	require.Equal(t, 1, code, "%s", &w.err)
	sealed := strings.TrimSuffix(journal, ".d")
	require.Contains(t, w.err.String(), "assay: bundle: "+sealed+"\n")
	require.NoDirExists(t, journal)
	require.FileExists(t, sealed)
	want := w.out.String()
	require.Contains(t, want, `"id": "`+strings.TrimSuffix(sealed, ".assay")+`"`)
	require.Equal(t, 1, w.assay("judge", sealed, "--format", "json"))
	require.Equal(t, want, w.out.String())
	require.Len(t, listing(t), before+5) // the bundle, and the folder of keys with three files
}

func TestTerminatedRunIsKept(t *testing.T) {
	folder(t, map[string]string{"q.yaml": onePort})
	journal := interrupted(t, syscall.SIGTERM, "run", "127.0.0.1", "--ports", newTarpit(t).port, "-p", "q.yaml", "--out", "new")
	require.Equal(t, "new", filepath.Dir(journal))
}

// interrupted starts a run, sends it a signal once it has looked at the ports,
// and returns where it says that its journal is.
func interrupted(t *testing.T, signal os.Signal, args ...string) (journal string) {
	t.Helper()
	c := exec.CommandContext(t.Context(), "assay", args...)
	c.Env = append(os.Environ(), "ASSAY_KEYS=keys")
	var out, said bytes.Buffer
	c.Stdout, c.Stderr = &out, &said
	require.NoError(t, c.Start())
	require.NoError(t, eventually(sawPorts))
	require.NoError(t, c.Process.Signal(signal))
	_ = c.Wait() // the code says it
	require.Equal(t, 130, c.ProcessState.ExitCode(), "%s", &said)
	require.Empty(t, out.String())
	require.NotContains(t, said.String(), "error")
	m := regexp.MustCompile(`(?m)^assay: interrupted; what was seen is kept in (.*)\nassay: hint: carry on with the same arguments and --resume (.*)$`).FindStringSubmatch(said.String())
	require.Len(t, m, 3, "%s", &said)
	require.Equal(t, m[1], m[2])
	require.DirExists(t, m[1])
	require.NoFileExists(t, strings.TrimSuffix(m[1], ".d"))
	return m[1]
}

// sawPorts reports whether the journal of a run holds the record of the ports.
func sawPorts() bool {
	here, _ := filepath.Glob("*.assay.d/journal.jsonl") // the patterns are right
	below, _ := filepath.Glob("*/*.assay.d/journal.jsonl")
	for _, path := range append(here, below...) {
		if b, err := os.ReadFile(path); err == nil && bytes.Contains(b, []byte(`"probe":"tcp-ports"`)) {
			return true
		}
	}
	return false
}
