package cli

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/probes/clock"
)

func TestProgressIsOneLine(t *testing.T) {
	var out bytes.Buffer
	at := time.Unix(0, 0)
	p := &progress{out: &out, now: func() time.Time { return at }}
	p.draw()
	require.Empty(t, out.String(), "nothing has begun")
	p.begin("tcp-ports")
	at = at.Add(1500 * time.Millisecond)
	p.draw()
	require.Equal(t, "tcp-ports  1.5 s", out.String())
	at = at.Add(time.Second)
	p.draw()
	require.Equal(t, "tcp-ports  1.5 s\r\x1b[Ktcp-ports  2.5 s", out.String())
	out.Reset()
	_, err := p.Write([]byte("a line\n"))
	require.NoError(t, err)
	require.Equal(t, "\r\x1b[Ka line\n", out.String())
	release := p.hold()
	p.draw()
	require.Equal(t, "\r\x1b[Ka line\n", out.String(), "somebody is asked something")
	release()
	p.draw()
	require.Equal(t, "\r\x1b[Ka line\ntcp-ports  2.5 s", out.String())
}

// The line is there for who watches a terminal, and gone at the end.
func TestRunShowsProgress(t *testing.T) {
	tests := []struct {
		name, term string
		progress   bool
		args       []string
		want       bool
	}{
		{"terminal", "xterm", true, nil, true},
		{"no_terminal", "xterm", false, nil, false},
		{"dumb_terminal", "dumb", true, nil, false},
		{"quiet", "xterm", true, []string{"--quiet"}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			folder(t, map[string]string{"q.yaml": onePort})
			p := newTarpit(t)
			w := newWorld("keys")
			env := w.Getenv
			w.Getenv = func(name string) string {
				if name == "TERM" {
					return tt.term
				}
				return env(name)
			}
			w.Progress = tt.progress
			if !tt.want {
				p.patience.Store(1000) // nobody watches: no need to be slow
			}
			w.assay(append([]string{"run", "127.0.0.1", "--ports", p.port, "-p", "q.yaml"}, tt.args...)...)
			require.Equal(t, tt.want, strings.Contains(w.err.String(), "services  "), "%q", &w.err)
			require.Equal(t, tt.want, strings.Contains(w.err.String(), "\x1b"), "%q", &w.err)
			shown := strings.Split(w.err.String(), "\x1b[K")
			require.NotContains(t, shown[len(shown)-1], "  0.", "a line of progress was left behind")
			require.NotContains(t, w.out.String(), "\x1b")
		})
	}
}

func TestSay(t *testing.T) {
	w := newWorld("")
	a := &app{World: w.World}
	a.say("n = %d", 3)
	a.flags.quiet = true
	a.say("n = %d", 4)
	require.Equal(t, "n = 3\n", w.err.String())
}

// A probe that is watched is the probe that it was.
func TestWatchedProbe(t *testing.T) {
	line := &progress{now: time.Now}
	p := watched{clock.Probe, line}
	require.Equal(t, clock.Probe.Info().Name, p.Info().Name)
}
