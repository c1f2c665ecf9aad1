package dtlstest

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/assay-iot/assay/harness/probes/internal/dtlswire"
	"github.com/assay-iot/assay/internal/peers"
)

const (
	// readyWithin is how long a real server may take until it answers.
	readyWithin = 20 * time.Second
	// pollEvery is how long one answer is waited for.
	pollEvery = 50 * time.Millisecond
)

// Peer starts a real server of the unpacked tree on a UDP port of loopback. It
// returns once the server answers in DTLS, and ends the server with the test.
func Peer(t testing.TB, program string, args func(port string) []string) netip.AddrPort {
	t.Helper()
	at := free(t)
	cmd := peers.Command(t, program, args(strconv.Itoa(int(at.Port())))...)
	cmd.Env = append(cmd.Env, "OPENSSL_CONF=/dev/null") // not the machine's policy
	log := filepath.Join(t.TempDir(), "output.log")
	out, err := os.Create(log)
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = out, out
	input, err := os.Open(os.DevNull)
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatalf("%s: %v", program, err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // by its own id; it may be gone
		_ = cmd.Wait()
		_ = input.Close()
		_ = out.Close()
		if t.Failed() {
			said, _ := os.ReadFile(log)
			t.Logf("%s said:\n%s", program, said[max(0, len(said)-8<<10):])
		}
	})
	if err := ready(at); err != nil {
		t.Fatalf("%s: %v", program, err)
	}
	return at
}

// free is a UDP port that nobody uses.
func free(t testing.TB) netip.AddrPort {
	t.Helper()
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }() // nothing is lost with it
	return netip.MustParseAddrPort(c.LocalAddr().String())
}

// ready waits until a server answers in DTLS.
func ready(at netip.AddrPort) error {
	buffer := make([]byte, 4096)
	for end := time.Now().Add(readyWithin); time.Now().Before(end); <-time.After(pollEvery / 5) {
		c, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(at))
		if err != nil {
			return err
		}
		_, _ = c.Write(dtlswire.Question()) // nobody may be there yet
		_ = c.SetReadDeadline(time.Now().Add(pollEvery))
		n, err := c.Read(buffer)
		_ = c.Close()
		if err == nil && dtlswire.Recognise(buffer[:n]) {
			return nil
		}
	}
	return fmt.Errorf("it does not answer at %s", at)
}

// OpenSSL starts "openssl s_server" for DTLS with more arguments.
func OpenSSL(t testing.TB, args ...string) netip.AddrPort {
	t.Helper()
	return Peer(t, "usr/bin/openssl", func(port string) []string {
		return append([]string{"s_server", "-listen", "-quiet", "-4", "-accept", "127.0.0.1:" + port}, args...)
	})
}

// Key is the pre-shared key of servers that have one, and Identity the identity
// that it belongs to.
const (
	Identity = "device-identity"
	Key      = "a key of this device alone"
)

// Secure starts a server that takes -A and -p and speaks DTLS on the port after
// that of its plain side.
func Secure(t testing.TB, program string, args ...string) netip.AddrPort {
	t.Helper()
	return Peer(t, program, func(port string) []string {
		n, _ := strconv.Atoi(port) // it was made from a number
		return append([]string{"-A", "127.0.0.1", "-p", strconv.Itoa(n - 1)}, args...)
	})
}
