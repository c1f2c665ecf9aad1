package peers

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// tcpListen is the state of a listening socket in /proc/net/tcp.
const tcpListen = "0A"

// ownGroup puts a command into a process group of its own, and has the kernel
// end it when a test process dies without cleaning up.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// terminate asks all processes of a group to end. A group that is gone is what
// was wanted.
func terminate(group int) { _ = syscall.Kill(-group, syscall.SIGTERM) }

// kill ends all processes of a group.
func kill(group int) { _ = syscall.Kill(-group, syscall.SIGKILL) }

// listens says whether a process of a group listens on a TCP port. That a port
// answers is not enough: another process may have taken it.
func listens(group int, port uint16) bool {
	own := sockets(group)
	for _, family := range []string{"tcp", "tcp6"} {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/%s", group, family))
		if err != nil {
			continue // the process has ended, or there is no IPv6
		}
		for line := range strings.Lines(string(b)) {
			// Fields 1, 3 and 9 are local address, state and inode.
			f := strings.Fields(line)
			if len(f) > 9 && f[3] == tcpListen && own[f[9]] && strings.HasSuffix(f[1], fmt.Sprintf(":%04X", port)) {
				return true
			}
		}
	}
	return false
}

// sockets are the inodes of all sockets of a process group. A process that
// ends while we look has none.
func sockets(group int) map[string]bool {
	inodes := map[string]bool{}
	processes, _ := filepath.Glob("/proc/[0-9]*") // its only error is a bad pattern
	for _, process := range processes {
		if groupOf(process) != group {
			continue
		}
		handles, _ := filepath.Glob(process + "/fd/*")
		for _, handle := range handles {
			target, _ := os.Readlink(handle)
			if inode, ok := strings.CutPrefix(target, "socket:["); ok {
				inodes[strings.TrimSuffix(inode, "]")] = true
			}
		}
	}
	return inodes
}

// groupOf is the process group of a process in /proc, or 0. The name of the
// program, in parentheses, may hold anything: state, parent and group follow
// the last one.
func groupOf(process string) int {
	stat, _ := os.ReadFile(process + "/stat")
	f := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if len(f) < 3 {
		return 0
	}
	group, _ := strconv.Atoi(f[2])
	return group
}
