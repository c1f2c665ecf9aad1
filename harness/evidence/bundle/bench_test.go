package bundle

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/evidence"
)

// What a probe pays for being durable: one line a record, and a file, its
// folder and a line for each member.
func BenchmarkRecord(b *testing.B) {
	j, _ := begin(b, newIdentity(b))
	for n := 1; b.Loop(); n++ {
		require.NoError(b, j.Record(record(n, n)))
	}
}

func BenchmarkMember(b *testing.B) {
	j, _ := begin(b, newIdentity(b))
	for b.Loop() {
		write(b, j, j.NextTranscript(), "x")
	}
}

func BenchmarkLogin(b *testing.B) {
	j, _ := begin(b, newIdentity(b))
	for b.Loop() {
		_, err := j.Login(evidence.DUT, "ssh", "root")
		require.NoError(b, err)
	}
}

func BenchmarkPack(b *testing.B) {
	j, _ := begin(b, newIdentity(b))
	fill(b, j, 100)
	for b.Loop() {
		_, err := Pack(j, filepath.Join(b.TempDir(), "x"), signerOf(1))
		require.NoError(b, err)
	}
}

func BenchmarkCheck(b *testing.B) {
	raw := read(b, bigBundle(b))
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		_, err := checkBytes(raw)
		require.NoError(b, err)
	}
}
