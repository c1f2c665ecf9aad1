package e2e

import (
	"net"
	"net/netip"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/services"
	"github.com/assay-iot/assay/harness/result"
	"github.com/assay-iot/assay/harness/verdict"
	"github.com/assay-iot/assay/internal/peers"
)

const (
	pass         = verdict.Pass
	fail         = verdict.Fail
	inconclusive = verdict.Inconclusive
	without      = verdict.NotApplicable
)

// tenants are the users of a broker that keeps them apart, and all there are.
var (
	tenants = []string{"app", "lock"}
	users   = map[string]string{"app": "correct-horse-app", "lock": "battery-staple-lock", "admin": "reads-everything-0"}
	rules   = []string{
		"user app", "topic readwrite app/#", "user lock", "topic readwrite lock/#",
		"user admin", "topic read #", "topic read $SYS/#",
	}
)

// The first thing that anybody tries: an open broker, and its port.
func TestAnonymousMosquitto(t *testing.T) {
	t.Parallel()
	open := peers.MosquittoConfig{Listeners: []peers.MosquittoListener{{Anonymous: true}}}
	at := portOf(peers.Mosquitto(t, open).Addr)
	ran := assay(t, t.TempDir(), "run", "127.0.0.1", "--ports", at, "--format", "json")
	r := ran.result(t)
	expect(t, r, wanted{"mqtt.anonymous-refused": fail, "mqtt.listener-encrypted": fail})
	assert.Equal(t, 1, ran.Code)
	assert.Equal(t, verdict.Fail, r.Verdicts[0].Verdict)
	for _, i := range items(r, "mqtt.anonymous-refused") {
		assert.NotEmpty(t, i.Refs, "item %q", i.Endpoint)
	}
}

// Without a word of its maker nobody can tell that a broker keeps its users
// apart: nothing passes the profile, nothing fails, and each open question
// names what would settle it.
func TestSoundMosquittoWithoutItsMaker(t *testing.T) {
	t.Parallel()
	cert := peers.NewAuthority(t).Issue(t, "127.0.0.1")
	sound := peers.MosquittoConfig{Listeners: []peers.MosquittoListener{{Certificate: &cert}}, Users: users, ACL: rules}
	at := portOf(peers.Mosquitto(t, sound).Addr)
	ran := assay(t, t.TempDir(), "run", "127.0.0.1", "--ports", at, "--format", "json")
	r := ran.result(t)
	assert.Equal(t, 3, ran.Code, "standard error:\n%s", ran.Stderr)
	neverPasses(t, r, "mqtt.anonymous-refused")
	for _, d := range r.Decisions {
		assert.NotEqual(t, verdict.Fail, d.Verdict, "%s%s", d.Check, why(r, d.Check))
	}
	for _, q := range r.Requirements {
		assert.NotEqual(t, verdict.Fail, q.Verdict, "%s: %s", q.ID, q.Why)
		if q.Verdict == verdict.Inconclusive {
			assert.False(t, q.Next.IsZero(), "%s is inconclusive, and nothing says what would decide it", q.ID)
		}
	}
}

// askedOfBrokers are the checks of which every broker here is asked.
var askedOfBrokers = []string{
	"mqtt.anonymous-refused", "mqtt.listener-encrypted", "mqtt.wildcard-refused", "mqtt.cross-publish-refused",
	"mqtt.sys-topics-hidden", "mqtt.retained-without-secrets", "mqtt.listeners-equally-protected", "mqtt.takeover-refused",
	"mqtt.malformed-survived", "credentials.random-refused", "credentials.mqtt-defaults-refused",
}

// brokers are ways to run Debian's mosquitto, with what is to be said of them.
// Whatever is allowed to one client it allows in both versions of MQTT, so that
// its doors differ only in what a listener says.
var brokers = []struct {
	name      string
	tls       bool
	anonymous bool
	declared  bool // its maker says who may do what
	acl       []string
	want      wanted
}{
	// Nobody said which topics are whose: a broker that lets anybody in may
	// be meant to.
	{"anonymous", false, true, false, nil, wanted{
		"mqtt.anonymous-refused": fail, "mqtt.listener-encrypted": fail, "credentials.random-refused": without,
		"mqtt.malformed-survived": pass, "mqtt.takeover-refused": inconclusive,
	}},
	{"passwords", false, false, true, nil, wanted{
		"mqtt.anonymous-refused": pass, "mqtt.listener-encrypted": fail, "mqtt.wildcard-refused": fail,
		"mqtt.cross-publish-refused": fail, "credentials.random-refused": pass, "mqtt.malformed-survived": pass,
	}},
	{"passwords_and_rules", false, false, true, rules, wanted{
		"mqtt.anonymous-refused": pass, "mqtt.listener-encrypted": fail, "mqtt.wildcard-refused": pass,
		"mqtt.cross-publish-refused": pass, "credentials.random-refused": pass, "mqtt.sys-topics-hidden": pass,
	}},
	// What is kept for all is counters below $SYS. And mosquitto has one list
	// of client identifiers for all users: whoever names that of another one
	// takes its session over.
	{"sound", true, false, true, rules, wanted{
		"mqtt.anonymous-refused": pass, "mqtt.listener-encrypted": pass, "mqtt.wildcard-refused": pass,
		"mqtt.cross-publish-refused": pass, "mqtt.sys-topics-hidden": pass, "mqtt.listeners-equally-protected": pass,
		"mqtt.malformed-survived": pass, "credentials.random-refused": pass, "credentials.mqtt-defaults-refused": pass,
		"mqtt.retained-without-secrets": pass, "mqtt.takeover-refused": fail,
	}},
	{"sound_but_undeclared", true, false, false, rules, wanted{
		"mqtt.listener-encrypted": pass, "mqtt.wildcard-refused": inconclusive, "mqtt.cross-publish-refused": inconclusive,
		"mqtt.takeover-refused": inconclusive, "mqtt.retained-without-secrets": inconclusive,
	}},
}

