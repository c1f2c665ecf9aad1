package devices

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"
)

// The odd device keeps the same rules as the sound one.
func TestDecoyKeepsTheRules(t *testing.T) {
	t.Parallel()
	d := run(t, Spec{Name: "decoy"})
	assert.Equal(t, "app hears door/app/selftest from app; lock hears door/lock/selftest from lock", exchange(t, d))
	assert.Equal(t, "door/help door/status", retainedTopics(t, d))
	assert.Equal(t, "false", takenOver(t, d))
	for _, v := range []visitor{{id: "n"}, {id: "r", user: "random", password: "random"}, {id: "d", user: "admin", password: "admin"}} {
		_, err := connect3(t, d, v)
		assert.Error(t, err, v)
	}
	require.NoError(t, d.Restart(t.Context()))
	mustConnect(t, d, as(t, d, "app", "a"))
}

// A certificate belongs to the unit: it stays over a restart, and the pin in
// the device file is its own.
func TestPresentedCertificate(t *testing.T) {
	for _, name := range []string{"door-lock-hardened", "decoy"} {
		d := run(t, Spec{Name: name})
		f, err := d.File()
		require.NoError(t, err)
		presented := func() string {
			c := dialTLS(t, d, mqttPort)
			return fingerprint(c.ConnectionState().PeerCertificates[0])
		}
		assert.Equal(t, f.Trust.Pins, []string{presented()}, name)
		require.NoError(t, d.Restart(t.Context()))
		assert.Equal(t, f.Trust.Pins, []string{presented()}, name)

		err = tls.Client(dial(t, d.At(mqttPort)), &tls.Config{ServerName: d.Addr.String()}).Handshake()
		assert.ErrorContains(t, err, "unknown authority", name)
	}
}

func TestHostKeyIsOfTheUnit(t *testing.T) {
	keyOf := func(serial string) string {
		d := run(t, Spec{Name: "decoy", Serial: serial})
		var key string
		_, err := ssh.Dial("tcp", d.At(22).String(), &ssh.ClientConfig{
			User: "root", Timeout: patience,
			HostKeyCallback: func(_ string, _ net.Addr, k ssh.PublicKey) error { key = ssh.FingerprintSHA256(k); return nil },
		})
		require.Error(t, err)
		return key
	}
	one := keyOf("1")
	assert.Equal(t, one, keyOf("1"))
	assert.NotEqual(t, one, keyOf("2"))
}

// Methods and bodies that a browser does not send.
func TestSetupPageTakesLittle(t *testing.T) {
	d := launch(t, "http_setup_plain")
	base := "http://" + d.At(plainHTTPPort).String()
	transport := &http.Transport{DisableKeepAlives: true}
	client := http.Client{Transport: transport, Timeout: patience}
	for _, tt := range []struct {
		method, path, body string
		want               int
	}{
		{"GET", "/", "", 200}, {"HEAD", "/", "", 200}, {"POST", "/", "x", 405}, {"DELETE", "/", "", 405},
		{"GET", "/setup", "", 401}, {"POST", "/setup", strings.Repeat("x", 2*webBody), 401},
		{"GET", "/../etc/passwd", "", 404}, {"GET", "/setup/", "", 404},
	} {
		req, err := http.NewRequestWithContext(t.Context(), tt.method, base+tt.path, strings.NewReader(tt.body))
		require.NoError(t, err)
		resp, err := client.Do(req)
		require.NoError(t, err, "%s %s", tt.method, tt.path)
		assert.Equal(t, tt.want, resp.StatusCode, "%s %s", tt.method, tt.path)
		require.NoError(t, resp.Body.Close())
	}
}

// One connection carries several requests, and an idle one does not keep the
// device from closing.
func TestSetupPageKeepsAlive(t *testing.T) {
	d := launch(t)
	c := dialTLS(t, d, setupPort)
	for range 3 {
		_, err := io.WriteString(c, "HEAD / HTTP/1.1\r\nHost: lock\r\n\r\n")
		require.NoError(t, err)
		answer := make([]byte, 512)
		n, err := c.Read(answer)
		require.NoError(t, err)
		assert.Contains(t, string(answer[:n]), "200 OK")
	}
	began := time.Now()
	require.NoError(t, d.Close())
	assert.Less(t, time.Since(began), patience)
}

