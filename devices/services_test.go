package devices

import (
	"crypto/tls"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"
)

// readToEnd reads until the other side ends the connection, however it does.
func readToEnd(c net.Conn) error {
	_, err := io.Copy(io.Discard, c)
	if e, ok := errors.AsType[net.Error](err); ok && e.Timeout() {
		return err
	}
	return nil
}

func readFull(c io.Reader, b []byte) (int, error) { return io.ReadFull(c, b) }

const setupPort = 443

func TestSetupPage(t *testing.T) {
	d := launch(t)
	page := get(t, dialTLS(t, d, setupPort), "/", "")
	assert.Contains(t, page, "Assay Labs Door Lock Hub")
	assert.NotContains(t, page, d.Serial)
	assert.Contains(t, get(t, dialTLS(t, d, setupPort), "/setup", ""), "401 Unauthorized")
	assert.Contains(t, get(t, dialTLS(t, d, setupPort), "/backup.cfg", ""), "404 Not Found")

	secret, err := d.Password("setup")
	require.NoError(t, err)
	basic := func(password string) string {
		return "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte("admin:"+password)) + "\r\n"
	}
	assert.Contains(t, get(t, dialTLS(t, d, setupPort), "/setup", basic(secret)), "200 OK")
	assert.Contains(t, get(t, dialTLS(t, d, setupPort), "/setup", basic("admin")), "401 Unauthorized")
	assert.Contains(t, get(t, dialTLS(t, d, setupPort), "/", "X: "+strings.Repeat("x", 2*webHeader)+"\r\n"), "431 ")
}

func TestTLS13Only(t *testing.T) {
	for name, refused := range map[string]bool{"door-lock-hardened": true, "decoy": false} {
		d := run(t, Spec{Name: name})
		config := trusting(t, d)
		config.MaxVersion = tls.VersionTLS12
		err := tls.Client(dial(t, d.At(mqttPort)), config).Handshake()
		assert.Equal(t, refused, err != nil, "%s: %v", name, err)
	}
}

// Each fault that opens a port opens that one only.
func TestUndeclaredPorts(t *testing.T) {
	sound := len(launch(t).TCP())
	for fault, port := range map[string]uint16{
		"mqtt_plain_listener": plainMQTTPort, "http_setup_plain": plainHTTPPort, "open_telnet": telnetPort,
		"undeclared_service": undeclaredPort, "accept_and_silent": silentPort, "drip": dripPort, "flood": floodPort,
	} {
		d := launch(t, fault)
		require.True(t, d.At(port).IsValid(), fault)
		assert.True(t, answers(t.Context(), d.At(port)), fault)
		assert.Len(t, d.TCP(), sound+1, fault)
	}
}

func TestPlainSetupAndUndeclaredService(t *testing.T) {
	d := launch(t, "http_setup_plain", "undeclared_service")
	assert.Contains(t, get(t, dial(t, d.At(plainHTTPPort)), "/", ""), "<h1>Assay Labs Door Lock Hub</h1>")
	assert.Contains(t, get(t, dialTLS(t, d, undeclaredPort), "/", ""), "404 Not Found")
}

func TestTelnet(t *testing.T) {
	d := launch(t, "open_telnet")
	c := dial(t, d.At(telnetPort))
	first := make([]byte, 9)
	_, err := readFull(c, first)
	require.NoError(t, err)
	assert.Equal(t, []byte{255, 253, 24, 255, 251, 1, 255, 251, 3}, first)
	// Options, a subnegotiation with an end in it, then three log-ins.
	_, err = c.Write([]byte("\xff\xfb\x18\xff\xfa\x18\x00vt100\xff\xf0root\r\x00" + "secret\r" + "a\nb\n" + "c\nd\n"))
	require.NoError(t, err)
	rest, err := io.ReadAll(c)
	require.NoError(t, err)
	assert.Equal(t, 3, strings.Count(string(rest), "Login incorrect"))
	assert.Equal(t, 3, strings.Count(string(rest), "Door Lock Hub login: "))
}

func FuzzTelnetLine(f *testing.F) {
	f.Add("root\r\n")
	f.Add("\xff\xfb\x01\xff\xfa\x18vt\xff\xf0x\n")
	f.Add(strings.Repeat("\xff\xf1", 400))
	f.Fuzz(func(t *testing.T, s string) {
		r := strings.NewReader(s)
		err := telnetReadLine(r)
		read := len(s) - r.Len()
		if err == nil && (read == 0 || !strings.Contains("\r\n", s[read-1:read])) {
			t.Errorf("a line of %q ends after %d bytes", s, read)
		}
		if read > telnetLine*(telnetLine+2) {
			t.Errorf("read %d bytes for one line", read)
		}
	})
}

func TestSilentAndStall(t *testing.T) {
	d := launch(t, "accept_and_silent", "tls_stall")
	for _, port := range []uint16{silentPort, setupPort} {
		c := dial(t, d.At(port))
		_, err := c.Write([]byte("\x16\x03\x01\x00\x05hello\r\n"))
		require.NoError(t, err)
		require.NoError(t, c.SetReadDeadline(time.Now().Add(quiet)))
		n, err := c.Read(make([]byte, 1))
		assert.Zero(t, n)
		assert.True(t, isTimeout(err), "%v", err)
	}
	mustConnect(t, d, as(t, d, "app", "a")) // the rest goes on
}

