package devices

import (
	"bytes"
	"io"
	"net"
	"time"
)

const (
	// silence is how long a silent port holds a connection: longer than any
	// client waits for a greeting.
	silence = 5 * time.Minute
	// dripEvery is slower than a client that renews its deadline at each byte
	// expects, dripFor longer than one that does not.
	dripEvery = 2 * time.Second
	dripFor   = 5 * time.Minute
	// floodBytes and floodFor end a flood; both are far above what a client
	// with a cap reads.
	floodBytes = 256 << 20
	floodFor   = 30 * time.Second
)

// silent takes what comes and never answers.
func silent(c net.Conn) {
	if c.SetDeadline(time.Now().Add(silence)) == nil {
		_, _ = io.Copy(io.Discard, c) // how it ends does not matter
	}
}

const dripped = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1000\r\n\r\n"

// drip answers everybody with HTTP, one byte at a time.
func drip(c net.Conn) {
	if c.SetDeadline(time.Now().Add(dripFor)) != nil {
		return
	}
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		_, _ = io.Copy(io.Discard, c)
	}()
	defer func() { <-gone }()
	defer c.Close()
	for i := range dripped {
		if _, err := io.WriteString(c, dripped[i:i+1]); err != nil {
			return
		}
		select {
		case <-time.After(dripEvery):
		case <-gone:
			return
		}
	}
}

// flood sends bytes that are no text, no TLS and no terminal's friend.
func flood(c net.Conn) {
	if c.SetDeadline(time.Now().Add(floodFor)) != nil {
		return
	}
	block := bytes.Repeat([]byte("\x00\xff\x1b]0;\x07\xe2\x80\xae\r\n"), 4<<10)
	for sent := 0; sent < floodBytes; sent += len(block) {
		if _, err := c.Write(block); err != nil {
			return
		}
	}
}
