package cli

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/evidence/bundle"
)

// lock is a device file with which nothing is wrong. Its address is nobody's
// (RFC 5737): what would be sent there would not arrive.
const lock = `device: {id: lock, manufacturer: Assay Labs, model: Lock, addresses: [192.0.2.7]}
scope:
  - {address: 192.0.2.7, authorised_by: J. Doe, until: 2099-12-31}
`

// badInput is one mistake of a user's.
type badInput struct {
	name  string
	files map[string]string // beside those of every case
	args  string            // after the program's name, parted by blanks
	want  string            // in the error
	hint  string            // in the hint
}

var badDeviceFiles = []badInput{
	{"unknown_key", map[string]string{"x.yaml": lock + "colour: red\n"}, "run x.yaml -p p.yaml", `device file "x.yaml", line 4: `, ""},
	{"wrong_type", map[string]string{"x.yaml": lock + "captures: 7\n"}, "run x.yaml -p p.yaml", `device file "x.yaml", line 4: `, ""},
	{"no_yaml", map[string]string{"x.yaml": lock + "a: b: c\n"}, "run x.yaml -p p.yaml", `device file "x.yaml", line 4: no valid YAML`, "check indentation"},
	{"alias_bomb", map[string]string{"x.yaml": bomb}, "run x.yaml -p p.yaml", `device file "x.yaml", line 1: anchors and aliases are not allowed`, "write the value out"},
	{"key_twice", map[string]string{"x.yaml": lock + "scope: []\n"}, "run x.yaml -p p.yaml", `device file "x.yaml", line 4: `, ""},
	{"empty", map[string]string{"x.yaml": ""}, "run x.yaml -p p.yaml", `device file "x.yaml"`, ""},
	{"no_device_file", nil, "run nothing.yaml -p p.yaml", `"nothing.yaml" is neither an IP address nor a file`, "such as 192.168.1.20"},
	{"folder", nil, "run . -p p.yaml", "device file", ""},
	{"out_of_scope", map[string]string{"x.yaml": strings.Replace(lock, "[192.0.2.7]", "[192.0.2.9]", 1)}, "run x.yaml -p p.yaml", `line 1: address 192.0.2.9 is outside the scope`, `add it under "scope"`},
	{"public", map[string]string{"x.yaml": strings.Split(lock, "scope")[0]}, "run x.yaml -p p.yaml", `line 1: 192.0.2.7 is public`, "authorised_by"},
	{"public_address", nil, "run 203.0.113.9 -p p.yaml", "error: 203.0.113.9 is public", "authorised_by"},
	{"permission_ended", map[string]string{"x.yaml": strings.Replace(lock, "2099", "2020", 1)}, "run x.yaml -p p.yaml", "the permission to test 192.0.2.7 ended", "renewed"},
	{"no_consent", nil, "run lock.yaml -p p.yaml --effect intrusive", "nobody consented to intrusive probes", "--consent"},
	{"less_consent", map[string]string{"x.yaml": lock + "consent: {who: J. Doe, what: bench, until: 2099-12-31, effect: intrusive}\n"}, "run x.yaml -p p.yaml --effect disruptive", "line 4: J. Doe consented to no more than intrusive", "--consent"},
	{"credential_missing", map[string]string{"x.yaml": lock + "credentials:\n  - {id: a, service: mqtt, user: a, password: {file: none}}\n"}, "run x.yaml -p p.yaml", `device file "x.yaml", line 5: `, ""},
	{"credential_not_set", map[string]string{"x.yaml": lock + "credentials:\n  - {id: a, service: mqtt, user: a, password: {env: ASSAY_NOT_SET}}\n"}, "run x.yaml -p p.yaml", `device file "x.yaml", line 5: `, ""},
	{"anchor_missing", map[string]string{"x.yaml": lock + "trust: {anchors: [none.pem]}\n"}, "run x.yaml -p p.yaml", `device file "x.yaml", line 4: `, ""},
	{"bad_unit", nil, "run lock.yaml -p p.yaml --unit nobody", `"nobody" is neither`, "such as"},
}

const bomb = `a: &a [x, x, x, x, x, x, x, x, x]
b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a]
c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b]
d: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c]
e: &e [*d, *d, *d, *d, *d, *d, *d, *d, *d]
f: &f [*e, *e, *e, *e, *e, *e, *e, *e, *e]
g: &g [*f, *f, *f, *f, *f, *f, *f, *f, *f]
`

