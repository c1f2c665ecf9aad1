package harness

import (
	"slices"
	"time"

	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/health"
	"github.com/assay-iot/assay/harness/profile"
	"github.com/assay-iot/assay/harness/verdict"
)

// A Preview says what a session would do, and what could come of it.
type Preview struct {
	Schema       string           `json:"schema"` // unstable until the first release
	Device       string           `json:"device"`
	Addresses    []string         `json:"addresses"`
	Scope        []string         `json:"scope"`
	Pace         string           `json:"pace"`
	Effect       string           `json:"effect"`
	Ports        int              `json:"ports"` // TCP, of each address
	Probes       []PlannedProbe   `json:"probes"`
	Requirements []PlannedVerdict `json:"requirements"`
}

// A PlannedProbe is one run of one probe, with the most that it takes.
type PlannedProbe struct {
	Unit    string      `json:"unit"`
	Phase   string      `json:"phase,omitempty"` // "before:PROBE" or "after:PROBE" for what goes with a procedure
	Probe   string      `json:"probe"`
	Doc     string      `json:"doc"`
	Kind    string      `json:"kind"` // "watch", "run" or "procedure"
	Effect  string      `json:"effect"`
	Allowed bool        `json:"allowed"`
	Bound   probe.Bound `json:"bound"`
}

// A PlannedVerdict says whether a requirement can be decided with what is at
// hand.
type PlannedVerdict struct {
	Profile   string   `json:"profile"`
	ID        string   `json:"id"`
	Level     string   `json:"level"`
	CanDecide bool     `json:"can_decide"`
	Lacks     msg.Text `json:"lacks,omitzero"` // what would be needed, if it cannot
}

var kindNames = map[probe.Kind]string{probe.Watch: "watch", probe.Run: "run", probe.Procedure: "procedure"}

// Preview says what s would do. Nothing is sent.
func (s *Session) Preview() Preview {
	p := Preview{
		Schema: "assay-plan/0", Device: s.units[0].file.Device.ID, Pace: string(s.Pace), Effect: s.Effect.String(), Ports: len(s.Ports.List),
		Addresses: s.describe()[0].Addresses, Scope: s.head("").Scope, Probes: []PlannedProbe{}, Requirements: []PlannedVerdict{},
	}
	for _, u := range s.units {
		for _, a := range s.Plan {
			info := a.Info()
			p.Probes = append(p.Probes, s.planned(u, info, ""))
			if info.Kind != probe.Procedure || info.Effect > s.Effect {
				continue
			}
			for _, when := range []string{"before:", "after:"} {
				p.Probes = append(p.Probes, s.planned(u, health.Probe.Info(), when+info.Name))
			}
		}
	}
	for _, pr := range s.Profiles {
		for _, r := range pr.Requirements {
			p.Requirements = append(p.Requirements, s.reach(pr, r))
		}
	}
	return p
}

// planned is one run of one probe against one unit.
func (s *Session) planned(u unitPlan, info probe.Info, phase string) PlannedProbe {
	b := info.Bound(u.target)
	if b.Bytes == 0 { // no bound of its own: that of its connections, and of the run
		b.Bytes = min(int64(b.Connections)*s.Limits.PerExchange, s.Limits.Bytes)
	}
	return PlannedProbe{
		Unit: u.name, Phase: phase, Probe: info.Name, Doc: info.Doc, Kind: kindNames[info.Kind], Effect: info.Effect.String(),
		Allowed: info.Effect <= s.Effect, Bound: b,
	}
}

// PortTime is about what looking twice at the TCP ports takes on account of the
// pace, if all of them answer; 0 if the pace does not slow it down.
func (s *Session) PortTime() time.Duration {
	t := s.units[0].target
	if t.PerSecond == 0 {
		return 0
	}
	return time.Duration(2*len(t.Addrs)*len(t.Ports)/t.PerSecond) * time.Second
}

// reach says whether s can decide r.
func (s *Session) reach(p *profile.Profile, r profile.Requirement) PlannedVerdict {
	v := PlannedVerdict{Profile: p.ID, ID: r.ID, Level: string(r.Level)}
	for _, m := range r.Mappings() {
		c := s.Checks[m.Check]
		switch {
		case m.Can != verdict.Decide:
		case m.Check == profile.Inspection:
			v.CanDecide, v.Lacks = s.answered(r)
		default:
			v.CanDecide, v.Lacks = s.permits(c)
		}
		if m.Can == verdict.Decide && !v.CanDecide {
			return v
		}
	}
	if !v.CanDecide {
		v.Lacks = msg.T("nothing decides it; a violation can still fail it")
	}
	return v
}

// answered says whether a person has looked, or may be taken at the
// manufacturer's word.
func (s *Session) answered(r profile.Requirement) (bool, msg.Text) {
	f := s.units[0].file
	for _, a := range f.Answers {
		if a.Question == r.Question() {
			return true, msg.Text{}
		}
	}
	if slices.Contains(r.Accepts, verdict.Declared) && f.ICS.Provisions[r.ID].Support != "" {
		return true, msg.Text{}
	}
	return false, msg.T("an answer to {question} in the device file", "question", r.Question())
}

// permits says whether everything that a check needs may run.
func (s *Session) permits(c check.Check) (bool, msg.Text) {
	if _, next, out := s.Selection.leavesOut(c.ID); out {
		return false, next
	}
	for _, p := range Plan([]check.Check{{Needs: c.Needs}}) {
		if info := p.Info(); info.Effect > s.Effect {
			return false, msg.T("--effect {effect}, for probe {probe}", "effect", info.Effect, "probe", info.Name)
		}
	}
	return true, msg.Text{}
}
