// Package draft writes the draft of a device file: what probes saw is filled in,
// what only the manufacturer knows is asked for. Nothing that a device sent can
// become a key or a value of it but addresses, ports and words of ours.
package draft

import (
	"bytes"
	"cmp"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/profile"
)

// A Draft is all that goes into one.
type Draft struct {
	Tool     string // name and version of this program
	Day      time.Time
	Addr     netip.Addr
	Profiles []*profile.Profile // what they ask is asked for
	Seen     Seen
}

// YAML returns the device file. Package device reads it.
func (d Draft) YAML() []byte {
	var p page
	for _, section := range []func(*page){d.head, d.device, scope, consent, d.services, d.ics, d.trust, d.credentials, rest} {
		section(&p)
		p.line("")
	}
	return append(bytes.TrimRight(p.Bytes(), "\n"), '\n')
}

func (d Draft) head(p *page) {
	p.line("# Device file, drafted by %s on %s from what was seen at %s.", shown(d.Tool), d.Day.UTC().Format(time.DateOnly), d.Addr)
	p.line("#")
	p.line("#   seen: what a probe saw. That it is so does not say that it is meant so.")
	p.line("#   not seen: what a probe could not find out, and why.")
	p.line("#   only the manufacturer knows: nothing on a network can tell.")
	p.line("#")
	p.line("# A line behind a # says nothing. To answer, fill the line in and take \"# \" from")
	p.line("# it and from the headings above it. \"assay device lint\" says what is still open.")
}

func (d Draft) device(p *page) {
	p.line("device:")
	p.remark("  ", testers, "a name for this device, in letters, digits, dots, hyphens and underscores")
	p.line("  id: %s", strconv.Quote(d.id()))
	p.remark("  ", theirs, "what the label or the user interface says")
	for _, name := range []string{"manufacturer", "model", "hardware", "firmware", "serial", "type"} {
		p.line("  # %s:", name)
	}
	if d.Seen.MAC != "" {
		p.remark("  ", seen, "the hardware address that answered; a router may answer for a device behind it")
		p.line("  mac: %s", strconv.QuoteToASCII(d.Seen.MAC))
	}
	p.line("  addresses: [%s]", strconv.Quote(d.Addr.String()))
}

// id is a name that every system takes for a file.
func (d Draft) id() string {
	return "device-" + strings.NewReplacer(":", "-", "%", "-", ".", "-").Replace(d.Addr.String())
}

func scope(p *page) {
	p.remark("", testers, "addresses beyond those above that may be tested. A public one needs to say who allowed it until when")
	p.asleep(func(p *page) {
		p.line("scope:")
		p.line("  - {address: , authorised_by: , until: }")
	})
}

func consent(p *page) {
	p.remark("", testers, "who allows what any client could not do, as listed credentials, writes and restarts")
	p.asleep(func(p *page) {
		p.line("consent:")
		p.line("  who:")
		p.line("  what:")
		p.line("  until:")
		p.line("  effect: intrusive")
		p.line("  sacrificial: no")
		p.line("  recovery:")
	})
}

// ics asks for every feature and every provision of the profiles.
func (d Draft) ics(p *page) {
	p.remark("", theirs, "what the device can do, yes or no, and which provisions it meets. An answer left out stays open; it is never taken for a no")
	p.asleep(func(p *page) {
		p.line("ics:")
		p.line("  features:")
		for _, f := range features(d.Profiles) {
			p.line("    # %s", shown(f.question))
			p.line("    %s:", key(f.name))
		}
		p.line("  provisions: # support is yes or no; a no wants a justification: \"WHY\" beside it")
		for _, r := range provisions(d.Profiles) {
			p.line("    # %s: %s", r.Level, shown(r.Text))
			p.line("    %s: {support: }", key(r.ID))
		}
	})
}

// feature is something that a device may have, as the question about it.
type feature struct{ name, question string }

// features returns what the profiles ask for, each once, in the order in which
// their requirements speak of it.
func features(list []*profile.Profile) []feature {
	var all []feature
	add := func(p *profile.Profile, name string) {
		if f := (feature{name, p.Features[name]}); f.question != "" && !slices.Contains(all, f) {
			all = append(all, f)
		}
	}
	for _, p := range list {
		for _, r := range p.Requirements {
			for _, entry := range r.AppliesIf {
				add(p, strings.TrimPrefix(entry, "not "))
			}
		}
	}
	return all
}

// provisions returns the requirements of the profiles, each number once: two
// editions of a standard share most of them.
func provisions(list []*profile.Profile) []profile.Requirement {
	var all []profile.Requirement
	for _, p := range list {
		for _, r := range p.Requirements {
			if !slices.ContainsFunc(all, func(other profile.Requirement) bool { return other.ID == r.ID }) {
				all = append(all, r)
			}
		}
	}
	return all
}

// trust offers the certificates that were seen. None is trusted until somebody
// has compared it with what the manufacturer says.
func (d Draft) trust(p *page) {
	p.remark("", theirs, "what certificates of the device lead to: its authority as a PEM file beside this one, or fingerprints of the certificates themselves")
	p.asleep(func(p *page) {
		p.line("trust:")
		p.line("  anchors: []")
		p.line("  pins:")
		for _, pin := range d.Seen.Pins {
			p.remark("    ", seen, "the certificate at "+strings.Join(pin.At, ", ")+" had this SHA-256; not confirmed: hold it against the manufacturer's record first")
			p.line("    - %s", strconv.QuoteToASCII(string(pin.SHA256)))
		}
		if len(d.Seen.Pins) == 0 {
			p.line("    -")
		}
	})
}

func (d Draft) credentials(p *page) {
	p.remark("", testers, "log-ins for the test, two for a broker. The password stays in a file beside this one, or in the environment")
	protocol := d.protocol()
	p.asleep(func(p *page) {
		p.line("credentials:")
		p.line("  - {id: first, service: %s, user: , password: {file: }}", protocol)
		p.line("  - {id: second, service: %s, user: , password: {env: }}", protocol)
	})
}

// protocol is the one that log-ins are asked for: a broker tells most.
func (d Draft) protocol() string {
	first := "mqtt"
	for _, s := range slices.Backward(d.Seen.Services) {
		switch s.Protocol {
		case "":
		case "mqtt":
			return "mqtt"
		default:
			first = s.Protocol
		}
	}
	return first
}

func rest(p *page) {
	p.remark("", testers, "images and captures beside this file, other units of the model, and what a person saw")
	p.asleep(func(p *page) {
		p.line("firmware: []")
		p.line("captures: []")
		p.line("units:")
		p.line("  - {name: second, addresses: []}")
		p.line("answers:")
		p.line("  - {question: , answer: , who: , when: }")
	})
}

// tls says in the words of the device file whether something was inside TLS.
func tls(t evidence.Tri) string {
	return cmp.Or(map[evidence.Tri]string{evidence.Yes: "yes", evidence.No: "no"}[t], "")
}
