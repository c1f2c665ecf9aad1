package cli

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/evidence/bundle"
)

func TestDoctorLooksAtKeys(t *testing.T) {
	dir := t.TempDir()
	a := &app{World: newWorld(dir).World}
	require.Equal(t, finding{What: "keys", Good: true, Seen: "made at first use"}, a.keysKept())
	_, err := bundle.Keys(dir)
	require.NoError(t, err)
	require.Equal(t, finding{What: "keys", Good: true, Seen: "in " + dir}, a.keysKept())
	require.NoError(t, os.Chmod(filepath.Join(dir, bundle.SigningKey), 0o644))
	f := a.keysKept()
	require.False(t, f.Good)
	require.Contains(t, f.Fix, "chmod 600")
}

// What is wrong with the machine is named, with what to do about it.
func TestDoctorFindings(t *testing.T) {
	a := &app{World: newWorld("").World, ctx: t.Context()}
	for _, f := range []finding{clockKnown(), manyFiles(), a.loopbackAddresses(), a.lowPorts(), mayCapture()} {
		require.NotEmpty(t, f.What)
		require.NotEmpty(t, f.Seen)
		require.True(t, f.Good || f.Fix != "", "%+v", f)
	}
}
