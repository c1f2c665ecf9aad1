package peers

import (
	"bytes"
	"io"
	"net"
	"testing"
	"time"
)

// dialogue is a Telnet client that remembers what it heard.
type dialogue struct {
	net.Conn
	heard []byte
}

// until reads to the point where text was heard.
func (d *dialogue) until(t *testing.T, text string) {
	t.Helper()
	buf := make([]byte, 512)
	for !bytes.Contains(d.heard, []byte(text)) {
		n, err := d.Read(buf)
		d.heard = append(d.heard, buf[:n]...)
		if err != nil {
			t.Fatalf("waited for %q, heard %q: %v", text, d.heard, err)
		}
	}
	_, d.heard, _ = bytes.Cut(d.heard, []byte(text))
}

func (d *dialogue) say(t *testing.T, text string) {
	t.Helper()
	if _, err := d.Write([]byte(text + "\r\n")); err != nil {
		t.Fatal(err)
	}
}

func telnet(t *testing.T, p *Peer, password string) *dialogue {
	t.Helper()
	conn, err := net.DialTimeout("tcp", p.Addr.String(), answerWithin)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(answerWithin)); err != nil {
		t.Fatal(err)
	}
	d := &dialogue{Conn: conn}
	d.until(t, "\xff\xfd") // IAC DO: the server opens the negotiation
	d.until(t, "Camera 3000")
	d.login(t, password)
	return d
}

func (d *dialogue) login(t *testing.T, password string) {
	t.Helper()
	d.until(t, "login: ")
	d.say(t, "admin")
	d.until(t, "Password: ")
	d.say(t, password)
}

func TestBusyboxTelnetd(t *testing.T) {
	p := BusyboxTelnetd(t, TelnetConfig{Issue: "Camera 3000", Users: map[string]string{"admin": "s3cret"}})
	t.Run("right_password", func(t *testing.T) {
		d := telnet(t, p, "s3cret")
		d.until(t, "logged in as admin")
		d.until(t, "# ")
		d.say(t, "echo $((6*7))")
		d.until(t, "\necho $((6*7))") // repeated, not run
	})
	t.Run("wrong_passwords", func(t *testing.T) {
		d := telnet(t, p, "secret")
		for _, wrong := range []string{"", ".*"} {
			d.until(t, "Login incorrect")
			d.login(t, wrong)
		}
		rest, err := io.ReadAll(d)
		if err != nil || bytes.Contains(rest, []byte("logged in")) {
			t.Errorf("heard %q, %v after three wrong passwords, want the end", rest, err)
		}
	})
	t.Run("right_after_wrong", func(t *testing.T) {
		d := telnet(t, p, "s3cret x")
		d.until(t, "Login incorrect")
		d.login(t, "s3cret")
		d.until(t, "logged in as admin")
	})
}
