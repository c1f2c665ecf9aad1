package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/checks"
	"github.com/assay-iot/assay/harness/device"
	"github.com/assay-iot/assay/harness/evidence/bundle"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/profile"
)

// childEnv is the environment variable that makes this program carry out one
// job in place of the tests.
const childEnv = "ASSAY_E2E_CHILD"

// A childJob is one run of the harness in a process that may be killed.
type childJob struct {
	File   string // device file
	Dir    string // for keys, journal and bundle
	Socket string // where the device's power is switched
	Ports  string
	Checks []string
}

func (c childJob) journal() string { return filepath.Join(c.Dir, "run.assay.d") }

func (c childJob) log() string { return filepath.Join(c.journal(), "journal.jsonl") }

func (c childJob) bundle() string { return filepath.Join(c.Dir, "run.assay") }

// childMain carries out a job, or carries on with it.
func childMain(job string) int {
	var c childJob
	err := json.Unmarshal([]byte(job), &c)
	if err == nil {
		err = c.run(context.Background())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func (c childJob) run(ctx context.Context) error {
	p, err := profile.Parse("e2e.yaml", []byte(askingText(c.Checks...)), checks.ByID())
	if err != nil {
		return err
	}
	o := order(p, c.Ports)
	if o.File, err = device.Read(c.File); err != nil {
		return err
	}
	o.Effect, o.Operator = probe.Disruptive, plug{c.Socket}
	s, err := o.Prepare()
	if err != nil {
		return err
	}
	keys, err := bundle.Keys(filepath.Join(c.Dir, "keys"))
	if err != nil {
		return err
	}
	j, err := c.begin(keys)
	if err != nil {
		return err
	}
	defer j.Close()
	if !j.Ended() {
		if _, err := s.Collect(ctx, j, nil); err != nil {
			return err
		}
	}
	_, err = bundle.Pack(j, c.bundle(), keys.Signer)
	return err
}

// begin begins a journal, or carries on with the one that is there.
func (c childJob) begin(keys bundle.KeySet) (*bundle.Journal, error) {
	j, err := bundle.Create(c.journal(), bundle.Head{Run: "e2e", Tool: "assay e2e"}, keys.Recipients())
	if errors.Is(err, os.ErrExist) {
		return bundle.Resume(c.journal(), keys.Sealing)
	}
	return j, err
}

// A plug switches the device's power in the process that has the device.
type plug struct{ socket string }

// Power asks for it.
func (p plug) Power(ctx context.Context, on bool) error {
	client := &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", p.socket)
		},
	}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, fmt.Sprintf("http://plug/%t", on), nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		said, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<10))
		return fmt.Errorf("the plug says: %s", said)
	}
	return nil
}

// socket lets a child switch the power of a measured device.
func (m measured) socket(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "e2e") // a short name, as sockets need
	require.NoError(t, err)
	path := filepath.Join(dir, "plug")
	ln, err := net.Listen("unix", path)
	require.NoError(t, err)
	srv := &http.Server{ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		on := r.URL.Path == "/true"
		if err := m.Power(context.WithoutCancel(r.Context()), on); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
		m.switched <- on
	})}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = srv.Serve(ln) // until the test ends
	}()
	t.Cleanup(func() {
		_ = srv.Close()
		<-done
		require.NoError(t, os.RemoveAll(dir))
	})
	return path
}

// Power switches the device and its meter.
func (m measured) Power(ctx context.Context, on bool) error {
	m.switching.Lock()
	defer m.switching.Unlock()
	if !on {
		m.off()
		return m.Device.Power(ctx, false)
	}
	if err := m.Device.Power(ctx, true); err != nil {
		return err
	}
	return m.on()
}

var _ probe.Operator = measured{}