func TestTelnetLimits(t *testing.T) {
	d := launch(t, "open_telnet")
	for name, line := range map[string]string{
		"long line":      strings.Repeat("x", telnetLine+1),
		"endless option": "\xff\xfa" + strings.Repeat("x", telnetLine+1),
	} {
		c := dial(t, d.At(telnetPort))
		_, err := io.WriteString(c, line)
		require.NoError(t, err)
		b, _ := io.ReadAll(c) // a reset loses what was sent before
		assert.NotContains(t, string(b), "Password", name)
	}
}

// The flaky broker lets nobody be sure of a subscription.
func TestFlakyBroker(t *testing.T) {
	t.Parallel()
	d := run(t, Spec{Name: "flaky"})
	failures := 0
	for range 3 {
		raw, err := net.DialTimeout("tcp", d.At(mqttPort).String(), patience)
		require.NoError(t, err, "the port is open all the same")
		require.NoError(t, raw.SetDeadline(time.Now().Add(patience)))
		if tls.Client(raw, trusting(t, d)).Handshake() != nil {
			failures++
		}
		require.NoError(t, raw.Close())
	}
	assert.Equal(t, 1, failures, "every third connection")
}

// Clients come and go while the device is switched off and on.
func TestRestartsUnderLoad(t *testing.T) {
	t.Parallel()
	d := launch(t, "mqtt_plain_listener", "http_setup_plain")
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for _, port := range []uint16{plainMQTTPort, plainHTTPPort, mqttPort} {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				case <-time.After(time.Millisecond):
				}
				if c, err := net.DialTimeout("tcp", d.At(port).String(), patience); err == nil {
					_, _ = io.WriteString(c, "\x10\x0d\x00\x04MQTT")
					_ = c.Close()
				}
			}
		})
	}
	for range 3 {
		require.NoError(t, d.Restart(t.Context()))
	}
	close(stop)
	wg.Wait()
	mustConnect(t, d, as(t, d, "app", "after"))
}

// Restart and Close at once: in whatever order, it ends closed.
func TestRestartAndCloseAtOnce(t *testing.T) {
	d, err := Start(t.Context(), Spec{Name: "door-lock-hardened"})
	require.NoError(t, err)
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() { _ = d.Restart(t.Context()) })
	}
	wg.Go(func() { assert.NoError(t, d.Close()) })
	wg.Wait()
	assert.False(t, answers(t.Context(), d.At(mqttPort)))
	assert.Error(t, d.Restart(t.Context()))
}

// A second device at the same address gets other ports, and both go on.
func TestSameAddress(t *testing.T) {
	addr := StableAddr("lock", t.Name())
	one := run(t, Spec{Name: "door-lock-hardened", Addr: addr})
	two := run(t, Spec{Name: "door-lock-hardened", Addr: addr})
	assert.EqualValues(t, 10000+mqttPort, two.At(mqttPort).Port())
	assert.Subset(t, two.Host, one.TCP(), "what was there first is not part of the second")
	mustConnect(t, one, as(t, one, "app", "a"))
	mustConnect(t, two, as(t, two, "app", "a"))
}

// Client identifiers are chosen by clients: in the list they stay one word.
func TestClientListIsQuoted(t *testing.T) {
	d := launch(t, "mqtt_sys_open")
	mustConnect(t, d, as(t, d, "app", "evil\nid \"x\""))
	got, _ := subscribe(t, mustConnect(t, d, as(t, d, "lock", "reader")), clientsTopic)
	list := <-got
	assert.Contains(t, list, `"evil\nid \"x\"" "app" 127.`)
	assert.Equal(t, 3, strings.Count(list, "\n"), list)
}

func TestWhatADeviceHasNot(t *testing.T) {
	d := launch(t)
	assert.False(t, d.At(telnetPort).IsValid())
	assert.False(t, d.At(0).IsValid())
	assert.Len(t, d.TCP(), 2)
	assert.Less(t, d.TCP()[0].Port(), d.TCP()[1].Port())
}
