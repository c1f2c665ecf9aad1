package cli

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/assay-iot/assay/harness"
	"github.com/assay-iot/assay/harness/checks"
	"github.com/assay-iot/assay/harness/device"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/transport"
	"github.com/assay-iot/assay/profiles"
)

// orderFlags are those of the commands that are about to test something.
type orderFlags struct {
	profiles []string
	effect   string
	consent  string
	pace     string
	ports    string
	quick    bool
	capture  string
	units    []string
	trust    []string
	only     []string
	skip     []string
	by       string
	site     string
	sample   string
}

func (f *orderFlags) add(c *cobra.Command) {
	flags := c.Flags()
	profileFlag(c, &f.profiles, profiles.Default)
	choose(c, &f.effect, "effect", "the most that may be done to the device", "active", "passive", "active", "intrusive", "disruptive")
	flags.StringVar(&f.consent, "consent", "", "who allows what is above active, and why: `\"WHO, WHY\"`")
	choose(c, &f.pace, "pace", "how hard the device is pressed, bench on loopback and else normal", "", "gentle", "normal", "bench")
	flags.StringVar(&f.ports, "ports", "", "TCP `PORTS`: a list such as \"22,80,8000-8100\", \"all\" or \"quick\"")
	flags.BoolVar(&f.quick, "quick", false, "look at about a thousand ports only, as --ports quick does")
	flags.StringVar(&f.capture, "capture", "", "capture the device's traffic on this network `INTERFACE` too")
	flags.StringSliceVar(&f.units, "unit", nil, "another `UNIT` of the same model, an address or a device file")
	flags.StringSliceVar(&f.trust, "trust", nil, "PEM `FILE` of certificates that the device's are to lead to")
	flags.StringSliceVar(&f.only, "only", nil, "run only the checks whose ID matches the `GLOB`, such as \"mqtt.*\"")
	flags.StringArrayVar(&f.skip, "skip", nil, "leave out one check: `CHECK=REASON`")
	flags.StringVar(&f.by, "operator", "", "`NAME` of who runs the test, for the record")
	flags.StringVar(&f.site, "site", "", "`NAME` of the place, for the record")
	flags.StringVar(&f.sample, "sample", "", "`NUMBER` of the sample, for the record")
}

// session makes a session of what the user typed. Nothing is sent.
func (a *app) session(what string, f *orderFlags) (*harness.Session, error) {
	o, err := a.order(what, f)
	if err != nil {
		return nil, err
	}
	return o.Prepare()
}

func (a *app) order(what string, f *orderFlags) (harness.Order, error) {
	o := harness.Order{
		Checks: checks.ByID(), Consent: f.consent, Pace: transport.Pace(f.pace), Capture: f.capture, By: f.by, Site: f.site,
		Sample: f.sample, Program: program(), Now: a.Now().UTC(), Clock: harness.SystemClock(), Operator: a.operator(),
		Selection: harness.Selection{Only: f.only},
	}
	for _, read := range []func(*harness.Order) error{
		func(o *harness.Order) (err error) { o.File, o.Address, err = readTarget(what); return err },
		func(o *harness.Order) (err error) { o.Profiles, err = loadProfiles(f.profiles); return err },
		func(o *harness.Order) (err error) { o.Effect, err = probe.ParseEffect(f.effect); return err },
		f.readPorts, f.readUnits, f.readTrust, f.readSkips,
	} {
		if err := read(&o); err != nil {
			return o, err
		}
	}
	return o, nil
}

// readTarget takes a device file or an address.
func readTarget(what string) (*device.File, netip.Addr, error) {
	if addr, err := netip.ParseAddr(what); err == nil {
		return nil, addr, nil
	}
	if _, err := os.Stat(what); errors.Is(err, os.ErrNotExist) {
		return nil, netip.Addr{}, wrong(fmt.Errorf("%q is neither an IP address nor a file that exists", what),
			"name a device file, or an address such as 192.168.1.20")
	}
	f, err := device.Read(what)
	return f, netip.Addr{}, err
}

func (f *orderFlags) readPorts(o *harness.Order) (err error) {
	switch {
	case f.quick && f.ports != "":
		return wrong(errors.New("--quick and --ports contradict each other"), "give one of them")
	case f.quick:
		f.ports = "quick"
	case f.ports == "":
		return nil
	}
	o.Ports, err = harness.ParsePorts(f.ports)
	return err
}

func (f *orderFlags) readUnits(o *harness.Order) error {
	for i, what := range f.units {
		file, addr, err := readTarget(what)
		if err != nil {
			return err
		}
		if file == nil {
			file = device.Bare(addr)
		}
		o.Units = append(o.Units, harness.UnitOrder{Name: fmt.Sprintf("unit-%d", i+2), File: file})
	}
	return nil
}

// maxPEM bounds a file of certificates, in bytes: a hundred authorities.
const maxPEM = 1 << 20

func (f *orderFlags) readTrust(o *harness.Order) error {
	for _, path := range f.trust {
		b, err := readCapped(path, maxPEM)
		if err == nil {
			_, err = device.Certificates(b)
		}
		if err != nil {
			return wrong(fmt.Errorf("--trust %q: %w", path, err), "give a PEM file of certificates")
		}
		o.Trust = append(o.Trust, b)
	}
	return nil
}

func (f *orderFlags) readSkips(o *harness.Order) error {
	for _, s := range f.skip {
		id, reason, _ := strings.Cut(s, "=")
		if strings.TrimSpace(reason) == "" {
			return wrong(fmt.Errorf("--skip %q gives no reason", s), "write it behind the check, for the report: --skip %q", id+"=REASON")
		}
		o.Selection.Skip = append(o.Selection.Skip, harness.Skip{Check: id, Reason: reason})
	}
	return nil
}

// readCapped reads a file of at most limit bytes.
func readCapped(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = fmt.Errorf("it is larger than %d bytes", limit)
	}
	return b, err
}
