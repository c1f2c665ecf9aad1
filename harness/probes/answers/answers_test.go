package answers

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/device"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
)

const (
	hash = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	file = `device: {id: a}
answers:
  - {question: is-another-device, answer: no, note: "the same\nlabel", who: A. Tester, when: 2026-01-15}
  - {question: "etsi:5.2-1", answer: yes, who: B. Tester, when: 2026-01-14, attachments: [{file: page.pdf, sha256: ` + hash + `}]}
`
)

func record(t *testing.T, g *probe.Given) (Evidence, error) {
	t.Helper()
	end, err := Probe.Begin(t.Context(), probe.Input{Given: g})
	require.NoError(t, err)
	data, err := end(t.Context())
	if err != nil {
		return Evidence{}, err
	}
	page, err := Probe.Open(evidence.Record{Version: Probe.Version, Data: data})
	require.NoError(t, err)
	return page.Value.(Evidence), nil
}

func TestAnswers(t *testing.T) {
	f, err := device.Parse("a.yaml", []byte(file), "")
	require.NoError(t, err)
	got, err := record(t, &probe.Given{Device: f})
	require.NoError(t, err)
	day := func(n int) time.Time { return time.Date(2026, 1, n, 0, 0, 0, 0, time.UTC) }
	assert.Equal(t, []Answer{
		{OtherDevice, evidence.No, "the same\nlabel", "A. Tester", day(15), []evidence.Digest{}},
		{"etsi:5.2-1", evidence.Yes, "", "B. Tester", day(14), []evidence.Digest{hash}},
	}, got.Answers)
	assert.Equal(t, 1, got.Find("etsi:5.2-1"))
	assert.Equal(t, -1, got.Find("etsi:5.2-2"))
}

func TestNobodyWasAsked(t *testing.T) {
	got, err := record(t, &probe.Given{})
	require.NoError(t, err)
	assert.Empty(t, got.Answers)
	_, err = record(t, nil)
	assert.ErrorIs(t, err, errNothingGiven)
}

func TestDeclaredAsInspected(t *testing.T) {
	info := Probe.Info()
	require.NoError(t, evidence.CheckType(info.Evidence))
	assert.Equal(t, probe.Passive, info.Effect)
	assert.Zero(t, info.Bound(probe.Target{}).Connections)
	_, err := Probe.Open(evidence.Record{Version: Probe.Version, Data: []byte(`{"answers":null}`)})
	assert.Error(t, err)
}