var badProfiles = []badInput{
	{"unknown_key", map[string]string{"q.yaml": "id: q\ncolour: red\n"}, "run lock.yaml -p q.yaml", `profile "q.yaml", line 2, column 1: unknown key "colour"`, "known are"},
	{"mistyped_key", map[string]string{"q.yaml": "id: q\ntitel: red\n"}, "judge insecure.assay -p q.yaml", `line 2, column 1: unknown key "titel"`, `did you mean "title"?`},
	{"wrong_type", map[string]string{"q.yaml": "id: [q]\n"}, "profile show q.yaml", `line 1, column 5: here is a list`, "want a text"},
	{"alias_bomb", map[string]string{"q.yaml": bomb}, "profile lint q.yaml", `profile "q.yaml", line 1, column 4: anchor "a"`, "write the value out"},
	{"unknown_id", nil, "run lock.yaml -p nobody-2020", `no profile has the ID "nobody-2020"`, "etsi-en-303-645-v3.1.3"},
	{"missing_file", nil, "run lock.yaml -p nobody.yaml", "nobody.yaml: no such file", "name a profile file"},
	{"twice", nil, "run lock.yaml -p p.yaml,p.yaml", `profile "two-ports" is named twice`, "once"},
	{"unknown_check", map[string]string{"q.yaml": strings.Replace(onePort, "exposure.telnet-absent", "exposure.telnet-there", 1)}, "run lock.yaml -p q.yaml", `no check has the ID "exposure.telnet-there"`, ""},
}

const onePort = `id: q
title: One
version: "1"
source: {document: made for this test, date: "2026"}
verified: {status: verified, source: made for this test}
requirements:
  - id: t1
    level: mandatory
    text: Telnet is absent.
    checks: [{check: exposure.telnet-absent, can: decide}]
`

var badFlags = []badInput{
	{"bare_loopback", nil, "run 127.0.0.1 -p p.yaml", "a loopback address belongs to everything", "--ports"},
	{"only_nothing", nil, "run lock.yaml -p p.yaml --only coap.*", `--only "coap.*" matches no check`, "assay profile show"},
	{"only_no_glob", nil, "run lock.yaml -p p.yaml --only [", `--only "["`, ""},
	{"skip_nothing", nil, "run lock.yaml -p p.yaml --skip coap.x=old", `--skip "coap.x" is no check`, "assay profile show"},
	{"skip_without_reason", nil, "run lock.yaml -p p.yaml --skip exposure.telnet-absent", "gives no reason", "exposure.telnet-absent=REASON"},
	{"skip_empty_reason", nil, "run lock.yaml -p p.yaml --skip exposure.telnet-absent=", "gives no reason", "exposure.telnet-absent=REASON"},
	{"port_zero", nil, "run lock.yaml -p p.yaml --ports 0", `"0" is no port`, `"22,80,8000-8100"`},
	{"port_range", nil, "run lock.yaml -p p.yaml --ports 9-1", `range "9-1" ends before it begins`, ""},
	{"port_word", nil, "run lock.yaml -p p.yaml --ports ssh", `"ssh" is no port`, `"22,80,8000-8100"`},
	{"quick_and_ports", nil, "run lock.yaml -p p.yaml --quick --ports 1", "contradict", "one of them"},
	{"effect", nil, "run lock.yaml -p p.yaml --effect rude", `"rude"`, "--help"},
	{"pace", nil, "run lock.yaml -p p.yaml --pace fast", "want one of gentle, normal, bench", "--help"},
	{"fail_on", nil, "judge insecure.assay --fail-on pass", "want one of fail, inconclusive", "--help"},
	{"trust_no_pem", map[string]string{"ca.pem": "no certificate"}, "run lock.yaml -p p.yaml --trust ca.pem", `--trust "ca.pem"`, "PEM"},
	{"trust_missing", nil, "run lock.yaml -p p.yaml --trust ca.pem", "no such file", "PEM"},
	{"format", nil, "run lock.yaml -p p.yaml -f pdf-a", `no report format has the name "pdf-a"`, "terminal"},
	{"formats_without_folder", nil, "judge insecure.assay -f json,markdown", "several formats need a folder", "--out"},
	{"out_is_a_file", nil, "run lock.yaml -p p.yaml --out p.yaml", `--out "p.yaml"`, "name a folder"},
	{"out_below_a_file", nil, "judge insecure.assay -f json --out p.yaml/reports", `--out "p.yaml/reports"`, "name a folder"},
	{"bundle_exists", nil, "run lock.yaml -p p.yaml --bundle p.yaml", "it exists", "another name"},
	{"bundle_nowhere", nil, "run lock.yaml -p p.yaml --bundle none/x.assay", "nothing can be written", "folder"},
	{"at", nil, "judge insecure.assay --at tomorrow", `--at "tomorrow" is no day`, "YYYY-MM-DD"},
	{"at_impossible", nil, "judge insecure.assay --at 2026-02-30", `--at "2026-02-30" is no day`, "YYYY-MM-DD"},
	{"resume_nothing", nil, "run lock.yaml -p p.yaml --resume none.assay.d", `--resume "none.assay.d" is no folder`, ".assay.d"},
	{"resume_without_key", map[string]string{"old.assay.d/journal.jsonl": ""}, "run lock.yaml -p p.yaml --resume old.assay.d", "the key that the run was begun with is not here", "ASSAY_KEYS"},
}

