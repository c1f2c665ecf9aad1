package services

import (
	"bytes"
	"encoding/binary"
	"regexp"
)

// Telnet commands: RFC 854.
const (
	iac      = 255
	will     = 251
	dont     = 254
	subBegin = 250
	subEnd   = 240
	nop      = 241
)

// isTelnet reports whether a device that spoke first negotiated a Telnet
// option, or asks for a log-in in clear text.
func isTelnet(b []byte) bool {
	text, options, ok := splitTelnet(b)
	return ok && (options > 0 || asksForLogin(text))
}

// splitTelnet takes commands out of the text and counts the options that were
// negotiated. It is strict: a wrong command means that this is no Telnet. One
// that is cut off at the end is left out.
func splitTelnet(b []byte) (text []byte, options int, ok bool) {
	for i := 0; i < len(b); i++ {
		if b[i] != iac {
			text = append(text, b[i])
			continue
		}
		if i+1 == len(b) {
			break
		}
		i++
		switch c := b[i]; {
		case c >= will && c <= dont:
			if i++; i == len(b) {
				return text, options, true
			}
			options++
		case c == subBegin:
			end := bytes.Index(b[i:], []byte{iac, subEnd})
			if end < 0 {
				return text, options, true
			}
			i += end + 1
		case c == iac:
			text = append(text, c)
		case c < nop || c >= subBegin:
			return nil, 0, false
		}
	}
	return text, options, true
}

// loginPrompt is the end of a line that waits for a name or a password.
var loginPrompt = regexp.MustCompile(`(?i)(^|[^a-z])(login|user ?name|user|user ?id|password|passwd)\s*:$`)

// asksForLogin reports whether printable text ends with a prompt.
func asksForLogin(text []byte) bool {
	text = bytes.TrimRight(text, " \t\r\n\x00")
	last := text[bytes.LastIndexByte(text, '\n')+1:]
	last = bytes.TrimLeft(last, "\r\x00")
	for _, c := range last {
		if c < ' ' && c != '\t' || c > '~' {
			return false
		}
	}
	return loginPrompt.Match(last)
}

// sshBanner is the line with which an SSH server begins (RFC 4253, 4.2).
type sshBanner struct {
	end int  // of the line, 0 if there is none yet
	old bool // the server speaks protocol 1 only
}

// maxSSHLine is the longest line of a banner, in bytes: RFC 4253, 4.2.
const maxSSHLine = 255

// readSSHBanner finds the banner behind the lines that may come before it.
func readSSHBanner(b []byte) sshBanner {
	for at := 0; ; {
		n := bytes.IndexByte(b[at:], '\n')
		if n < 0 {
			return sshBanner{}
		}
		line := b[at : at+n]
		at += n + 1
		if !bytes.HasPrefix(line, []byte("SSH-")) {
			continue
		}
		version, software, ok := bytes.Cut(line[4:], []byte("-"))
		if !ok || len(line) > maxSSHLine || len(bytes.TrimSpace(software)) == 0 {
			return sshBanner{}
		}
		two := string(version) == "2.0" || string(version) == "1.99"
		if !two && !bytes.HasPrefix(version, []byte("1.")) {
			return sshBanner{}
		}
		return sshBanner{end: at, old: !two}
	}
}

// reply is our own banner.
func (b sshBanner) reply() []byte {
	if b.old {
		return []byte("SSH-1.5-assay\n")
	}
	return []byte("SSH-2.0-assay\r\n")
}

const (
	// sshStart is how many bytes behind the banner tell what the first packet
	// is, with the padding of protocol 1.
	sshStart = 4 + 8 + 1
	// maxSSHPacket is the longest packet that all must take: RFC 4253, 6.1.
	maxSSHPacket = 35000

	sshKexInit   = 20 // RFC 4253, 12
	sshPublicKey = 2  // of protocol 1
)

// goesOn reports whether the first packet behind the banner is the one with
// which a server begins the key exchange.
func (b sshBanner) goesOn(heard []byte) bool {
	packet := heard[min(b.end, len(heard)):]
	if len(packet) < sshStart {
		return false
	}
	length := binary.BigEndian.Uint32(packet)
	if length < sshStart || length > maxSSHPacket {
		return false
	}
	if b.old {
		return packet[4+8-length%8] == sshPublicKey
	}
	return uint32(packet[4]) < length && packet[5] == sshKexInit
}
