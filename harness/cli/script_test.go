package cli

import (
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/assay-iot/assay/internal/peers"
)

// Scripts find the stored bundles and the profile that they were made under in
// the folder that they run in.
func TestScripts(t *testing.T) {
	peers.Quiet(t) // scripts look at all ports of emulated devices
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Setenv("ASSAY_KEYS", filepath.Join(e.WorkDir, "keys"))
			e.Setenv("HOME", e.WorkDir)
			return errors.Join(
				copyFile("testdata/stored/insecure.assay", e.WorkDir), copyFile("testdata/stored/hardened.assay", e.WorkDir),
				copyFile("testdata/p.yaml", e.WorkDir))
		},
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "isjson": isJSON, "narrow": narrow, "serve": serve, "waitfor": waitFor,
		},
	})
}

func copyFile(path, dir string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, filepath.Base(path)), b, 0o600)
}

// exits CODE COMMAND... runs a command that ends with the code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND...")
	}
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		failed, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("%v", err)
		}
		got = failed.ExitCode()
	}
	if strconv.Itoa(got) != args[0] {
		ts.Fatalf("exit code %d, want %s", got, args[0])
	}
}

// isjson looks whether the last command printed one JSON value and no more.
func isJSON(ts *testscript.TestScript, neg bool, _ []string) {
	if json.Valid([]byte(ts.ReadFile("stdout"))) == neg {
		ts.Fatalf("standard output as JSON: valid is %v", !neg)
	}
}

// narrow looks whether all that the last command printed fits 80 columns.
func narrow(ts *testscript.TestScript, _ bool, _ []string) {
	for _, stream := range []string{"stdout", "stderr"} {
		if line, wide := widest(ts.ReadFile(stream)); wide > defaultWidth {
			ts.Fatalf("%s has a line of %d columns: %s", stream, wide, line)
		}
	}
}

// widest returns the longest line of a text and its length in characters.
func widest(text string) (longest string, n int) {
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if length := utf8.RuneCountInString(line); length > n {
			longest, n = line, length
		}
	}
	return longest, n
}

// greetings are what the servers of serve say first.
var greetings = map[string]string{
	"telnet": "\xff\xfd\x18\xff\xfb\x01\xff\xfb\x03login: ",
	"ssh":    "SSH-2.0-test\r\n",
}

// serve PROTOCOL starts a server on 127.0.0.1 until the script ends; its port
// goes to $PORT.
func serve(ts *testscript.TestScript, _ bool, args []string) {
	greeting, ok := greetings[args[0]]
	if !ok {
		ts.Fatalf("nothing to say in %q", args[0])
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { ln.Close() })
	_, port, err := net.SplitHostPort(ln.Addr().String())
	ts.Check(err)
	ts.Setenv("PORT", port)
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go greet(c, greeting)
		}
	}()
}

// greet says what a server says first, and hangs up at the first answer: whoever
// asks for more need not wait.
func greet(c net.Conn, greeting string) {
	defer c.Close()
	if _, err := io.WriteString(c, greeting); err == nil {
		_, _ = c.Read(make([]byte, 1<<10)) // whatever it is
	}
}

// patience is how long something may take that takes much less on a slow
// machine.
const patience = 30 * time.Second

// waitFor FILE waits until it is there.
func waitFor(ts *testscript.TestScript, _ bool, args []string) {
	if err := eventually(func() bool { _, err := os.Stat(ts.MkAbs(args[0])); return err == nil }); err != nil {
		ts.Fatalf("%s: %v", args[0], err)
	}
}

func eventually(done func() bool) error {
	for end := time.Now().Add(patience); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			return errors.New("it did not come")
		}
	}
	return nil
}
