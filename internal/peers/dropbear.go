package peers

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// DropbearConfig is how an SSH server behaves.
type DropbearConfig struct {
	// Users are names and passwords of those whom it lets in. A log-in gets
	// one line, "logged in as NAME", and no shell.
	Users map[string]string
	// HostKeys are the types of its keys: ecdsa, ed25519, rsa, dss. None means
	// ecdsa.
	HostKeys []string
	// Args are more arguments, such as -s, which refuses passwords.
	Args []string
}

// forced is what every log-in runs instead of a shell or a command.
const forced = `echo "logged in as $USER"`

// Dropbear starts an SSH server. Its users exist for it alone: a library
// answers its look-ups in passwd and shadow from files of the test, so it can
// check passwords without root.
func Dropbear(t testing.TB, c DropbearConfig) *Peer {
	t.Helper()
	dir := t.TempDir()
	args := append([]string{"-F", "-E", "-j", "-k", "-c", forced}, c.Args...)
	for _, key := range hostKeys(t, dir, c.HostKeys) {
		args = append(args, "-r", key)
	}
	passwd, shadow := accounts(t, dir, c.Users)
	return Start(t, Spec{
		Name: "dropbear", Program: "usr/sbin/dropbear", Dir: dir,
		Env: []string{
			"LD_PRELOAD=libnss_wrapper.so",
			"NSS_WRAPPER_PASSWD=" + filepath.Join(dir, "passwd"),
			"NSS_WRAPPER_SHADOW=" + filepath.Join(dir, "shadow"),
			"NSS_WRAPPER_GROUP=" + filepath.Join(dir, "group"),
		},
		Setup: func(r Room) ([]string, error) {
			for file, lines := range map[string][]string{
				"passwd": passwd, "shadow": shadow,
				"group": {fmt.Sprintf("users:x:%d:", os.Getgid())},
			} {
				if err := r.Write(file, lines...); err != nil {
					return nil, err
				}
			}
			return append(args, "-p", r.Addrs[0].String(), "-P", r.Path("pid")), nil
		},
	})
}

// hostKeys makes one key of each type.
func hostKeys(t testing.TB, dir string, types []string) []string {
	t.Helper()
	if len(types) == 0 {
		types = []string{"ecdsa"}
	}
	var files []string
	for _, kind := range types {
		file := filepath.Join(dir, "host-"+kind)
		output(t, "", "usr/bin/dropbearkey", "-t", kind, "-f", file)
		files = append(files, file)
	}
	return files
}

// accounts are the lines of passwd and shadow. All users have the id of the
// test: without root, a server can become nobody else.
func accounts(t testing.TB, home string, users map[string]string) (passwd, shadow []string) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(users)) {
		hash := output(t, users[name]+"\n", "usr/bin/openssl", "passwd", "-6", "-stdin")
		passwd = append(passwd, fmt.Sprintf("%s:x:%d:%d::%s:/bin/sh", name, os.Getuid(), os.Getgid(), home))
		shadow = append(shadow, strings.Join([]string{name, hash, "19000", "0", "99999", "7", "", "", ""}, ":"))
	}
	return passwd, shadow
}
