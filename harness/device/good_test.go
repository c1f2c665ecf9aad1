package device

import (
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const whole = `# The password of the first unit was on a note.
device:
  id: door-lock
  manufacturer: Assay Labs
  model: "Door Lock \"Hub\""
  hardware: B
  firmware: 1.10
  serial: 0042
  mac: 02-00-5E-10-00-01
  type: door lock
  addresses: [192.168.1.20, fe80::1%eth0]
scope:
  - {address: 192.168.1.0/24}
  - {address: "fe80::1"}
  - {address: 203.0.113.0/28, authorised_by: A. Owner, until: 2026-12-31}
consent: {who: A. Owner, what: bench test, until: 2026-12-31, effect: intrusive, sacrificial: no, recovery: hold the button}
ics:
  features: {passwords: yes, telemetry: no, debug: true, constrained: false}
  provisions:
    "5.1-1": {support: yes}
    5.5-5:
      support: no
      justification: |
        The bus has no room:
        two bytes.
ixit:
  soft_serv:
    - id: broker
      status: enabled
      allows_configuration: yes
      authentication_mechanism: [password]
      tcp: [1883, 8883]
      protocol: mqtt
      tls: no
      mqtt:
        identities:
          - {credential: alice, topics: [door/a/#], canary: test/a}
          - {credential: bob}
        public_topics: ["$SYS/broker/uptime"]
        reads_all: alice
    - {id: coap, status: disabled, udp: [5683], mqtt: {}}
trust: {anchors: [], pins: ["AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99"]}
credentials:
  - {id: alice, service: mqtt, user: alice, password: {file: secrets/alice}}
  - {id: bob, service: mqtt, user: bob, password: {env: BOB_PASSWORD}}
firmware: [fw.bin]
units:
  - {name: unit-2, addresses: [192.168.1.21]}
answers:
  - question: etsi-en-303-645-v3.1.3:5.2-1
    answer: yes
    note: 'see: the page'
    who: A. Tester
    when: 2026-01-15
    attachments: [{file: page.pdf, sha256: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef}]
`

func parse(t *testing.T, text string) *File {
	t.Helper()
	f, err := Parse("cam.yaml", []byte(text), t.TempDir())
	require.NoError(t, err)
	return f
}

func day(s string) Date {
	d, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return Date{d}
}

func TestParseKeepsWhatTheFileSays(t *testing.T) {
	f := parse(t, whole)
	assert.Equal(t, "1.10", f.Device.Firmware, "an unquoted version keeps its text")
	assert.Equal(t, "0042", f.Device.Serial)
	assert.Equal(t, "02:00:5e:10:00:01", f.Device.MAC)
	assert.Equal(t, []netip.Addr{netip.MustParseAddr("192.168.1.20"), netip.MustParseAddr("fe80::1%eth0")}, f.Device.Addresses)
	assert.Equal(t, map[string]Answered{"passwords": Yes, "telemetry": No, "debug": Yes, "constrained": No}, f.ICS.Features)
	assert.Equal(t, Provision{No, "The bus has no room:\ntwo bytes.\n"}, f.ICS.Provisions["5.5-5"])
	assert.Equal(t, []uint16{1883, 8883}, f.IXIT.SoftServ[0].TCP)
	assert.Equal(t, No, f.IXIT.SoftServ[0].TLS)
	assert.Equal(t, Answered(""), f.IXIT.SoftServ[1].TLS, "what is left out is not answered")
	assert.Equal(t, MQTTIdentity{"alice", []string{"door/a/#"}, "test/a"}, f.IXIT.SoftServ[0].MQTT.Identities[0])
	assert.NotContains(t, f.Trust.Pins[0], ":")
	assert.Equal(t, day("2026-12-31"), f.Consent.Until)
	assert.False(t, f.Consent.Sacrificial)
	assert.Equal(t, Source{Env: "BOB_PASSWORD"}, f.Credentials[1].Password)
	assert.Equal(t, 7, f.line("device.firmware"))
	assert.Equal(t, 21, f.line("ics.provisions[5.5-5].nothing"), "what is not there has the line of what it belongs to")
}

func TestNoListIsNotAnEmptyOne(t *testing.T) {
	assert.Nil(t, parse(t, "device: {id: a}").IXIT.SoftServ)
	f := parse(t, "device: {id: a}\nixit: {soft_serv: []}")
	assert.NotNil(t, f.IXIT.SoftServ)
	assert.Contains(t, string(f.Effective()), "soft_serv: []")
}

// sameAs compares what two files say, wherever in them it stands.
func sameAs(t *testing.T, want, got *File) {
	t.Helper()
	a, b := *want, *got
	a.name, a.dir, a.lines = "", "", nil
	b.name, b.dir, b.lines = "", "", nil
	assert.Equal(t, a, b)
}

func TestEffectiveReadsBack(t *testing.T) {
	f := parse(t, whole)
	text := f.Effective()
	sameAs(t, f, parse(t, string(text)))
	assert.Equal(t, string(text), string(parse(t, string(text)).Effective()))
	assert.NotContains(t, string(text), "note.\n", "comments may hold secrets")
	assert.NotContains(t, string(text), "#"+" The password")
}

func TestEffectiveQuotesWhatLooksLikeAnotherType(t *testing.T) {
	for _, value := range []string{"yes", "null", "~", "1.10", "0x1F", "2026-01-01", "- a", "a: b", "#", "\ta\n", "<<", "é", "\u202e", "'", `"\`, " ", "*a", "&a", "!x", "{", "@"} {
		f := &File{Device: Device{ID: "a", Model: value}}
		assert.Equal(t, value, parse(t, string(f.Effective())).Device.Model)
	}
}

func TestReadSeesToTheFilesItNames(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	path := write("cam.yaml", "device: {id: a}\nfirmware:\n  - images/fw.bin\n")
	_, err := Read(path)
	wantFault(t, err, 3, `file "images/fw.bin"`, "no such file")
	write("images/fw.bin", "x")
	f, err := Read(path)
	require.NoError(t, err)
	assert.Equal(t, path, f.name)

	secret := filepath.Join(t.TempDir(), "elsewhere")
	require.NoError(t, os.WriteFile(secret, []byte("x"), 0o600))
	require.NoError(t, os.Symlink(secret, filepath.Join(dir, "link")))
	_, err = Read(write("link.yaml", "device: {id: a}\ncaptures: [link]\n"))
	wantFault(t, err, 2, `file "link"`, "escapes")
	_, err = Read(write("dir.yaml", "device: {id: a}\ncaptures: [images]\n"))
	wantFault(t, err, 2, `file "images"`, "no regular file")

	answer := "device: {id: a}\nanswers:\n  - {question: q, answer: yes, who: w, when: 2026-01-01, attachments: [{file: images/fw.bin, sha256: "
	_, err = Read(write("hash.yaml", answer+"2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881}]}\n"))
	require.NoError(t, err)
	_, err = Read(write("changed.yaml", answer+"0d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881}]}\n"))
	wantFault(t, err, 3, "not the file that the answer rests on")
	_, err = Read(filepath.Join(dir, "missing.yaml"))
	require.ErrorIs(t, err, os.ErrNotExist)
}
