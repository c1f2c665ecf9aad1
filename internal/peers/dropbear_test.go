package peers

import (
	"net"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

// login tries one password and returns what the server runs for it.
func login(p *Peer, user, password string, algorithms ...string) (string, error) {
	client, err := ssh.Dial("tcp", p.Addr.String(), &ssh.ClientConfig{
		User: user, Auth: []ssh.AuthMethod{ssh.Password(password)}, Timeout: answerWithin,
		HostKeyCallback: ssh.InsecureIgnoreHostKey(), HostKeyAlgorithms: algorithms,
	})
	if err != nil {
		return "", err
	}
	defer client.Close()
	session, err := client.NewSession()
	if err != nil {
		return "", err
	}
	out, err := session.CombinedOutput("id") // the forced command runs instead
	return strings.TrimSpace(string(out)), err
}

func TestDropbearPasswords(t *testing.T) {
	p := Dropbear(t, DropbearConfig{Users: map[string]string{"admin": "s3cret", "service": "hunter2"}})
	for user, password := range map[string]string{"admin": "s3cret", "service": "hunter2"} {
		if out, err := login(p, user, password); err != nil || out != "logged in as "+user {
			t.Errorf("%s: %q, %v", user, out, err)
		}
	}
	for user, password := range map[string]string{"admin": "hunter2", "nobody": "s3cret", "root": ""} {
		if out, err := login(p, user, password); err == nil || !strings.Contains(err.Error(), "unable to authenticate") {
			t.Errorf("%s with %q: %q, %v, want it refused", user, password, out, err)
		}
	}
}

func TestDropbearRefusesPasswords(t *testing.T) {
	p := Dropbear(t, DropbearConfig{Users: map[string]string{"admin": "s3cret"}, Args: []string{"-s"}})
	if _, err := login(p, "admin", "s3cret"); err == nil || !strings.Contains(err.Error(), "attempted methods [none]") {
		t.Errorf("log-in ended with %v, want that no password was asked for", err)
	}
}

func TestDropbearHostKeys(t *testing.T) {
	p := Dropbear(t, DropbearConfig{Users: map[string]string{"admin": "s3cret"}, HostKeys: []string{"rsa", "ed25519"}})
	for algorithm, offered := range map[string]bool{
		ssh.KeyAlgoED25519: true, ssh.KeyAlgoRSASHA256: true, ssh.KeyAlgoECDSA256: false,
	} {
		if _, err := login(p, "admin", "s3cret", algorithm); (err == nil) != offered {
			t.Errorf("%s: %v, want offered: %t", algorithm, err, offered)
		}
	}
}

func TestDropbearGreets(t *testing.T) {
	p := Dropbear(t, DropbearConfig{})
	conn, err := net.DialTimeout("tcp", p.Addr.String(), answerWithin)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	d := &dialogue{Conn: conn}
	d.until(t, "SSH-2.0-dropbear")
}
