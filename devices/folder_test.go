package devices

import (
	"io/fs"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/verdict"
)

func all(t *testing.T) []Folder {
	t.Helper()
	folders, err := All()
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(folders), 6)
	return folders
}

// Every folder holds files that can be read, and speaks of faults that exist.
func TestFolders(t *testing.T) {
	for _, f := range all(t) {
		t.Run(f.Name, func(t *testing.T) {
			assert.Equal(t, f.Name, f.File.Device.ID)
			assert.NotEmpty(t, f.Expected.Family)
			assert.NotEmpty(t, f.Expected.Member)
			assert.True(t, strings.HasPrefix(f.Lab, "# Lab: "), "lab.md begins with its title")
			for id, v := range f.Expected.Checks {
				assert.True(t, v.Valid(), id)
			}
			for profile, all := range f.Expected.Requirements {
				for id, v := range all {
					assert.True(t, v.Valid(), "%s %s", profile, id)
				}
			}
			for fault, turns := range f.Expected.Faults {
				assert.NotEmpty(t, turns, fault)
				for check, v := range turns {
					assert.True(t, v.Valid() && v != f.Expected.Checks[check], "%s does not turn %s", fault, check)
					assert.Contains(t, f.Expected.Checks, check)
				}
			}
		})
	}
}

// Each fault of a member is either in its walk or said to be masked, never
// both, and there is no other.
func TestEveryFaultIsWalked(t *testing.T) {
	walked := map[string]bool{}
	for _, f := range all(t) {
		for _, name := range FaultNames() {
			_, turns := f.Expected.Faults[name]
			_, masked := f.Expected.Masked[name]
			assert.False(t, turns && masked, "%s: %s", f.Name, name)
			if f.Faults.Has(name) {
				assert.True(t, turns || masked, "%s has %s and does not say what it does", f.Name, name)
			}
			walked[name] = walked[name] || turns || masked
		}
		for name := range maps.Keys(f.Expected.Faults) {
			assert.Contains(t, FaultNames(), name, f.Name)
		}
		for name, why := range f.Expected.Masked {
			assert.Contains(t, FaultNames(), name, f.Name)
			assert.NotEmpty(t, why)
		}
	}
	for _, name := range FaultNames() {
		assert.True(t, walked[name], "no device shows %s", name)
	}
}

// The members of a family declare the same, but for their name. Decoys and flaky
// devices are families of one.
func TestFamilyDeclaresTheSame(t *testing.T) {
	first := map[string]string{}
	for _, f := range all(t) {
		if f.Expected.Family == "decoy" || f.Expected.Family == "flaky" {
			continue
		}
		text := strings.Replace(string(f.text), f.Name, "NAME", 1)
		if other, ok := first[f.Expected.Family]; ok {
			assert.Equal(t, other, text, f.Name)
		}
		first[f.Expected.Family] = text
	}
}

func TestSoundMembers(t *testing.T) {
	for _, f := range all(t) {
		failed := slices.Contains(slices.Collect(maps.Values(f.Expected.Checks)), verdict.Fail)
		switch {
		case f.Expected.Family == "decoy":
			assert.Equal(t, Faults{}, f.Faults, f.Name)
			assert.NotEqual(t, Oddities{}, f.Oddities, f.Name)
			assert.False(t, failed, f.Name)
		case f.Expected.Family == "flaky":
			assert.False(t, failed, f.Name)
		case f.Expected.Member == "hardened":
			assert.Equal(t, Faults{}, f.Faults, f.Name)
			assert.False(t, failed, f.Name)
		default:
			assert.NotEqual(t, Faults{}, f.Faults, f.Name)
			assert.True(t, failed, f.Name)
		}
	}
}

func TestUnknownKeys(t *testing.T) {
	_, err := ParseFaults([]byte("open_telent: yes"))
	assert.ErrorContains(t, err, "open_telent")
	_, err = ParseOddities([]byte("open_telnet: yes"))
	assert.Error(t, err)
	_, err = ParseExpected([]byte("checks: {a: pass}\n---\nchecks: {}"))
	assert.ErrorContains(t, err, "more than one")
	f, err := ParseFaults(nil)
	assert.NoError(t, err)
	assert.Equal(t, Faults{}, f)
}

