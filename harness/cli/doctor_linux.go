package cli

import "golang.org/x/sys/unix"

// mayCapture tries to open a socket that sees frames.
func mayCapture() finding {
	f := finding{What: "capture of traffic", Good: true, Seen: "allowed"}
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return finding{What: "capture of traffic", Seen: "not allowed (" + err.Error() + "); everything else works", Fix: "sudo setcap cap_net_raw+ep $(command -v assay)"}
	}
	unix.Close(fd)
	return f
}