func TestMosquitto(t *testing.T) {
	t.Parallel()
	for _, tt := range brokers {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			addr := ownAddr(t)
			listener := peers.MosquittoListener{Addr: netip.AddrPortFrom(addr, 0), Anonymous: tt.anonymous}
			file := brokerFile{tls: tt.tls, host: hostPorts(t)}
			if tt.tls {
				authority := peers.NewAuthority(t)
				cert := authority.Issue(t, addr.String())
				listener.Certificate, file.anchor = &cert, authority.File
			}
			config := peers.MosquittoConfig{Listeners: []peers.MosquittoListener{listener}, ACL: tt.acl}
			if !tt.anonymous {
				config.Users = users
			}
			if tt.declared {
				file.users, file.tenants = users, tenants
			}
			file.addr = peers.Mosquitto(t, config).Addr
			o := order(asking(t, askedOfBrokers...), "")
			o.File, o.Effect = file.read(t), probe.Intrusive
			expect(t, conduct(t, o).Result, tt.want)
		})
	}
}

// Each door of each listener is looked at, wherever it is: two listeners on odd
// ports, of which one lets anybody in, in both versions.
func TestEveryDoorOfMosquitto(t *testing.T) {
	t.Parallel()
	broker := peers.Mosquitto(t, peers.MosquittoConfig{
		Listeners: []peers.MosquittoListener{{}, {Anonymous: true}}, Users: users,
	})
	closed, open := broker.Addrs[0], broker.Addrs[1]
	file := brokerFile{addr: closed, users: users}
	o := order(asking(t, "mqtt.anonymous-refused", "mqtt.listeners-equally-protected"), portOf(closed)+","+portOf(open))
	o.File = file.read(t)
	r := conduct(t, o).Result
	expect(t, r, wanted{"mqtt.anonymous-refused": fail, "mqtt.listeners-equally-protected": fail})
	said := map[string]verdict.Verdict{}
	for _, i := range items(r, "mqtt.anonymous-refused") {
		said[i.Endpoint] = i.Verdict
	}
	for _, version := range []string{"#mqtt-311", "#mqtt-5"} {
		assert.Equal(t, pass, said[evidence.TCP(closed).Name+version])
		assert.Equal(t, fail, said[evidence.TCP(open).Name+version])
	}
}

// A listener that wants a certificate of the client turns a stranger away
// before MQTT begins. Only the declared listener can say that it is MQTT.
func TestMosquittoThatWantsACertificate(t *testing.T) {
	t.Parallel()
	cert := peers.NewAuthority(t).Issue(t, "127.0.0.1")
	broker := peers.Mosquitto(t, peers.MosquittoConfig{
		Listeners: []peers.MosquittoListener{{Certificate: &cert, ClientCertificate: true}}, Users: users,
	})
	for _, declared := range []bool{false, true} {
		o := at(asking(t, askedOfBrokers...), broker.Addr)
		if declared {
			o.File = brokerFile{addr: broker.Addr, tls: true, users: users, tenants: tenants}.read(t)
		}
		o.Effect = probe.Intrusive
		tr := conduct(t, o)
		for _, s := range evidenceOf(t, tr.Case, services.Probe).Services {
			assert.Equal(t, services.OtherTLS, s.Protocol)
		}
		neverFails(t, tr.Result)
		for _, id := range []string{"mqtt.wildcard-refused", "mqtt.cross-publish-refused", "mqtt.takeover-refused", "credentials.random-refused"} {
			assert.Equal(t, inconclusive, decided(tr.Result)[id], "%s%s", id, why(tr.Result, id))
		}
	}
}

// A gateway that hangs up on whoever is not known, without a word, in front of
// a broker that would let anybody in.
func TestGatewayThatHangsUp(t *testing.T) {
	t.Parallel()
	behind := peers.Mosquitto(t, peers.MosquittoConfig{Listeners: []peers.MosquittoListener{{Anonymous: true}}}).Addr
	gate := deviceAt(t, localhost, 0, func(c net.Conn) { guard(c, behind, users) })
	o := at(asking(t, "mqtt.anonymous-refused", "credentials.random-refused"), gate)
	unknown := conduct(t, o).Result
	neverFails(t, unknown)
	expect(t, unknown, wanted{"mqtt.anonymous-refused": inconclusive})

	o.File = brokerFile{addr: gate, users: users}.read(t)
	known := conduct(t, o).Result
	neverFails(t, known)
	doors := items(known, "mqtt.anonymous-refused")
	assert.True(t, slices.ContainsFunc(doors, func(i result.Item) bool { return i.Verdict == pass }),
		"a close between two good log-ins is a refusal%s", why(known, "mqtt.anonymous-refused"))
}

// guard lets a CONNECT with a known password through, and nothing else.
func guard(c net.Conn, behind netip.AddrPort, known map[string]string) {
	head := make([]byte, 64<<10)
	n, err := c.Read(head)
	if err != nil {
		return
	}
	var sent tap
	sent.take(head[:n])
	if len(sent.Packets) == 0 || sent.Packets[0].User == "" || sent.Packets[0].Password != known[sent.Packets[0].User] {
		return
	}
	up, err := net.Dial("tcp", behind.String())
	if err != nil {
		return
	}
	defer up.Close()
	if _, err := up.Write(head[:n]); err != nil {
		return
	}
	join(c, up)
}

func neverFails(t *testing.T, r result.Result) {
	t.Helper()
	for id, v := range decided(r) {
		require.NotEqual(t, fail, v, "%s%s", id, why(r, id))
	}
}
