package devices

import (
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/device"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// The device file of a unit at a known address is the same on every machine.
func TestDeviceFileIsReproducible(t *testing.T) {
	f, err := Load(Embedded(), "door-lock-hardened")
	require.NoError(t, err)
	addr := netip.MustParseAddr("127.64.0.9")
	u, err := newUnit("DL-0042", addr, f)
	require.NoError(t, err)
	d := &Device{Folder: f, Serial: "DL-0042", Addr: addr, Ports: map[uint16]uint16{443: 10443, 8883: 8883}, unit: u}
	got, err := d.File()
	require.NoError(t, err)
	golden := filepath.Join("testdata", "door-lock-hardened.yaml.golden")
	if *update {
		require.NoError(t, os.WriteFile(golden, got.Effective(), 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	assert.Equal(t, string(want), string(got.Effective()), "run 'go test ./devices -update' and read the diff")

	assert.Equal(t, []uint16{443}, f.File.IXIT.SoftServ[1].TCP, "the folder's own file was changed")
	assert.Empty(t, f.File.Device.Addresses)
}

func TestWrite(t *testing.T) {
	for _, name := range []string{"door-lock-hardened", "decoy"} {
		d := run(t, Spec{Name: name, Ports: PortsFree, Serial: "unit-7"})
		dir := t.TempDir()
		path, err := d.Write(dir)
		require.NoError(t, err)
		_, err = d.Write(dir) // again
		require.NoError(t, err)
		f, err := device.Read(path)
		require.NoError(t, err)
		assert.Equal(t, "unit-7", f.Device.Serial)
		assert.Equal(t, d.Addr, f.Device.Addresses[0])
		assert.Equal(t, d.At(mqttPort).Port(), f.IXIT.SoftServ[0].TCP[0])
		assert.Equal(t, []string{fingerprint(d.unit.leaf())}, f.Trust.Pins)
		logins, notes, err := f.Secrets("mqtt")
		require.NoError(t, err)
		assert.Empty(t, notes)
		require.Len(t, logins, 3)
		want, err := d.Password("app")
		require.NoError(t, err)
		assert.Equal(t, want, logins[0].Password)
	}
}

// Secrets are their owner's, also where a file with other rights was.
func TestSecretsAreTheOwnersOnly(t *testing.T) {
	d := launch(t)
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "secrets"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "secrets", "app"), nil, 0o666))
	_, err := d.Write(dir)
	require.NoError(t, err)
	for _, name := range []string{"app", "lock", "admin", "setup"} {
		info, err := os.Stat(filepath.Join(dir, "secrets", name))
		require.NoError(t, err)
		assert.EqualValues(t, 0o600, info.Mode().Perm(), name)
	}
}

func TestWriteStaysBelow(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"../b", "/b", "a/../../b", ""} {
		assert.ErrorContains(t, writeFile(filepath.Join(dir, "a"), name, nil, 0o600), "not below", name)
	}
	assert.NoFileExists(t, filepath.Join(dir, "b"))
}

func TestWriteFails(t *testing.T) {
	d := launch(t)
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err := d.Write(file)
	assert.Error(t, err, "a file is no folder")
}
