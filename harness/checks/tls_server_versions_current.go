package checks

import (
	"fmt"
	"strings"

	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/probes/tlsserver"
)

var tlsServerVersionsCurrent = register(check.Check{
	ID:     "tls.server-versions-current",
	Title:  "TLS servers accept only current versions",
	Remedy: "Switch the older versions of TLS off in every listener",
	Needs:  tlsSurface(),
	Params: versionFloor{Min: "1.2"},
	Decide: decideServerVersionsCurrent,
})

// versionFloor is the oldest version that counts as current.
type versionFloor struct {
	Min tlsVersion `yaml:"min"`
}

// tlsVersion is a version of TLS as profiles write it: "1.2".
type tlsVersion string

// versionCodes are the versions as they are written on the wire.
var versionCodes = map[tlsVersion]tlsserver.Code{"1.0": tlsserver.TLS10, "1.1": tlsserver.TLS11, "1.2": tlsserver.TLS12, "1.3": tlsserver.TLS13}

// UnmarshalText refuses a version that there is not: nothing would be older.
func (v *tlsVersion) UnmarshalText(b []byte) error {
	if *v = tlsVersion(b); versionCodes[*v] == 0 {
		return fmt.Errorf("%q is no version of TLS such as 1.2", b)
	}
	return nil
}

func decideServerVersionsCurrent(in check.In) []check.Item {
	least := versionCodes[check.Params[versionFloor](in).Min]
	return overTLS(in.DUT, func(l tlsListener) []check.Item { return []check.Item{l.versionsFrom(least)} })
}

// versionsFrom judges what became of the versions older than least. One is taken
// if the server went on to the end of its flight, twice: what may follow a
// ServerHello is a refusal.
func (l tlsListener) versionsFrom(least tlsserver.Code) check.Item {
	var old, unsure []string
	var oldRefs, refs []evidence.Ref
	current := false
	for i, v := range l.Versions {
		taken := v.Accepts()
		switch ref := l.ref("versions/%d/tries", i); {
		case v.Code >= least:
			current = current || taken == evidence.Yes
		case taken == evidence.Yes && (v.Flights >= 2 || v.Code >= tlsserver.TLS13):
			old, oldRefs = append(old, string(v.Name)), append(oldRefs, l.ref("versions/%d/flights", i), ref)
		case taken != evidence.No:
			unsure, refs = append(unsure, string(v.Name)), append(refs, ref)
		default:
			refs = append(refs, ref)
		}
	}
	switch _, _, lacking := l.lacks(); {
	case len(old) > 0:
		return check.Fail(l.at(), msg.T("it chose {versions} and went on to the end of its flight, in two exchanges", "versions", strings.Join(old, ", ")), oldRefs...)
	case lacking || len(unsure) > 0:
		return l.undecided(msg.T("hellos were taken differently, or not answered, in: {versions}", "versions", strings.Join(unsure, ", ")), msg.T("run again with --pace gentle"), refs...)
	case !current:
		return l.undecided(msg.T("no version was seen to be taken"), msg.T("run again with --pace gentle"), refs...)
	}
	return check.Pass(l.at(), msg.T("it refused every older version, between two ordinary hellos that it answered in {version}", "version", l.versionName(l.Before.Version)), append(refs, l.controls()...)...)
}

// versionName is how the evidence calls a version.
func (l tlsListener) versionName(c tlsserver.Code) string {
	for _, v := range l.Versions {
		if v.Code == c {
			return string(v.Name)
		}
	}
	return fmt.Sprintf("%#04x", uint16(c))
}