func isTimeout(err error) bool {
	e, ok := errors.AsType[net.Error](err)
	return ok && e.Timeout()
}

func TestDrip(t *testing.T) {
	t.Parallel()
	d := launch(t, "drip")
	c := dial(t, d.At(dripPort))
	began := time.Now()
	b := make([]byte, 4)
	n, err := io.ReadFull(c, b)
	assert.Error(t, err, "four bytes within %s", patience)
	assert.True(t, n == 0 || strings.HasPrefix(dripped, string(b[:n])))
	assert.GreaterOrEqual(t, time.Since(began), 2*dripEvery)
}

func TestFlood(t *testing.T) {
	d := launch(t, "flood")
	n, err := io.CopyN(io.Discard, dial(t, d.At(floodPort)), 8<<20)
	require.NoError(t, err)
	assert.EqualValues(t, 8<<20, n)
}

// attempts says which of n connections in a row the device kept.
func attempts(t *testing.T, d *Device, n int) []bool {
	t.Helper()
	var kept []bool
	for range n {
		c := dial(t, d.At(plainHTTPPort))
		_, err := io.WriteString(c, "GET / HTTP/1.0\r\n\r\n")
		if err == nil {
			_, err = c.Read(make([]byte, 1))
		}
		require.NoError(t, c.Close())
		kept = append(kept, err == nil)
	}
	return kept
}

func TestResetEveryThird(t *testing.T) {
	d := launch(t, "http_setup_plain", "reset_every_third")
	assert.Equal(t, []bool{true, true, false, true, true, false}, attempts(t, d, 6))
}

func TestScannerLimited(t *testing.T) {
	t.Parallel()
	d := launch(t, "http_setup_plain", "scanner_limited")
	kept := attempts(t, d, scannerRate+3)
	assert.Equal(t, []bool{true, true, true, true, true, false, false, false}, kept)
	require.Eventually(t, func() bool { return attempts(t, d, 1)[0] }, scannerPenalty+patience, time.Second)
}

func TestDecoy(t *testing.T) {
	t.Parallel()
	d := run(t, Spec{Name: "decoy"})
	assert.Equal(t, get(t, dialTLS(t, d, 23), "/any", "")[:15], get(t, dialTLS(t, d, 23), "/setup", "")[:15])

	got, _ := subscribe(t, mustConnect(t, d, as(t, d, "app", "a")), "door/help")
	assert.Contains(t, <-got, "password policy")

	for packet, want := range map[string]string{
		"\x10\x0c\x00\x04MQTT\x04\x02\x00\x1e\x00\x00":          "\x20\x02\x00\x02",     // no client identifier
		"\x10\x0d\x00\x04MQTT\x05\x02\x00\x1e\x00\x00\x00":      "\x20\x03\x00\x85\x00", // the same in version 5
		"\x10\x0d\x00\x04MQTT\x04\x02\x00\x1e\x00\x01x":         "",                     // no log-in: closed
		"\x10\x0e\x00\x04MQTT\x05\x02\x00\x1e\x00\x00\x01x":     "",
		"\x10\x0f\x00\x04MQTT\x04\xc2\x00\x1e\x00\x01x\x00\x00": "", // malformed: closed, and banned
	} {
		require.Eventually(t, func() bool { return answers(t.Context(), d.At(mqttPort)) }, patience, quiet)
		c := dialTLS(t, d, mqttPort)
		_, err := c.Write([]byte(packet))
		require.NoError(t, err)
		answer, err := io.ReadAll(c)
		if !errors.Is(err, syscall.ECONNRESET) {
			require.NoError(t, err)
		}
		assert.Equal(t, want, string(answer), "%q", packet)
		if strings.Contains(packet, "\xc2") {
			assert.Error(t, tls.Client(dial(t, d.At(mqttPort)), trusting(t, d)).Handshake(), "not banned")
			time.Sleep(banTime)
		}
	}
	mustConnect(t, d, as(t, d, "app", "forgiven"))
}

func TestSSH(t *testing.T) {
	d := run(t, Spec{Name: "decoy"})
	var key ssh.PublicKey
	_, err := ssh.Dial("tcp", d.At(22).String(), &ssh.ClientConfig{
		User: "root", Auth: []ssh.AuthMethod{ssh.Password("root")}, Timeout: patience,
		HostKeyCallback: func(_ string, _ net.Addr, k ssh.PublicKey) error { key = k; return nil },
	})
	require.ErrorContains(t, err, "unable to authenticate")
	assert.Equal(t, ssh.KeyAlgoED25519, key.Type())
	begin := make([]byte, len(talk)+len("SSH-2.0"))
	_, err = readFull(dial(t, d.At(22)), begin)
	require.NoError(t, err)
	assert.Equal(t, talk+"SSH-2.0", string(begin))
}
