package e2e

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/evidence/bundle"
	"github.com/assay-iot/assay/harness/result"
	"github.com/assay-iot/assay/internal/peers"
)

// The listed log-in of a vendor that the broker was left with, and what a
// client of it keeps for all to read.
const (
	listedUser, listedPassword = "DVES_USER", "DVES_PASS"
	retainedKey                = "kX9vTq7Lm2pZr4Wd"
)

// canaries are secrets that a run meets. None may stand in anything that it
// writes, save sealed.
func canaries() map[string]string {
	all := map[string]string{"listed password": listedPassword, "retained key": retainedKey}
	for user, password := range users {
		all["password of "+user] = password
	}
	return all
}

// forms are how a secret may stand in a file: as it is, in hexadecimal, and in
// base64 wherever in a longer text it begins.
func forms(secret string) map[string][]byte {
	list := map[string][]byte{
		"as it is":  []byte(secret),
		"hex":       []byte(hex.EncodeToString([]byte(secret))),
		"upper hex": []byte(strings.ToUpper(hex.EncodeToString([]byte(secret)))),
	}
	for name, encoding := range map[string]*base64.Encoding{"base64": base64.RawStdEncoding, "base64url": base64.RawURLEncoding} {
		for before := range 3 {
			text := encoding.EncodeToString(append(make([]byte, before), secret...))
			from, to := (before*8+5)/6, (before+len(secret))*8/6 // characters of the secret alone
			list[fmt.Sprintf("%s behind %d bytes", name, before)] = []byte(text[from:to])
		}
	}
	return list
}

// A search looks for canaries in all that it is given, and counts that.
type search struct {
	needles map[string][]byte
	files   map[string]bool // looked at, by name
	found   map[string]bool // "WHAT in FILE"
}

func newSearch() *search {
	s := &search{needles: map[string][]byte{}, files: map[string]bool{}, found: map[string]bool{}}
	for what, secret := range canaries() {
		for form, needle := range forms(secret) {
			s.needles[what+", "+form] = needle
		}
	}
	return s
}

func (s *search) in(name string, b []byte) {
	if len(b) > 0 {
		s.files[name] = true
	}
	for what, needle := range s.needles {
		if bytes.Contains(b, needle) {
			s.found[what+" in "+name] = true
		}
	}
}

// below looks into each file of a folder. Files that go meanwhile are gone.
func (s *search) below(dir string) {
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil //nolint:nilerr // a journal that is packed meanwhile
		}
		if b, err := os.ReadFile(path); err == nil {
			s.in(path, b)
		}
		return nil
	})
}

// lookEvery is how often a run that goes on is looked into.
const lookEvery = 15 * time.Millisecond

// during looks into all that a process has written and shows, as long as it
// runs.
func (s *search) during(ctx context.Context, pid int, dir string) {
	for ctx.Err() == nil {
		s.below(dir)
		for _, name := range []string{"cmdline", "environ"} {
			if b, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, name)); err == nil {
				s.in(name, b)
			}
		}
		time.Sleep(lookEvery)
	}
}

// leakyBroker is a product that was left with a listed log-in, speaks in clear,
// and keeps a key for all to read.
func leakyBroker(t *testing.T, addr netip.Addr) netip.AddrPort {
	t.Helper()
	all := map[string]string{listedUser: listedPassword}
	for user, password := range users {
		all[user] = password
	}
	b := peers.Mosquitto(t, peers.MosquittoConfig{
		Listeners: []peers.MosquittoListener{{Addr: netip.AddrPortFrom(addr, 0)}},
		Users:     all, ACL: append([]string{"user " + listedUser, "topic read #"}, rules...),
	})
	c := mqttClient(t, b.Addr, false, "app", users["app"])
	defer c.Disconnect(mqttQuiesce)
	require.True(t, c.Publish("app/wifi", 1, true, `{"ssid":"home","psk":"`+retainedKey+`"}`).WaitTimeout(mqttPatience))
	return b.Addr
}

