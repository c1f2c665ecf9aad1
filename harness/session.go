package harness

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"

	"github.com/assay-iot/assay/harness/bench"
	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/evidence/bundle"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/profile"
	"github.com/assay-iot/assay/harness/result"
	"github.com/assay-iot/assay/harness/transport"
)

// head is what run.json holds: all of a case but the records.
type head struct {
	Run       result.Run    `json:"run"`
	Units     []result.Unit `json:"units"`
	Selection Selection     `json:"selection"`
}

// defectsName is the member that lists what broke while evidence was collected.
const defectsName evidence.Member = "inputs/defects.json"

// profileName is the member that holds a profile as it was judged.
func profileName(id string) evidence.Member {
	return evidence.Member("inputs/profile-" + id + ".yaml")
}

// Collect carries a session out and leaves all that it brings in the journal,
// ready to be packed. Told, if not nil, is called with each record once it is
// kept. An interrupted session can be carried on with the same journal.
func (s *Session) Collect(ctx context.Context, j *bundle.Journal, told func(evidence.Record)) (Case, error) {
	if err := s.keepInputs(j); err != nil {
		return Case{}, err
	}
	units, err := s.open(j)
	if err != nil {
		return Case{}, err
	}
	log, defects, err := Collect(ctx, s.Plan, sink{j, told}, units...)
	if err != nil {
		return Case{}, err
	}
	if ctx.Err() == nil && len(defects) > 0 {
		if err := keepJSON(j, defectsName, defects); err != nil {
			return Case{}, err
		}
	}
	return Case{Run: s.head(j.Head().Run), Units: s.describe(), Selection: s.Selection, Log: log, Defects: defects}, nil
}

// keepInputs writes down what was asked. A journal that holds another order is
// refused.
func (s *Session) keepInputs(j *bundle.Journal) error {
	err := keepJSON(j, bundle.RunName, head{s.head(j.Head().Run), s.describe(), s.Selection})
	if err == nil && s.File != nil {
		err = j.Input(bundle.DeviceName, s.File.Effective())
	}
	for _, p := range s.Profiles {
		if err == nil {
			err = j.Input(profileName(p.ID), p.Raw())
		}
	}
	if err != nil {
		return fmt.Errorf("keeping what was asked: %w", err)
	}
	return nil
}

func keepJSON(j *bundle.Journal, name evidence.Member, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return j.Input(name, b)
}

// open makes what the probes of each unit may use.
func (s *Session) open(j *bundle.Journal) ([]Unit, error) {
	key, err := j.CompareKey()
	if err != nil {
		return nil, err
	}
	var first int64
	if _, err := fmt.Sscanf(string(j.NextTranscript()), "transcript/%d", &first); err != nil {
		return nil, fmt.Errorf("numbering transcripts: %w", err)
	}
	name := transport.Numbered(first)
	var units []Unit
	for _, u := range s.units {
		net := transport.New(transport.Config{
			Scope: s.Scope, Limits: s.Limits, Name: name, Transcript: j.Member, CompareKey: key, Seal: j.Seal, Ledger: ledger{j, u.name},
		})
		logins, _, err := readLogins(u.file)
		if err != nil {
			return nil, err
		}
		logins.net = net
		logins.hide()
		in := probe.Input{
			Target: u.target, Net: net, Bench: bench.New(net, u.target.Addrs), Logins: logins, Journal: j, Operator: s.Operator, Declared: declared(u.file), Mask: net.Mask,
			Given: &probe.Given{Device: u.file, Anchors: s.Trust, Now: s.Now, Clock: s.Clock},
		}
		if s.File == nil && u.name == evidence.DUT {
			in.Given.Device = nil
		}
		if s.Capture != "" {
			in.Capture = captureOf{net, j, s.Capture}
		}
		units = append(units, Unit{Input: in, Allowed: s.Effect})
	}
	return units, nil
}

// sink lets a journal keep the records of a run.
type sink struct {
	*bundle.Journal
	told func(evidence.Record)
}

// Record keeps r and then tells of it.
func (s sink) Record(r evidence.Record) error {
	if err := s.Journal.Record(r); err != nil {
		return err
	}
	if s.told != nil {
		s.told(r)
	}
	return nil
}

// Finished returns the records that the journal holds.
func (s sink) Finished() evidence.Log { return s.Log() }

// Progress returns how far a procedure had come.
func (s sink) Progress(unit, name string) probe.Progress {
	return probe.Progress(s.Journal.Progress(unit, name))
}

// ledger counts the log-ins of one unit in the journal, so that a killed run
// does not begin to count anew.
type ledger struct {
	journal *bundle.Journal
	unit    string
}

// Tried returns how often an account was tried.
func (l ledger) Tried(service, account string) (int, error) {
	return l.journal.Logins(l.unit, service, account), nil
}

// Try notes one more try.
func (l ledger) Try(service, account string) error {
	_, err := l.journal.Login(l.unit, service, account)
	return err
}

// captureOf is where the capture of a unit goes.
type captureOf struct {
	net     *transport.Net
	journal *bundle.Journal
	name    string
}

// Interface is the network interface to listen on.
func (c captureOf) Interface() string { return c.name }

// Create opens the capture member.
func (c captureOf) Create() (evidence.Member, probe.WriteCloser, error) {
	w, err := c.journal.Member(bundle.CaptureName)
	return bundle.CaptureName, w, err
}

// Ours reports whether a connection is one of the run's own.
func (c captureOf) Ours(local, remote netip.AddrPort) bool { return c.net.Ours(local, remote) }

// Mask overwrites every secret of the run in b.
func (c captureOf) Mask(b []byte) { c.net.Mask(b) }

// ReadCase returns what a bundle holds, to be judged.
func ReadCase(b *bundle.Bundle) (Case, error) {
	raw, err := b.Run()
	if err != nil {
		return Case{}, err
	}
	var h head
	if err := strict(raw, &h); err != nil {
		return Case{}, fmt.Errorf("bundle member %q: %w", bundle.RunName, err)
	}
	in := Case{Run: h.Run, Units: h.Units, Selection: h.Selection, Log: b.Log()}
	in.Run.BundleSHA256 = b.Digest()
	in.Defects, err = readDefects(b)
	return in, err
}

// StoredProfiles returns the profiles that a bundle was judged under when it
// was sealed, as they stood then.
func StoredProfiles(b *bundle.Bundle, known map[string]check.Check) ([]*profile.Profile, error) {
	in, err := ReadCase(b)
	if err != nil {
		return nil, err
	}
	var list []*profile.Profile
	for _, source := range in.Run.Profiles {
		raw, err := readMember(b, profileName(source.ID))
		if err != nil {
			return nil, err
		}
		p, err := profile.Parse(source.ID+".yaml", raw, known)
		if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, nil
}

func readMember(b *bundle.Bundle, name evidence.Member) ([]byte, error) {
	member, err := b.Member(name)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(member)
}

// readDefects returns what broke while the evidence was collected, if anything.
func readDefects(b *bundle.Bundle) (defects []result.Defect, err error) {
	has := func(a evidence.Attachment) bool { return a.Member == defectsName }
	if !slices.ContainsFunc(b.Members(), has) {
		return nil, nil
	}
	raw, err := readMember(b, defectsName)
	if err == nil {
		err = strict(raw, &defects)
	}
	if err != nil {
		return nil, fmt.Errorf("bundle member %q: %w", defectsName, err)
	}
	return defects, nil
}

// strict reads JSON in which every field is known and nothing trails.
func strict(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if d.More() {
		return errors.New("more than one JSON value")
	}
	return nil
}