func TestLoadNamesTheFile(t *testing.T) {
	good := fstest.MapFS{}
	for _, name := range []string{"device.yaml", "faults.yaml", "expected.yaml", "lab.md"} {
		b, err := fs.ReadFile(Embedded(), "door-lock-hardened/"+name)
		require.NoError(t, err)
		good["mine/"+name] = &fstest.MapFile{Data: b}
	}
	f, err := Load(good, "mine")
	require.NoError(t, err)
	assert.Equal(t, Oddities{}, f.Oddities)
	for name := range good {
		bad := maps.Clone(good)
		delete(bad, name)
		_, err := Load(bad, "mine")
		assert.ErrorContains(t, err, name)
	}
	bad := maps.Clone(good)
	bad["mine/oddities.yaml"] = &fstest.MapFile{Data: []byte("no_such: yes")}
	_, err = List(bad)
	assert.ErrorContains(t, err, "no_such")
	_, err = Load(good, "yours")
	assert.ErrorContains(t, err, `device "yours"`)
}

// One sentence for each fault that begins with its name; what hides another is
// a fault that exists.
func TestFaultsAreDescribed(t *testing.T) {
	for _, file := range []string{"faults.go", "oddities.go"} {
		b, err := os.ReadFile(file)
		require.NoError(t, err)
		fields := regexp.MustCompile("(?m)^\t// (\\w+) [^\n]*\n(?:\t// [^\n]*\n)*\t(\\w+) +bool +`yaml:\"([a-z0-9_]+)\"`$").FindAllStringSubmatch(string(b), -1)
		assert.Len(t, fields, strings.Count(string(b), "yaml:\""), "a field of %s is not described", file)
		for _, f := range fields {
			assert.Equal(t, f[2], f[1])
		}
	}
}

func TestWith(t *testing.T) {
	for _, name := range FaultNames() {
		on, err := Faults{}.With(name, true)
		require.NoError(t, err)
		assert.True(t, on.Has(name))
		assert.NotEqual(t, Faults{}, on)
		off, err := on.With(name, false)
		require.NoError(t, err)
		assert.Equal(t, Faults{}, off)
	}
	_, err := Faults{}.With("mqtt_telepathy", true)
	assert.ErrorContains(t, err, "mqtt_telepathy")
	assert.False(t, Faults{}.Has("mqtt_telepathy"))
}

func TestExpectedIsRead(t *testing.T) {
	e, err := ParseExpected([]byte(`
family: lock
member: open
checks: {a.b: fail, c.d: pass}
requirements: {p: {"1": not_applicable}}
faults: {mqtt_anonymous: {a.b: pass}}
masked: {open_telnet: because}
`))
	require.NoError(t, err)
	assert.Equal(t, Expected{
		Family: "lock", Member: "open",
		Checks:       Verdicts{"a.b": verdict.Fail, "c.d": verdict.Pass},
		Requirements: map[string]Verdicts{"p": {"1": verdict.NotApplicable}},
		Faults:       map[string]Verdicts{"mqtt_anonymous": {"a.b": verdict.Pass}},
		Masked:       map[string]string{"open_telnet": "because"},
	}, e)
	for _, bad := range []string{"check: {}", "checks: [a]", "faults: {x: fail}", "family: {}", "checks: {a: pass, a: fail}"} {
		_, err := ParseExpected([]byte(bad))
		assert.ErrorContains(t, err, "expected verdicts", bad)
	}
}

// A folder of somebody's own starts like one that comes with the program.
func TestOwnFolder(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(dir, Embedded()))
	faults := dir + "/door-lock-hardened/faults.yaml"
	require.NoError(t, os.WriteFile(faults, []byte("open_telnet: yes\n"), 0o644))
	d := run(t, Spec{Name: "door-lock-hardened", Files: os.DirFS(dir)})
	assert.True(t, d.Folder.Faults.OpenTelnet)
	assert.True(t, d.At(telnetPort).IsValid())

	require.NoError(t, os.WriteFile(faults, []byte("open_telnt: yes\n"), 0o644))
	_, err := Start(t.Context(), Spec{Name: "door-lock-hardened", Files: os.DirFS(dir)})
	assert.ErrorContains(t, err, "open_telnt")
}
