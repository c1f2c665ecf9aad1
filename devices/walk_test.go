package devices

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	paho3 "github.com/eclipse/paho.mqtt.golang"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A conduct is how a device behaved, by what was tried. It is what a fault may
// change, seen from outside by clients that break no rule.
type conduct map[string]string

// observe tries everything that a fault of the lock changes. What may end the
// broker comes last.
func observe(t *testing.T, d *Device) conduct {
	t.Helper()
	c := conduct{"ports": fmt.Sprint(slices.Sorted(maps.Keys(d.Ports)))}
	for name, v := range map[string]visitor{
		"nobody": {id: "n"}, "random": {id: "r", user: "random", password: "random"}, "default": {id: "d", user: "admin", password: "admin"},
	} {
		_, err := connect3(t, d, v)
		c[name+" in 3.1.1"] = fmt.Sprint(err == nil)
		c[name+" in 5"] = fmt.Sprint(connect5(t, d, v) == 0)
	}
	c["messages"] = exchange(t, d)
	c["retained"] = retainedTopics(t, d)
	_, code := subscribe(t, mustConnect(t, d, as(t, d, "app", "s")), "$SYS/#")
	c["$SYS granted"] = fmt.Sprint(code <= 2)
	c["taken over"] = takenOver(t, d)
	require.NoError(t, d.Restart(t.Context()))
	_, err := connect3(t, d, visitor{id: "n"})
	c["nobody after a restart"] = fmt.Sprint(err == nil)
	c["broker after a malformed packet"] = afterMalformed(t, d)
	return c
}

// exchange says which messages reached whom: the app subscribes to everything,
// the lock to its own, and each publishes to both.
func exchange(t *testing.T, d *Device) string {
	t.Helper()
	clients := map[string]paho3.Client{}
	heard := map[string]<-chan string{}
	for name, filter := range map[string]string{"app": "#", "lock": "door/lock/#"} {
		clients[name] = mustConnect(t, d, as(t, d, name, "x-"+name))
		heard[name], _ = subscribe(t, clients[name], filter)
	}
	for from, c := range clients {
		for to := range clients {
			publish(t, c, "door/"+to+"/selftest", "from "+from)
		}
	}
	var all []string
	time.Sleep(quiet)
	for name, got := range heard {
		for len(got) > 0 {
			if m := <-got; strings.Contains(m, "selftest") {
				all = append(all, fmt.Sprintf("%s hears %s", name, m))
			}
		}
	}
	slices.Sort(all)
	return strings.Join(all, "; ")
}

func retainedTopics(t *testing.T, d *Device) string {
	t.Helper()
	got, _ := subscribe(t, mustConnect(t, d, as(t, d, "admin", "all")), "#")
	time.Sleep(quiet)
	var topics []string
	for len(got) > 0 {
		topic, _, _ := strings.Cut(<-got, " ")
		topics = append(topics, topic)
	}
	slices.Sort(topics)
	return strings.Join(topics, " ")
}

func takenOver(t *testing.T, d *Device) string {
	t.Helper()
	first := mustConnect(t, d, as(t, d, "app", "canary"))
	_, _ = connect3(t, d, as(t, d, "lock", "canary")) // refused or not, the first session tells
	time.Sleep(quiet)
	return fmt.Sprint(!first.IsConnectionOpen())
}

func afterMalformed(t *testing.T, d *Device) string {
	t.Helper()
	c := dialTLS(t, d, mqttPort)
	_, err := io.WriteString(c, "\x10\x02\x00\x04")
	require.NoError(t, err)
	require.NoError(t, readToEnd(c))
	time.Sleep(quiet)
	return fmt.Sprint(answers(t.Context(), d.At(mqttPort)))
}

// Each fault alone changes what it says, and nothing else.
func TestEachFaultAlone(t *testing.T) {
	sound := observe(t, launch(t))
	const (
		own = "app hears door/app/selftest from app; lock hears door/lock/selftest from lock"
	)
	assert.Equal(t, own, sound["messages"])
	assert.Equal(t, "door/status", sound["retained"])
	extra := func(port uint16) string {
		ports := []uint16{setupPort, mqttPort, port}
		slices.Sort(ports)
		return fmt.Sprint(ports)
	}
	for fault, changes := range map[string]conduct{
		"mqtt_anonymous":        {"nobody in 3.1.1": "true", "nobody in 5": "true", "nobody after a restart": "true"},
		"mqtt_any_password":     {"random in 3.1.1": "true", "random in 5": "true", "default in 3.1.1": "true", "default in 5": "true"},
		"mqtt_default_password": {"default in 3.1.1": "true", "default in 5": "true"},
		"mqtt_wildcard_readable": {"messages": "app hears door/app/selftest from app; app hears door/lock/selftest from lock; " +
			"lock hears door/lock/selftest from lock"},
		"mqtt_cross_publish": {"messages": "app hears door/app/selftest from app; app hears door/app/selftest from lock; " +
			"lock hears door/lock/selftest from app; lock hears door/lock/selftest from lock"},
		"mqtt_retained_pin":       {"retained": "door/lock/owner door/status"},
		"mqtt_sys_open":           {"$SYS granted": "true"},
		"mqtt_plain_listener":     {"ports": extra(plainMQTTPort)},
		"mqtt_v5_unprotected":     {"nobody in 5": "true"},
		"mqtt_id_takeover":        {"taken over": "true"},
		"mqtt_dies_on_malformed":  {"broker after a malformed packet": "false"},
		"http_setup_plain":        {"ports": extra(plainHTTPPort)},
		"open_telnet":             {"ports": extra(telnetPort)},
		"undeclared_service":      {"ports": extra(undeclaredPort)},
		"posture_lost_on_restart": {"nobody after a restart": "true"},
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			want := maps.Clone(sound)
			maps.Copy(want, changes)
			assert.Equal(t, want, observe(t, launch(t, fault)))
		})
	}
}

// The faults of the hardened lock that expected.yaml walks are those whose
// conduct is known.
func TestWalkIsComplete(t *testing.T) {
	f, err := Load(Embedded(), "door-lock-hardened")
	require.NoError(t, err)
	assert.Len(t, f.Expected.Faults, 15)
}

// The insecure lock shows each of its faults, but for those that are masked.
func TestInsecureShowsItsFaults(t *testing.T) {
	t.Parallel()
	d := run(t, Spec{Name: "door-lock-insecure"})
	c := observe(t, d)
	assert.Equal(t, "true", c["nobody in 3.1.1"])
	assert.Equal(t, "true", c["default in 5"])
	assert.Equal(t, "false", c["random in 3.1.1"])
	assert.Equal(t, "true", c["$SYS granted"])
	assert.Equal(t, "true", c["taken over"])
	assert.Equal(t, "door/lock/owner door/status", c["retained"])
	assert.Contains(t, c["messages"], "app hears door/lock/selftest from app")
	assert.Contains(t, c["messages"], "lock hears door/lock/selftest from app")
	assert.Equal(t, fmt.Sprint([]uint16{plainHTTPPort, setupPort, plainMQTTPort, telnetPort, mqttPort}), c["ports"])
	assert.Equal(t, "true", c["broker after a malformed packet"])
}
