package bundle

import (
	"crypto/ed25519"
	"encoding/json"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/evidence"
)

var makeFixture = flag.Bool("make-fixture", false, "write the stored bundle anew, if it is not there")

// A bundle of the first format, and the key that opens its sealed part, which
// was made for this test alone. They are never written again: what was packed
// once is readable for ever.
const (
	fixture    = "testdata/assay-bundle-1.assay"
	fixtureKey = "testdata/assay-bundle-1.sealing.key"
)

func TestOldBundlesAreReadableForEver(t *testing.T) {
	if *makeFixture {
		writeFixture(t)
	}
	r, err := Verify(fixture, []ed25519.PublicKey{signerOf(1).Public()})
	require.NoError(t, err)
	require.Equal(t, "intact, 2 records, signed by 3475-0f98-bd59-fcfc, trusted", r.Text().String())

	b, err := Open(fixture, Limits{})
	require.NoError(t, err)
	defer b.Close()
	require.Equal(t, Head{"run-1", "assay test"}, b.Head())
	log := b.Log()
	require.Equal(t, "probe-2", log[1].Probe)
	require.Equal(t, evidence.Collected, log[1].Status)
	var at points
	require.NoError(t, json.Unmarshal(log[1].Data, &at))
	m, err := b.Member(at.Span.Member)
	require.NoError(t, err)
	seen := make([]byte, at.Span.Length)
	_, err = m.ReadAt(seen, at.Span.Offset)
	require.NoError(t, err)
	require.Equal(t, "000002", string(seen))
	run, err := b.Run()
	require.NoError(t, err)
	require.Equal(t, `{"run":"run-1"}`, string(run))
	capture, err := b.Member(CaptureName)
	require.NoError(t, err)
	all, err := io.ReadAll(capture)
	require.NoError(t, err)
	require.Equal(t, "not really a capture", string(all))

	ids, err := age.ParseIdentities(strings.NewReader(string(read(t, fixtureKey))))
	require.NoError(t, err)
	u, err := Unseal(fixture, ids...)
	require.NoError(t, err)
	requireOriginals(t, u, 2)
}

func writeFixture(t *testing.T) {
	require.NoFileExists(t, fixture)
	id := newIdentity(t)
	require.NoError(t, os.MkdirAll(filepath.Dir(fixture), 0o755))
	require.NoError(t, os.WriteFile(fixtureKey, []byte("# made for a test, protects nothing\n"+id.String()+"\n"), 0o644))
	require.NoError(t, os.WriteFile(fixture, read(t, packed(t, id, 2, signerOf(1))), 0o644))
}