var badBundles = []badInput{
	{"no_bundle", nil, "judge p.yaml", `bundle "p.yaml"`, "it is no bundle"},
	{"missing", nil, "judge none.assay", "none.assay: no such file", "assay run"},
	{"empty", map[string]string{"x.assay": ""}, "judge x.assay", `bundle "x.assay"`, "it is no bundle"},
	{"tampered", nil, "judge tampered.assay", `bundle "tampered.assay": member `, "was changed or cut"},
	{"tampered_report", nil, "report tampered.assay", `bundle "tampered.assay": member `, "was changed or cut"},
	{"truncated", nil, "judge truncated.assay", `bundle "truncated.assay": member `, "was changed or cut"},
	{"truncated_explain", nil, "explain truncated.assay r1", `bundle "truncated.assay": member `, "was changed or cut"},
	{"folder", nil, "judge .", "", "assay run"},
}

// What the user asked wrongly is an error before the first packet: one line,
// with file and line where there is one, a hint, exit code 2, within a second,
// and nothing is written anywhere.
func TestBadInput(t *testing.T) {
	for group, cases := range map[string][]badInput{
		"device": badDeviceFiles, "profile": badProfiles, "flag": badFlags, "bundle": badBundles,
	} {
		for _, tt := range cases {
			t.Run(group+"_"+tt.name, func(t *testing.T) {
				folder(t, tt.files)
				refused(t, newWorld("keys"), tt)
			})
		}
	}
}

// refused runs a command that must leave no trace.
func refused(t *testing.T, w *world, tt badInput) {
	t.Helper()
	before := listing(t)
	began := time.Now()
	require.Equal(t, 2, w.assay(strings.Fields(tt.args)...), "%s%s", &w.out, &w.err)
	require.Less(t, time.Since(began), 5*time.Second) // one, on a machine that does nothing else
	require.Empty(t, w.out.String())
	lines := strings.Split(strings.TrimSuffix(w.err.String(), "\n"), "\n")
	require.Len(t, lines, 2, "%s", &w.err)
	require.Regexp(t, `^assay: error: [^A-Z]|"[A-Z]`, lines[0])
	require.Contains(t, lines[0], tt.want)
	require.Regexp(t, `^assay: hint: .`, lines[1])
	require.Contains(t, lines[1], tt.hint)
	require.Equal(t, before, listing(t))
}

// folder changes to a new folder with a device file, a profile, bundles of all
// sorts, and more files.
func folder(t *testing.T, more map[string]string) {
	t.Helper()
	stored, err := os.ReadFile(storedBundle("insecure"))
	require.NoError(t, err)
	profile, err := os.ReadFile(filepath.Join("testdata", "p.yaml"))
	require.NoError(t, err)
	tampered := bytes.Clone(stored)
	tampered[len(tampered)/2] ^= 1
	t.Chdir(t.TempDir())
	files := map[string]string{
		"lock.yaml": lock, "p.yaml": string(profile), "insecure.assay": string(stored),
		"tampered.assay": string(tampered), "truncated.assay": string(stored[:len(stored)/2]),
	}
	for _, list := range []map[string]string{files, more} {
		for name, text := range list {
			require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o700))
			require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
		}
	}
}

// listing is what lies in this folder, with a hash of each file.
func listing(t *testing.T) []string {
	t.Helper()
	var list []string
	require.NoError(t, filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			list = append(list, path)
			return err
		}
		b, err := os.ReadFile(path)
		list = append(list, fmt.Sprintf("%s %x", path, sha256.Sum256(b)))
		return err
	}))
	return list
}

// A journal of another order is refused and stays as it is.
func TestResumeRefusesAnotherOrder(t *testing.T) {
	folder(t, nil)
	keys, err := bundle.Keys("keys")
	require.NoError(t, err)
	j, err := bundle.Create("old.assay.d", bundle.Head{Run: "old", Tool: program()}, keys.Recipients())
	require.NoError(t, err)
	require.NoError(t, j.Input(bundle.RunName, []byte(`{"run": "another"}`)))
	require.NoError(t, j.Close())
	for _, args := range []string{
		"run 127.0.0.1 --ports 1 -p p.yaml --resume old.assay.d",
		"run lock.yaml -p p.yaml --resume old.assay.d --site elsewhere",
	} {
		refused(t, newWorld("keys"), badInput{args: args, want: `holds another "run.json"`, hint: "the arguments, the files and the version"})
	}
}

// A journal that another version has written is named as such.
func TestResumeRefusesAnotherVersion(t *testing.T) {
	folder(t, map[string]string{"old.assay.d/journal.jsonl": `{"seq":1,"kind":"head","data":{"format":"assay-journal/9"}}` + "\n"})
	_, err := bundle.Keys("keys")
	require.NoError(t, err)
	refused(t, newWorld("keys"), badInput{
		args: "run lock.yaml -p p.yaml --resume old.assay.d", want: "assay-journal/9", hint: "the version of assay that began it",
	})
}

// Keys that others could read are refused before anything else is made.
func TestRunRefusesOpenKeys(t *testing.T) {
	folder(t, nil)
	_, err := bundle.Keys("keys")
	require.NoError(t, err)
	require.NoError(t, os.Chmod(filepath.Join("keys", bundle.SigningKey), 0o644))
	refused(t, newWorld("keys"), badInput{args: "run lock.yaml -p p.yaml --out new", want: bundle.SigningKey, hint: "ASSAY_KEYS"})
}
