package peers

import (
	"os"
	"strings"
	"testing"
)

// TelnetConfig is how a Telnet server behaves.
type TelnetConfig struct {
	// Issue is what it prints before it asks for a name.
	Issue string
	// Users are names and passwords of those whom it lets in.
	Users map[string]string
}

// telnetLogin stands where /bin/login would: that asks the machine's own
// accounts, and gives a shell. This one repeats what is typed. Like its model
// it hangs up after three wrong passwords.
const telnetLogin = `#!/bin/sh
ask() {
	printf 'login: '
	read -r name || exit 1
	stty -echo
	printf 'Password: '
	read -r password
	stty echo
	echo
	grep -Fxq -- "$name:$password" "$0.users"
}
ask || { echo 'Login incorrect'; ask; } || { echo 'Login incorrect'; ask; } || exit 1
printf 'logged in as %s\n# ' "$name"
while read -r line && [ "$line" != exit ]; do
	printf '%s\n# ' "$line"
done
`

// BusyboxTelnetd starts BusyBox's Telnet server.
func BusyboxTelnetd(t testing.TB, c TelnetConfig) *Peer {
	t.Helper()
	return Start(t, Spec{
		Name: "telnetd", Program: "bin/busybox",
		Setup: func(r Room) ([]string, error) {
			var users []string
			for name, password := range c.Users {
				users = append(users, name+":"+password)
			}
			if err := r.Write("login.users", users...); err != nil {
				return nil, err
			}
			if err := r.Write("issue", c.Issue); err != nil {
				return nil, err
			}
			if err := os.WriteFile(r.Path("login"), []byte(telnetLogin), 0o700); err != nil {
				return nil, err
			}
			return strings.Fields("telnetd -F -b " + r.Addrs[0].String() + " -f issue -l ./login"), nil
		},
	})
}
