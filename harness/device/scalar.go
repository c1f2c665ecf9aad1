package device

import (
	"fmt"
	"net/netip"
	"reflect"
	"regexp"
	"strconv"
	"time"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// A reading turns the text of a single value, as it stands in the file, into a
// field. An error says what was expected.
type reading func(text string, v reflect.Value) error

// scalars holds the types that are written as a single value.
var scalars = map[reflect.Type]reading{
	reflect.TypeFor[string]():     readString,
	reflect.TypeFor[Answered]():   readAnswered,
	reflect.TypeFor[bool]():       readBool,
	reflect.TypeFor[uint16]():     readPort,
	reflect.TypeFor[netip.Addr](): readAddr,
	reflect.TypeFor[Date]():       readDate,
	reflect.TypeFor[Server]():     readServer,
	reflect.TypeFor[Interval]():   readInterval,
}

func (f *File) bindScalar(n *yaml.Node, v reflect.Value, path string, read reading) error {
	switch {
	case empty(n):
		return f.noValue(n, path)
	case n.Kind != yaml.ScalarNode:
		return f.fault(path, "", "%q holds %s, not a single value", path, shapes[n.Kind])
	}
	if err := read(n.Value, v); err != nil {
		return f.fault(path, "", "%q: %v", path, err)
	}
	return nil
}

// readString keeps the text: a version of 1.10 is not 1.1.
func readString(text string, v reflect.Value) error {
	v.SetString(text)
	return printable(text)
}

// printable refuses control characters that an escape brought in.
func printable(text string) error {
	for _, r := range text {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return fmt.Errorf("control character %U", r)
		}
	}
	return nil
}

// yesOrNo leaves out the other spellings of YAML 1.1, such as "on" and "y",
// which YAML 1.2 takes for words.
var yesOrNo = map[string]Answered{"yes": Yes, "true": Yes, "no": No, "false": No}

func readAnswered(text string, v reflect.Value) error {
	a, ok := yesOrNo[text]
	if !ok {
		return fmt.Errorf("%q is neither yes nor no", text)
	}
	v.SetString(string(a))
	return nil
}

func readBool(text string, v reflect.Value) error {
	a, ok := yesOrNo[text]
	if !ok {
		return fmt.Errorf("%q is neither yes nor no", text)
	}
	v.SetBool(a == Yes)
	return nil
}

var decimal = regexp.MustCompile(`^[1-9][0-9]{0,4}$`)

func readPort(text string, v reflect.Value) error {
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil || !decimal.MatchString(text) {
		return fmt.Errorf("%q is no port: a number from 1 to 65535", text)
	}
	v.SetUint(port)
	return nil
}

func readAddr(text string, v reflect.Value) error {
	addr, err := parseAddr(text)
	if err != nil {
		return err
	}
	v.Set(reflect.ValueOf(addr))
	return nil
}

// zoneForm is how network interfaces are named. The standard library takes
// anything for one, also the length of a prefix.
var zoneForm = regexp.MustCompile(`^[A-Za-z0-9._-]{0,15}$`)

// parseAddr reads an address, of which there is one form only: IPv4 written as
// IPv6 becomes IPv4.
func parseAddr(text string) (netip.Addr, error) {
	addr, err := netip.ParseAddr(text)
	if err != nil || !zoneForm.MatchString(addr.Zone()) {
		return netip.Addr{}, fmt.Errorf("%q is no IP address", text)
	}
	return addr.Unmap(), nil
}

// epoch keeps the zero Date, which is none, out of files.
var epoch = time.Unix(0, 0).UTC()

func readDate(text string, v reflect.Value) error {
	day, err := time.Parse(time.DateOnly, text)
	if err != nil || day.Before(epoch) {
		return fmt.Errorf("%q is no date from 1970 on: YYYY-MM-DD", text)
	}
	v.Set(reflect.ValueOf(Date{day}))
	return nil
}

func readServer(text string, v reflect.Value) error {
	s, err := ParseServer(text)
	if err != nil {
		return err
	}
	v.Set(reflect.ValueOf(s))
	return nil
}

func readInterval(text string, v reflect.Value) error {
	d, err := time.ParseDuration(text)
	if err != nil || d < time.Second || d%time.Second != 0 {
		return fmt.Errorf("%q is no length of time in whole seconds, such as \"30s\" or \"5m\"", text)
	}
	v.Set(reflect.ValueOf(Interval{d}))
	return nil
}
