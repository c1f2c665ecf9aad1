package devices

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"time"
)

const (
	telnetFor  = time.Minute // a log-in of a slow typist
	telnetLine = 256         // bytes of a line, options left out
	telnetAsks = 3           // log-ins in one connection, as is usual
)

// Telnet commands, RFC 854.
const (
	telnetIAC  = 255
	telnetDo   = 253
	telnetWill = 251
	telnetSB   = 250
	telnetSE   = 240
)

// telnet offers a log-in that nobody passes.
func (u unit) telnet(c net.Conn) {
	if c.SetDeadline(time.Now().Add(telnetFor)) != nil {
		return
	}
	offer := []byte{telnetIAC, telnetDo, 24, telnetIAC, telnetWill, 1, telnetIAC, telnetWill, 3} // terminal type, echo, suppress go ahead
	if _, err := c.Write(offer); err != nil {
		return
	}
	r := bufio.NewReaderSize(c, telnetLine)
	for range telnetAsks {
		for _, prompt := range []string{fmt.Sprintf("\r\n%s login: ", u.greeting()), "Password: "} {
			if _, err := io.WriteString(c, prompt); err != nil {
				return
			}
			if err := telnetReadLine(r); err != nil {
				return
			}
		}
		if _, err := io.WriteString(c, "\r\nLogin incorrect\r\n"); err != nil {
			return
		}
	}
}

// telnetReadLine reads up to the end of a line, options left out. A line that
// is too long is an error.
func telnetReadLine(r io.ByteReader) error {
	for read := 0; read < telnetLine; read++ {
		b, err := r.ReadByte()
		switch {
		case err != nil:
			return err
		case b == telnetIAC:
			err = telnetSkip(r)
		case b == '\n' || b == '\r':
			return nil
		}
		if err != nil {
			return err
		}
	}
	return fmt.Errorf("a line of more than %d bytes", telnetLine)
}

// telnetSkip reads the rest of a command.
func telnetSkip(r io.ByteReader) error {
	b, err := r.ReadByte()
	if err != nil {
		return err
	}
	switch {
	case b >= telnetWill && b < telnetIAC: // WILL, WONT, DO, DONT and an option
		_, err = r.ReadByte()
	case b == telnetSB:
		return telnetSubnegotiation(r)
	}
	return err
}

// telnetSubnegotiation reads up to its end.
func telnetSubnegotiation(r io.ByteReader) error {
	for last, read := byte(0), 0; read < telnetLine; read++ {
		b, err := r.ReadByte()
		if err != nil {
			return err
		}
		if last == telnetIAC && b == telnetSE {
			return nil
		}
		last = b
	}
	return fmt.Errorf("a subnegotiation of more than %d bytes", telnetLine)
}
