package device

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/assay-iot/assay/harness/msg"
)

// A Login is a user and a password, read from where a credential says. It
// prints without the password.
type Login struct{ ID, User, Password string }

// Format writes l without its password, whatever the verb.
func (l Login) Format(s fmt.State, _ rune) {
	_, _ = io.WriteString(s, "login "+l.ID+" [redacted]") // fmt keeps the error of its writer
}

const (
	// maxSecret bounds a password: a file that is larger is another file.
	maxSecret = 4 << 10

	// readByOthers are the permissions that let other users of the machine
	// read a file.
	readByOthers = 0o004
)

// Secrets returns the log-ins for a service, in the order of the file, and
// notes on how they are kept.
func (f *File) Secrets(service string) ([]Login, []Note, error) {
	var logins []Login
	var notes []Note
	for i, c := range f.Credentials {
		if c.Service != service {
			continue
		}
		path := entry("credentials", i) + ".password"
		secret, err := f.secret(c)
		if err != nil {
			return nil, nil, f.fault(path, "", "credential %q", c.ID).because(plain(err))
		}
		if c.Password.File != "" && f.readableByOthers(c.Password.File) {
			notes = append(notes, Note{f.line(path), msg.T("every user of this machine can read the file of credential {credential}", "credential", c.ID),
				msg.T("take the permission to read it from others")})
		}
		logins = append(logins, Login{c.ID, c.User, string(secret)})
	}
	return logins, notes, nil
}

func (f *File) secret(c Credential) ([]byte, error) {
	b, err := f.rawSecret(c.Password)
	if err != nil {
		return nil, err
	}
	line, _ := bytes.CutSuffix(b, []byte("\n"))
	line, _ = bytes.CutSuffix(line, []byte("\r"))
	if len(line) == 0 {
		return nil, errors.New("the secret is empty")
	}
	if c.Encoding == Hex {
		return fromHex(line)
	}
	return line, nil
}

// Hex is the encoding of a secret in hexadecimal digits.
const Hex = "hex"

// fromHex decodes a secret. Its error does not show it.
func fromHex(line []byte) ([]byte, error) {
	b := make([]byte, hex.DecodedLen(len(line)))
	if _, err := hex.Decode(b, line); err != nil {
		return nil, errors.New("the secret is not hexadecimal, two digits for each byte")
	}
	return b, nil
}

func (f *File) rawSecret(from Source) ([]byte, error) {
	if from.File != "" {
		return f.readFile(from.File, maxSecret)
	}
	value, ok := os.LookupEnv(from.Env)
	switch {
	case !ok:
		return nil, fmt.Errorf("environment variable %q is not set", from.Env)
	case len(value) > maxSecret:
		return nil, fmt.Errorf("environment variable %q: %w: more than %d bytes", from.Env, errTooLarge, maxSecret)
	}
	return []byte(value), nil
}

func (f *File) readableByOthers(file string) bool {
	r, err := f.Open(file)
	if err != nil {
		return false
	}
	defer r.Close()
	info, err := r.Stat()
	return err == nil && info.Mode().Perm()&readByOthers != 0
}
