package anchors

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/assay-iot/assay/harness/device"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/roots"
	"github.com/assay-iot/assay/harness/verdict"
)

// Probe puts on record what is to be trusted. That is what the manufacturer or
// the operator says, not what anything showed.
var Probe = &probe.Probe[Evidence]{
	Name:    "anchors",
	Version: 2,
	Doc:     "which certificates are to be trusted, and who says so",
	Effect:  probe.Passive,
	Basis:   verdict.Declared,
	Bound:   func(probe.Target) probe.Bound { return probe.Bound{Time: longest} },
	Run:     run,
	Upgrade: upgrade,
}

const (
	// longest bounds the reading of a few local files.
	longest = 10 * time.Second

	// maxDER bounds all anchors that are named, so that the record, in which they
	// and the public roots are a third larger, stays within its own bound.
	maxDER = 2 << 20
)

func run(_ context.Context, in probe.Input) (Evidence, error) {
	if in.Given == nil {
		return Evidence{}, errors.New("nothing was handed in for the record")
	}
	public, err := roots.Public()
	if err != nil {
		return Evidence{}, fmt.Errorf("reading public roots: %w", err)
	}
	e := Evidence{TestCA: TestCA{Key: evidence.No}, Roots: Roots{
		Text(public.Name), public.Date, public.Count, evidence.Digest(public.SHA256), public.DER,
	}}
	for i, b := range in.Given.Anchors {
		certs, err := device.Certificates(b)
		if err != nil {
			return Evidence{}, fmt.Errorf("reading trust file %d: %w", i+1, err)
		}
		e.add(Operator, certs)
	}
	if in.Given.Device != nil {
		if err := e.addDevice(in.Given.Device); err != nil {
			return Evidence{}, err
		}
	}
	if err := e.withinBound(); err != nil {
		return Evidence{}, err
	}
	return e, nil
}

func (e *Evidence) addDevice(f *device.File) error {
	certs, err := f.Anchors()
	if err != nil {
		return fmt.Errorf("reading trust anchors: %w", err)
	}
	e.add(DeviceFile, certs)
	for _, pin := range f.Trust.Pins {
		e.Pins = append(e.Pins, evidence.Digest(pin))
	}
	ca, err := f.TestCA()
	if err != nil {
		return fmt.Errorf("reading test CA: %w", err)
	}
	e.TestCA, err = testCA(ca)
	return err
}

// testCA describes a CA of which the certificate and the key are given.
func testCA(b []byte) (TestCA, error) {
	if b == nil {
		return TestCA{Key: evidence.No}, nil
	}
	ca, err := device.ParseTestCA(b)
	if err != nil {
		return TestCA{}, fmt.Errorf("reading test CA: %w", err)
	}
	return TestCA{evidence.Yes, digest(ca.Leaf.Raw)}, nil
}

func (e *Evidence) add(from Source, certs []*device.Certificate) {
	for _, c := range certs {
		e.Anchors = append(e.Anchors, Anchor{from, evidence.Bytes(c.Subject.String()), digest(c.Raw), c.NotAfter.UTC(), c.Raw})
	}
}

func digest(b []byte) evidence.Digest {
	sum := sha256.Sum256(b)
	return evidence.Digest(hex.EncodeToString(sum[:]))
}

func (e *Evidence) withinBound() error {
	total := 0
	for _, a := range e.Anchors {
		total += len(a.Certificate)
	}
	if total > maxDER {
		return fmt.Errorf("the trust anchors have %d bytes, more than %d: name only those that the device needs", total, maxDER)
	}
	return nil
}
