package cli

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/assay-iot/assay/harness"
	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/checks"
	"github.com/assay-iot/assay/harness/evidence/bundle"
	"github.com/assay-iot/assay/profiles"
)

var _ = command(func(a *app) *cobra.Command {
	var format string
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Find out what this machine lets assay do",
		Long: `Find out what this machine lets assay do: listen on the network, bind the ports
that emulated devices want, keep keys, know the time. Exit code 0: everything
works; 1: something is missing, and is named.`,
		Example: "  assay doctor\n  assay doctor --format json",
		Args:    noArgs,
		RunE:    func(*cobra.Command, []string) error { return a.doctor(format) },
	}
	textOrJSON(c, &format)
	return c
})

// finding is one thing that doctor looked at.
type finding struct {
	What string `json:"what"`
	Good bool   `json:"good"`
	Seen string `json:"seen"`
	Fix  string `json:"fix,omitempty"`
}

func (a *app) doctor(format string) error {
	list := []finding{a.parts(), a.keysKept(), clockKnown(), manyFiles(), a.loopbackAddresses(), a.lowPorts(), mayCapture()}
	code := exitPassed
	for i, f := range list {
		if f.Good {
			list[i].Fix = ""
		} else {
			code = exitFailed
		}
	}
	if format == "json" {
		return errors.Join(a.json(list), asExit(code))
	}
	for _, f := range list {
		mark := "ok       "
		if !f.Good {
			mark = "missing  "
		}
		a.lines(mark, "         ", f.What+": "+f.Seen)
		if f.Fix != "" {
			a.lines("         to mend it: ", "         ", f.Fix)
		}
	}
	return asExit(code)
}

// parts looks at the program itself.
func (a *app) parts() finding {
	f := finding{What: "program", Seen: fmt.Sprintf("%s, %s/%s, %d checks, %d profiles", program(), runtime.GOOS, runtime.GOARCH, len(checks.All()), len(profiles.IDs()))}
	err := check.Validate(checks.All())
	if err == nil {
		_, err = loadProfiles(profiles.IDs())
	}
	if f.Good = err == nil; err != nil {
		f.Seen, f.Fix = err.Error(), "this copy of assay is broken: get another one"
	}
	return f
}

func (a *app) keysKept() finding {
	f := finding{What: "keys", Good: true, Seen: "made at first use"}
	dir, err := a.keyDir()
	if err != nil {
		return finding{What: "keys", Seen: err.Error(), Fix: "set ASSAY_KEYS to a directory of your own"}
	}
	if info, err := os.Stat(filepath.Join(dir, bundle.SigningKey)); err == nil {
		f.Seen = "in " + dir
		if info.Mode().Perm()&0o077 != 0 {
			f.Good, f.Seen, f.Fix = false, "others can read "+dir, "chmod 600 "+filepath.Join(dir, "*.key")
		}
	}
	return f
}

func clockKnown() finding {
	c := harness.SystemClock()
	return finding{
		What: "clock", Good: c.Name != "unsynchronised", Seen: c.Name,
		Fix: "nothing sets this clock right; certificates are judged by it: start a time service",
	}
}

// lowPorts are those below 1024, which emulated devices want.
func (a *app) lowPorts() finding {
	f := finding{What: "standard ports for emulated devices", Good: true, Seen: "can be had"}
	l, err := new(net.ListenConfig).Listen(a.ctx, "tcp", "127.0.0.1:23")
	if err != nil {
		f.Seen = "cannot be had; offset ports are used instead"
		return f
	}
	l.Close()
	return f
}

func (a *app) loopbackAddresses() finding {
	f := finding{What: "loopback addresses for emulated devices", Good: true, Seen: "one for each"}
	l, err := new(net.ListenConfig).Listen(a.ctx, "tcp", "127.61.1.1:0")
	if err != nil {
		f.Seen = "only one; devices get ports of their own"
		return f
	}
	l.Close()
	return f
}
