package devices

import (
	"crypto/ed25519"
	"errors"
	"io"
	"net"
	"time"

	"golang.org/x/crypto/ssh"
)

// sshFor is how long somebody may take to log in.
const sshFor = 30 * time.Second

// talk is what TalkativeSSH sends first. It reads like a prompt and is none.
const talk = "*** Service access: login by key only, no password is asked ***\r\n" +
	"Telnet was removed in release 2\r\n"

var errNobody = errors.New("nobody may log in")

// ssh serves a log-in by key that nobody passes.
func (u unit) ssh(c net.Conn) {
	seed, err := derive(u.serial, "SSH host key", ed25519.SeedSize)
	if err != nil {
		return
	}
	signer, err := ssh.NewSignerFromSigner(ed25519.NewKeyFromSeed(seed))
	if err != nil || c.SetDeadline(time.Now().Add(sshFor)) != nil {
		return
	}
	config := &ssh.ServerConfig{
		ServerVersion: "SSH-2.0-lab comment (not OpenSSH; not 1.99)",
		MaxAuthTries:  3,
		PublicKeyCallback: func(ssh.ConnMetadata, ssh.PublicKey) (*ssh.Permissions, error) {
			return nil, errNobody
		},
	}
	config.AddHostKey(signer)
	if u.oddities.TalkativeSSH {
		if _, err := io.WriteString(c, talk); err != nil {
			return
		}
	}
	// It ends in an error always: nobody may log in.
	_, _, _, _ = ssh.NewServerConn(c, config)
}
