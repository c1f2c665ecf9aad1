package devices

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	paho5 "github.com/eclipse/paho.golang/paho"
	paho3 "github.com/eclipse/paho.mqtt.golang"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	patience = 5 * time.Second        // for what must come
	quiet    = 300 * time.Millisecond // for what must not come
	mqttPort = 8883
)

// launch starts the hardened lock with the named faults.
func launch(t *testing.T, faults ...string) *Device {
	t.Helper()
	return run(t, Spec{Name: "door-lock-hardened", Faults: with(t, faults...)})
}

func run(t *testing.T, spec Spec) *Device {
	t.Helper()
	d, err := Start(t.Context(), spec)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	return d
}

func with(t *testing.T, names ...string) *Faults {
	t.Helper()
	var f Faults
	for _, name := range names {
		var err error
		f, err = f.With(name, true)
		require.NoError(t, err)
	}
	return &f
}

// trusting returns what a client needs to trust the device and no other.
func trusting(t *testing.T, d *Device) *tls.Config {
	t.Helper()
	dir := t.TempDir()
	path, err := d.Write(dir)
	require.NoError(t, err)
	require.FileExists(t, path)
	roots := x509.NewCertPool()
	ca, err := os.ReadFile(dir + "/lab-authority.pem")
	if err == nil {
		require.True(t, roots.AppendCertsFromPEM(ca))
	} else {
		roots.AddCert(d.unit.leaf())
	}
	return &tls.Config{RootCAs: roots, ServerName: d.Addr.String()}
}

// A visitor is how a client of the broker introduces itself.
type visitor struct {
	id, user, password string
	plain              bool
}

// as returns the holder of a credential with a client identifier.
func as(t *testing.T, d *Device, credential, id string) visitor {
	t.Helper()
	p, err := d.Password(credential)
	require.NoError(t, err)
	return visitor{id: id, user: credential, password: p}
}

// connect3 connects with MQTT 3.1.1.
func connect3(t *testing.T, d *Device, v visitor) (paho3.Client, error) {
	t.Helper()
	o := paho3.NewClientOptions().SetClientID(v.id).SetUsername(v.user).SetPassword(v.password).
		SetProtocolVersion(4).SetAutoReconnect(false).SetConnectRetry(false).SetConnectTimeout(patience)
	if v.plain {
		o.AddBroker("tcp://" + d.At(plainMQTTPort).String())
	} else {
		o.AddBroker("ssl://" + d.At(mqttPort).String()).SetTLSConfig(trusting(t, d))
	}
	c := paho3.NewClient(o)
	token := c.Connect()
	require.True(t, token.WaitTimeout(patience), "the broker does not answer")
	if token.Error() == nil {
		t.Cleanup(func() { c.Disconnect(0) })
	}
	return c, token.Error()
}

func mustConnect(t *testing.T, d *Device, v visitor) paho3.Client {
	t.Helper()
	c, err := connect3(t, d, v)
	require.NoError(t, err)
	return c
}

// connect5 connects with MQTT 5 and returns the reason code.
func connect5(t *testing.T, d *Device, v visitor) byte {
	t.Helper()
	conn, err := tls.Dial("tcp", d.At(mqttPort).String(), trusting(t, d))
	require.NoError(t, err)
	defer conn.Close()
	c := paho5.NewClient(paho5.ClientConfig{Conn: conn})
	cp := &paho5.Connect{ClientID: v.id, CleanStart: true, KeepAlive: 30}
	if v.user != "" {
		cp.Username, cp.Password, cp.UsernameFlag, cp.PasswordFlag = v.user, []byte(v.password), true, true
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	ack, err := c.Connect(ctx, cp)
	require.NotNil(t, ack, "%v", err)
	if err == nil {
		_ = c.Disconnect(&paho5.Disconnect{}) // the broker may be quicker to close
	}
	return ack.ReasonCode
}

// subscribe returns the messages that come, and the code in the SUBACK.
func subscribe(t *testing.T, c paho3.Client, filter string) (<-chan string, byte) {
	t.Helper()
	got := make(chan string, 100)
	token := c.Subscribe(filter, 0, func(_ paho3.Client, m paho3.Message) {
		got <- m.Topic() + " " + string(m.Payload())
	})
	require.True(t, token.WaitTimeout(patience))
	return got, token.(*paho3.SubscribeToken).Result()[filter]
}

func publish(t *testing.T, c paho3.Client, topic, text string) {
	t.Helper()
	token := c.Publish(topic, 1, false, text)
	require.True(t, token.WaitTimeout(patience), "no PUBACK")
	require.NoError(t, token.Error())
}

func requireNext(t *testing.T, got <-chan string, want string) {
	t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case m := <-got:
			if m == want {
				return
			}
		case <-deadline:
			require.Fail(t, "not delivered", want)
		}
	}
}

func requireNever(t *testing.T, got <-chan string, unwanted string) {
	t.Helper()
	deadline := time.After(quiet)
	for {
		select {
		case m := <-got:
			require.NotEqual(t, unwanted, m)
		case <-deadline:
			return
		}
	}
}

// dial opens a connection that cannot hang.
func dial(t *testing.T, at netip.AddrPort) net.Conn {
	t.Helper()
	c, err := net.DialTimeout("tcp", at.String(), patience)
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	require.NoError(t, c.SetDeadline(time.Now().Add(patience)))
	return c
}

func dialTLS(t *testing.T, d *Device, want uint16) *tls.Conn {
	t.Helper()
	c := tls.Client(dial(t, d.At(want)), trusting(t, d))
	require.NoError(t, c.Handshake())
	return c
}

// get asks for a path over HTTP and returns the answer as it is.
func get(t *testing.T, c net.Conn, path, header string) string {
	t.Helper()
	_, err := fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: lock\r\nConnection: close\r\n%s\r\n", path, header)
	require.NoError(t, err)
	b, err := io.ReadAll(io.LimitReader(c, 64<<10))
	require.NoError(t, err)
	return string(b)
}
