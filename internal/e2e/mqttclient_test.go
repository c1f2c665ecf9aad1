package e2e

import (
	"crypto/tls"
	"net/netip"
	"sync"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/stretchr/testify/require"
)

const (
	// mqttPatience is more than a broker on loopback ever takes.
	mqttPatience = 5 * time.Second
	// mqttQuiesce is how long a client may finish its work, in ms.
	mqttQuiesce = 50
	// mqttQuiet is how long no retained message comes once all have come.
	mqttQuiet = 300 * time.Millisecond
)

// mqttClient is a client of a user who may be there.
func mqttClient(t testing.TB, addr netip.AddrPort, inside bool, user, password string) mqtt.Client {
	t.Helper()
	o := mqtt.NewClientOptions().SetUsername(user).SetPassword(password).SetProtocolVersion(4).SetAutoReconnect(false)
	o.AddBroker("tcp://" + addr.String())
	if inside {
		o.Servers = nil
		o.AddBroker("ssl://" + addr.String())
		o.SetTLSConfig(&tls.Config{InsecureSkipVerify: true}) // the test knows where it is
	}
	c := mqtt.NewClient(o)
	token := c.Connect()
	require.True(t, token.WaitTimeout(mqttPatience))
	require.NoError(t, token.Error())
	return c
}

// retained are all retained messages of a broker, by topic.
func retained(t testing.TB, c mqtt.Client) map[string]string {
	t.Helper()
	var mu sync.Mutex
	all := map[string]string{}
	last := time.Now()
	token := c.Subscribe("#", 1, func(_ mqtt.Client, m mqtt.Message) {
		mu.Lock()
		defer mu.Unlock()
		if m.Retained() {
			all[m.Topic()] = string(m.Payload())
			last = time.Now()
		}
	})
	require.True(t, token.WaitTimeout(mqttPatience))
	require.NoError(t, token.Error())
	for quiet := false; !quiet; time.Sleep(mqttQuiet / 4) {
		mu.Lock()
		quiet = time.Since(last) > mqttQuiet
		mu.Unlock()
	}
	mu.Lock()
	defer mu.Unlock()
	return all
}