func TestSecretsStandNowhere(t *testing.T) {
	t.Parallel()
	addr := ownAddr(t)
	host := hostPorts(t)
	hub := leakyBroker(t, addr)
	home, out := t.TempDir(), t.TempDir()
	file := brokerFile{addr: hub, host: host, vendor: "Tasmota", users: users, tenants: tenants}.write(t, home)
	args := []string{
		"run", file, "-vv", "--effect", "intrusive", "--format", "json,markdown,terminal", "--out", out,
		"--bundle", filepath.Join(out, "run.assay"), "--skip", "mqtt.malformed-survived=no secret is in it",
	}
	if os.Geteuid() == 0 {
		args = append(args, "--capture", "lo")
	}
	keepsLoggingIn(t, hub)
	s := newSearch()
	ran := finish(t, program(t, home, args...), func(cmd *exec.Cmd) error { return s.run(cmd, out) })
	require.Equal(t, 1, ran.Code, "standard error:\n%s", ran.Stderr)
	s.below(out)
	s.in("standard output", []byte(ran.Stdout))
	s.in("standard error", []byte(ran.Stderr))
	for found := range s.found {
		t.Error(found)
	}
	for _, name := range []string{"cmdline", "environ", "standard error", "run.assay", ".json", ".md", "journal.jsonl", "transcript"} {
		assert.True(t, s.looked(name), "nothing was looked at whose name holds %q", name)
	}
	r := reported(t, out)
	require.Empty(t, r.Defects)
	expect(t, r, wanted{"credentials.mqtt-defaults-refused": fail, "mqtt.retained-without-secrets": fail, "mqtt.anonymous-refused": pass})
	judgedAlike(t, filepath.Join(out, "run.assay"), r)
	unsealed(t, filepath.Join(out, "run.assay"), filepath.Join(home, "keys"))
}

// keepsLoggingIn lets the device's own app come and go, from before the first
// packet of a run: its password crosses the network in clear.
func keepsLoggingIn(t *testing.T, hub netip.AddrPort) {
	t.Helper()
	ended, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		for {
			o := mqtt.NewClientOptions().AddBroker("tcp://" + hub.String()).SetUsername("app").SetPassword(users["app"]).SetProtocolVersion(4)
			c := mqtt.NewClient(o)
			c.Connect().WaitTimeout(mqttPatience)
			c.Disconnect(mqttQuiesce)
			select {
			case <-ended:
				return
			case <-time.After(lookEvery):
			}
		}
	}()
	t.Cleanup(func() {
		close(ended)
		<-gone
	})
}

// run runs a program, looking into what it writes.
func (s *search) run(cmd *exec.Cmd, dir string) error {
	if err := cmd.Start(); err != nil {
		return err
	}
	ctx, end := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.during(ctx, cmd.Process.Pid, dir)
	}()
	err := cmd.Wait()
	end()
	<-done
	return err
}

func (s *search) looked(name string) bool {
	for file := range s.files {
		if strings.Contains(file, name) {
			return true
		}
	}
	return false
}

// reported is the one JSON report of a folder.
func reported(t testing.TB, dir string) result.Result {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(dir, "*.json"))
	require.NoError(t, err)
	require.Len(t, list, 1)
	b, err := os.ReadFile(list[0])
	require.NoError(t, err)
	var r result.Result
	require.NoError(t, json.Unmarshal(b, &r))
	return r
}

// judgedAlike judges a bundle where there are no keys: nothing of a verdict
// rests on what is sealed.
func judgedAlike(t *testing.T, path string, want result.Result) {
	t.Helper()
	dir := t.TempDir()
	cmd := program(t, dir, "judge", path, "--format", "json")
	cmd.Env = append(cmd.Env, "ASSAY_KEYS="+filepath.Join(dir, "no", "keys"))
	got := finish(t, cmd, func(cmd *exec.Cmd) error { return cmd.Run() }).result(t)
	assert.Equal(t, want, got)
	assert.NoDirExists(t, filepath.Join(dir, "no"))
}

// unsealed sees to it that the secrets were there, and that who has the sealing
// key finds them.
func unsealed(t *testing.T, path, dir string) {
	t.Helper()
	keys, err := bundle.Keys(dir)
	require.NoError(t, err)
	require.Empty(t, keys.Created)
	open, err := bundle.Unseal(path, keys.Sealing)
	require.NoError(t, err)
	var all []byte
	for _, o := range open.Originals {
		all = append(append(all, o.Bytes...), 0)
	}
	for what, secret := range canaries() {
		assert.True(t, bytes.Contains(all, []byte(secret)), "the %s is not among the %d originals", what, len(open.Originals))
	}
	stranger, err := bundle.Keys(filepath.Join(t.TempDir(), "keys"))
	require.NoError(t, err)
	_, err = bundle.Unseal(path, stranger.Sealing)
	assert.Error(t, err, "a stranger's key opens what is sealed")
}

// The search finds what it is to find.
func TestSearch(t *testing.T) {
	t.Parallel()
	secret := []byte(retainedKey)
	for before := range 7 {
		text := append(bytes.Repeat([]byte{'{'}, before), secret...)
		for name, b := range map[string][]byte{
			"raw": text, "hex": []byte(hex.EncodeToString(text)), "base64": []byte(base64.StdEncoding.EncodeToString(append(text, "}}"...))),
		} {
			s := newSearch()
			s.in(name, b)
			assert.NotEmpty(t, s.found, "%s behind %d bytes", name, before)
		}
	}
	s := newSearch()
	s.in("nothing", []byte("kX9vTq7Lm2pZr4W"))
	assert.Empty(t, s.found)
}
