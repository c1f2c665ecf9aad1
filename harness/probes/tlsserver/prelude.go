package tlsserver

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"strings"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/services"
	"github.com/assay-iot/assay/harness/transport"
)

// wayOf says how TLS begins at a service, and whether it may at all.
func wayOf(s services.Service) (Way, bool) {
	if s.TLS == evidence.Yes {
		return AtOnce, true
	}
	way, ok := map[services.Protocol]Way{
		"smtp": OverSMTP, "ftp": OverFTP, "imap": OverIMAP, "pop3": OverPOP3, "xmpp": OverXMPP, "ldap": OverLDAP,
	}[s.Protocol]
	return way, ok
}

const (
	// maxLine bounds one line of a dialogue: RFC 5321, 4.5.3.1.5 allows 512.
	maxLine = 2048
	// maxLines bounds a greeting or the list of what a server can do.
	maxLines = 100
)

// errDialogue says that a dialogue took another turn: the server declines.
var errDialogue = errors.New("the dialogue took another turn")

// prelude leads a connection to the point where TLS begins, and reports whether
// the server agreed. It reads byte by byte, so that nothing of TLS is lost.
func prelude(ctx context.Context, c transport.Conn, way Way) (bool, error) {
	steps := map[Way]func(io.ReadWriter) error{
		OverSMTP: smtp, OverFTP: ftp, OverIMAP: imap, OverPOP3: pop3, OverXMPP: xmpp, OverLDAP: ldap,
	}
	talk, ok := steps[way]
	if !ok {
		return true, nil
	}
	err := talk(c)
	if err == nil || errors.Is(err, errDialogue) || errors.Is(err, transport.ErrTooMuch) {
		return err == nil, nil
	}
	_, err = transport.Did(ctx, err)
	return false, err
}

// smtp is RFC 3207.
func smtp(c io.ReadWriter) error {
	return talk(c, step{"", "220"}, step{"EHLO assay.invalid\r\n", "250"}, step{"STARTTLS\r\n", "220"})
}

// ftp is RFC 4217.
func ftp(c io.ReadWriter) error { return talk(c, step{"", "220"}, step{"AUTH TLS\r\n", "234"}) }

// step is a line that is said, and the code that has to come.
type step struct{ say, code string }

func talk(c io.ReadWriter, steps ...step) error {
	for _, s := range steps {
		if err := say(c, s.say); err != nil {
			return err
		}
		if err := reply(c, s.code); err != nil {
			return err
		}
	}
	return nil
}

func say(c io.Writer, line string) error {
	if line == "" {
		return nil
	}
	_, err := io.WriteString(c, line)
	return err
}

// reply reads a reply of several lines, "250-...", and its last, "250 ...".
func reply(c io.Reader, code string) error {
	for range maxLines {
		line, err := readLine(c)
		switch {
		case err != nil:
			return err
		case len(line) > 3 && line[3] == '-' || line == "" || line[0] == ' ':
		case strings.HasPrefix(line, code):
			return nil
		default:
			return errDialogue
		}
	}
	return errDialogue
}

// imap is RFC 3501, 6.2.1.
func imap(c io.ReadWriter) error {
	greeting, err := readLine(c)
	if err != nil || !strings.HasPrefix(greeting, "* OK") {
		return errors.Join(err, otherwise(err))
	}
	if err := say(c, "a STARTTLS\r\n"); err != nil {
		return err
	}
	for range maxLines {
		line, err := readLine(c)
		switch {
		case err != nil:
			return err
		case strings.HasPrefix(line, "a OK"):
			return nil
		case !strings.HasPrefix(line, "* "):
			return errDialogue
		}
	}
	return errDialogue
}

// otherwise is errDialogue unless there is an error already.
func otherwise(err error) error {
	if err != nil {
		return nil
	}
	return errDialogue
}

// pop3 is RFC 2595.
func pop3(c io.ReadWriter) error {
	for _, line := range []string{"", "STLS\r\n"} {
		if err := say(c, line); err != nil {
			return err
		}
		answer, err := readLine(c)
		if err != nil || !strings.HasPrefix(answer, "+OK") {
			return errors.Join(err, otherwise(err))
		}
	}
	return nil
}

// xmpp is RFC 6120, 5.4.
func xmpp(c io.ReadWriter) error {
	const stream = "<?xml version='1.0'?><stream:stream to='assay.invalid' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
	if err := say(c, stream); err != nil {
		return err
	}
	if err := until(c, "</stream:features>"); err != nil {
		return err
	}
	if err := say(c, "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"); err != nil {
		return err
	}
	heard, err := element(c)
	if err == nil && !bytes.HasPrefix(heard, []byte("<proceed")) {
		return errDialogue
	}
	return err
}

// until reads to the end of text.
func until(c io.Reader, text string) error {
	var heard []byte
	for range maxLine * 4 {
		b, err := readByte(c)
		if err != nil {
			return err
		}
		if heard = append(heard, b); bytes.HasSuffix(heard, []byte(text)) {
			return nil
		}
	}
	return errDialogue
}

// element reads to the next ">".
func element(c io.Reader) ([]byte, error) {
	var heard []byte
	for range maxLine {
		b, err := readByte(c)
		if err != nil {
			return nil, err
		}
		if heard = append(heard, b); b == '>' {
			return heard, nil
		}
	}
	return nil, errDialogue
}

// startTLS is an LDAP ExtendedRequest for the OID 1.3.6.1.4.1.1466.20037 (RFC
// 4511, 4.14), message 1.
var startTLS = []byte("\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037")

// ldap reads the ExtendedResponse with the short lengths of a success.
func ldap(c io.ReadWriter) error {
	if _, err := c.Write(startTLS); err != nil {
		return err
	}
	var head [2]byte
	if _, err := io.ReadFull(c, head[:]); err != nil {
		return err
	}
	n := int(head[1])
	if head[0] != 0x30 {
		return errDialogue
	}
	if n == 0x84 { // as Active Directory writes it
		var long [4]byte
		if _, err := io.ReadFull(c, long[:]); err != nil {
			return err
		}
		n = int(min(binary.BigEndian.Uint32(long[:]), maxLine+1))
	}
	if n > maxLine {
		return errDialogue
	}
	body := make([]byte, n)
	if _, err := io.ReadFull(c, body); err != nil {
		return err
	}
	if !bytes.HasPrefix(body, []byte("\x02\x01\x01\x78")) || !bytes.Contains(body, []byte("\x0a\x01\x00")) { // resultCode success
		return errDialogue
	}
	return nil
}

// readLine reads one line without its end.
func readLine(c io.Reader) (string, error) {
	var line []byte
	for range maxLine {
		b, err := readByte(c)
		if err != nil {
			return "", err
		}
		if b == '\n' {
			return strings.TrimSuffix(string(line), "\r"), nil
		}
		line = append(line, b)
	}
	return "", errDialogue
}

func readByte(c io.Reader) (byte, error) {
	var b [1]byte
	_, err := io.ReadFull(c, b[:])
	return b[0], err
}
