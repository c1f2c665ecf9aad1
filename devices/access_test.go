package devices

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func lockUnit(t *testing.T, faults ...string) unit {
	t.Helper()
	f, err := Load(Embedded(), "door-lock-hardened")
	require.NoError(t, err)
	f.Faults = *with(t, faults...)
	u, err := newUnit("DL-9", netip.MustParseAddr("127.64.0.9"), f)
	require.NoError(t, err)
	return u
}

func TestAccessIsWhatTheFileDeclares(t *testing.T) {
	a := newAccess(lockUnit(t), false)
	require.Len(t, a.identities, 3)
	assert.Equal(t, []string{"door/status"}, a.public)
	assert.Equal(t, "admin", a.admin.user)
	assert.True(t, a.admin.all)
	for _, id := range a.identities {
		want, err := password("DL-9", id.user)
		require.NoError(t, err)
		assert.Equal(t, want, id.password)
		assert.Equal(t, id.user == "admin", id.all)
		assert.Equal(t, id.user != "admin", len(id.own) == 1)
	}
}

func TestUnknownCredential(t *testing.T) {
	u := lockUnit(t)
	_, ok := u.identity("nobody")
	assert.False(t, ok)
	assert.False(t, u.mayConfigure("nobody", ""))
	assert.False(t, u.mayConfigure("admin", ""))
	assert.False(t, u.mayConfigure("", ""))
	secret, err := password("DL-9", "setup")
	require.NoError(t, err)
	assert.True(t, u.mayConfigure("admin", secret))
}

// Who is who, by fault: the identity that a client gets, or "refused".
func TestWho(t *testing.T) {
	secret, err := password("DL-9", "app")
	require.NoError(t, err)
	logins := map[string]login{
		"nobody3":   {version: 4},
		"nobody5":   {version: 5},
		"app":       {given: true, user: "app", password: secret, version: 4},
		"app_wrong": {given: true, user: "app", password: secret + "x", version: 4},
		"app_none":  {given: true, user: "app", version: 4},
		"random":    {given: true, user: "random", password: "random", version: 4},
		"default":   {given: true, user: "admin", password: "admin", version: 5},
		"no_user":   {given: true, password: "admin", version: 5},
	}
	const refused = "refused"
	sound := map[string]string{
		"nobody3": refused, "nobody5": refused, "app": "app", "app_wrong": refused, "app_none": refused,
		"random": refused, "default": refused, "no_user": refused,
	}
	for fault, changes := range map[string]map[string]string{
		"mqtt_sys_open":           {},
		"mqtt_anonymous":          {"nobody3": "", "nobody5": ""},
		"mqtt_v5_unprotected":     {"nobody5": ""},
		"mqtt_default_password":   {"default": "admin"},
		"mqtt_any_password":       {"app_wrong": "app", "app_none": "app", "random": "random", "default": "admin", "no_user": ""},
		"posture_lost_on_restart": {},
	} {
		a := newAccess(lockUnit(t, fault), false)
		for name, l := range logins {
			want := sound[name]
			if changed, ok := changes[name]; ok {
				want = changed
			}
			id, ok := a.who(l)
			if !ok {
				id.user = refused
			}
			assert.Equal(t, want, id.user, "%s with %s", name, fault)
		}
	}
}

func TestPostureAfterRestart(t *testing.T) {
	for fault, want := range map[string]bool{"posture_lost_on_restart": true, "mqtt_anonymous": true, "mqtt_v5_unprotected": false} {
		_, in := newAccess(lockUnit(t, fault), true).who(login{version: 4})
		assert.Equal(t, want, in, fault)
	}
}

// Whoever gets in by a wrong password gets no more than its user may.
func TestStrangersOwnNothing(t *testing.T) {
	a := newAccess(lockUnit(t, "mqtt_any_password"), false)
	id, ok := a.who(login{given: true, user: "random", password: "random"})
	require.True(t, ok)
	for _, topic := range []string{"door/app/selftest", "door/lock/selftest", "x", "$SYS/x"} {
		assert.False(t, a.mayRead(id, topic), topic)
		assert.False(t, a.mayWrite(id, topic), topic)
		assert.False(t, a.maySubscribe(id, topic), topic)
	}
	assert.True(t, a.mayRead(id, "door/status"))
}

func TestServices(t *testing.T) {
	count := func(name string, faults ...string) map[string]int {
		f, err := Load(Embedded(), name)
		require.NoError(t, err)
		f.Faults = *with(t, faults...)
		u, err := newUnit("S-1", netip.MustParseAddr("127.64.0.9"), f)
		require.NoError(t, err)
		services, parts := newBoot(&Device{unit: u}).services()
		assert.Len(t, parts, 3)
		found := map[string]int{}
		for _, s := range services {
			inside := "plain"
			if s.tls != nil {
				inside = "tls"
			}
			found[s.name+" "+inside]++
		}
		return found
	}
	assert.Equal(t, map[string]int{"mqtt tls": 1, "http tls": 1}, count("door-lock-hardened"))
	assert.Equal(t, map[string]int{"mqtt tls": 1, "http tls": 1, "ssh plain": 1}, count("decoy"))
	assert.Equal(t, map[string]int{"mqtt tls": 1, "http tls": 1}, count("flaky"), "nobody speaks the vendor's protocol")
	assert.Equal(t, map[string]int{"mqtt tls": 1, "http plain": 1}, count("flaky", "tls_stall"))
	assert.Equal(t, map[string]int{"mqtt tls": 1, "mqtt plain": 1, "http tls": 1, "http plain": 1, "telnet plain": 1, "undeclared tls": 1},
		count("door-lock-hardened", "mqtt_plain_listener", "http_setup_plain", "open_telnet", "undeclared_service"))
}
