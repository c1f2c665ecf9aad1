package bundle

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/evidence"
)

// canary is a secret that must stand nowhere in clear.
const canary = "correct-horse-battery-staple"

func signerOf(seed byte) *Signer {
	return NewSigner(ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize)))
}

func newIdentity(t testing.TB) *age.X25519Identity {
	id, err := age.GenerateX25519Identity()
	require.NoError(t, err)
	return id
}

// begin creates a journal that the test closes.
func begin(t testing.TB, id *age.X25519Identity) (*Journal, string) {
	dir := filepath.Join(t.TempDir(), "run-1.assay.d")
	j, err := Create(dir, Head{"run-1", "assay test"}, []age.Recipient{id.Recipient()})
	require.NoError(t, err)
	t.Cleanup(func() { j.Close() })
	return j, dir
}

func record(seq int, data any) evidence.Record {
	raw, err := json.Marshal(data)
	if err != nil {
		panic(err)
	}
	return evidence.Record{
		Seq: seq, Unit: evidence.DUT, Probe: fmt.Sprintf("probe-%d", seq), Version: 1, Status: evidence.Collected, Effect: "active",
		Started: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC), Took: 5 * time.Millisecond, Data: raw,
	}
}

// points is evidence that points into a member.
type points struct {
	Span evidence.Span `json:"span"`
}

// write writes one member and finishes it.
func write(t testing.TB, j *Journal, m evidence.Member, data string) {
	w, err := j.Member(m)
	require.NoError(t, err)
	_, err = w.Write([]byte(data))
	require.NoError(t, err)
	require.NoError(t, w.Close())
}

// fill writes a whole run with n records. Transcripts hold the canary masked.
func fill(t testing.TB, j *Journal, n int) {
	require.NoError(t, j.Input(RunName, []byte(`{"run":"run-1"}`)))
	require.NoError(t, j.Input(DeviceName, []byte("device: {id: lamp}\n")))
	require.NoError(t, j.Input("inputs/profile.yaml", []byte("id: p\n")))
	for seq := 1; seq <= n; seq++ {
		m := j.NextTranscript()
		write(t, j, m, fmt.Sprintf("%06d login %s ok\n", seq, bytes.Repeat([]byte("*"), len(canary))))
		require.NoError(t, j.Seal(m, 13, []byte(canary)))
		require.NoError(t, j.Record(record(seq, points{evidence.Span{Member: m, Length: 6}})))
	}
	write(t, j, CaptureName, "not really a capture")
}

// packed packs a filled run and returns the path of the bundle.
func packed(t testing.TB, id *age.X25519Identity, n int, signer *Signer) string {
	j, dir := begin(t, id)
	fill(t, j, n)
	out := filepath.Join(filepath.Dir(dir), "out.assay")
	_, err := Pack(j, out, signer)
	require.NoError(t, err)
	return out
}

func read(t testing.TB, path string) []byte {
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	return b
}

func checkBytes(b []byte) (*Bundle, error) { return check(bytes.NewReader(b), int64(len(b)), Limits{}) }

func mustJSON(t testing.TB, v any) []byte {
	b, err := json.Marshal(v)
	require.NoError(t, err)
	return b
}
