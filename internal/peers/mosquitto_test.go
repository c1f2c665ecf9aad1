package peers

import (
	"crypto/tls"
	"crypto/x509"
	"net/netip"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// answerWithin is how long a peer on loopback may take for one answer.
const answerWithin = 10 * time.Second

// connect logs in to a broker and says what came of it.
func connect(t *testing.T, url, user, password string, conf *tls.Config) (mqtt.Client, error) {
	t.Helper()
	o := mqtt.NewClientOptions().AddBroker(url).SetClientID("peers-" + user).
		SetUsername(user).SetPassword(password).SetTLSConfig(conf).
		SetAutoReconnect(false).SetConnectRetry(false).SetConnectTimeout(answerWithin)
	client := mqtt.NewClient(o)
	token := client.Connect()
	if !token.WaitTimeout(answerWithin) {
		t.Fatal("no answer to CONNECT")
	}
	if token.Error() == nil {
		t.Cleanup(func() { client.Disconnect(0) })
	}
	return client, token.Error()
}

func TestMosquittoLogins(t *testing.T) {
	p := Mosquitto(t, MosquittoConfig{
		Listeners: []MosquittoListener{{}, {Anonymous: true}},
		Users:     map[string]string{"alice": "s3cret", "bob": "hunter2"},
	})
	closed, open := "tcp://"+p.Addrs[0].String(), "tcp://"+p.Addrs[1].String()
	tests := []struct {
		name, url, user, password string
		in                        bool
	}{
		{"alice", closed, "alice", "s3cret", true},
		{"bob", closed, "bob", "hunter2", true},
		{"wrong_password", closed, "alice", "hunter2", false},
		{"unknown_user", closed, "carol", "s3cret", false},
		{"anonymous", closed, "", "", false},
		{"anonymous_allowed", open, "", "", true},
		{"wrong_password_still_refused", open, "alice", "wrong", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := connect(t, tt.url, tt.user, tt.password, nil); (err == nil) != tt.in {
				t.Errorf("log-in ended with %v, want in: %t", err, tt.in)
			}
		})
	}
}

func TestMosquittoACL(t *testing.T) {
	p := Mosquitto(t, MosquittoConfig{
		Listeners: []MosquittoListener{{Anonymous: true}},
		ACL:       []string{"topic readwrite open/#"},
	})
	client, err := connect(t, "tcp://"+p.Addr.String(), "", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan string, 10)
	hear := func(_ mqtt.Client, m mqtt.Message) { got <- m.Topic() }
	wait(t, client.Subscribe("#", 1, hear))
	for _, topic := range []string{"closed/a", "open/a"} { // in this order
		wait(t, client.Publish(topic, 1, false, "x"))
	}
	select {
	case topic := <-got:
		if topic != "open/a" {
			t.Errorf("heard %q first, want the topic that the list opens", topic)
		}
	case <-time.After(answerWithin):
		t.Error("heard nothing, want the topic that the list opens")
	}
}

func wait(t *testing.T, token mqtt.Token) {
	t.Helper()
	if !token.WaitTimeout(answerWithin) || token.Error() != nil {
		t.Fatalf("no acknowledgement: %v", token.Error())
	}
}

func TestMosquittoTLS(t *testing.T) {
	authority := NewAuthority(t)
	server := authority.Issue(t, "localhost", "127.0.0.1")
	client := authority.Issue(t, "client").TLS
	p := Mosquitto(t, MosquittoConfig{Listeners: []MosquittoListener{
		{Anonymous: true, Certificate: &server},
		{Anonymous: true, Certificate: &server, ClientCertificate: true},
	}})
	one, mutual := "ssl://"+p.Addrs[0].String(), "ssl://"+p.Addrs[1].String()
	tests := []struct {
		name, url string
		conf      *tls.Config
		in        bool
	}{
		{"trusted", one, &tls.Config{RootCAs: authority.Pool}, true},
		{"not_trusted", one, &tls.Config{RootCAs: x509.NewCertPool()}, false},
		{"plain", "tcp://" + p.Addr.String(), nil, false},
		{"client_certificate", mutual, &tls.Config{RootCAs: authority.Pool, Certificates: []tls.Certificate{client}}, true},
		{"no_client_certificate", mutual, &tls.Config{RootCAs: authority.Pool}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := connect(t, tt.url, "", "", tt.conf); (err == nil) != tt.in {
				t.Errorf("log-in ended with %v, want in: %t", err, tt.in)
			}
		})
	}
}

func TestMosquittoOddPort(t *testing.T) {
	free, err := free([]netip.AddrPort{{}})
	if err != nil {
		t.Fatal(err)
	}
	p := Mosquitto(t, MosquittoConfig{Listeners: []MosquittoListener{{Addr: free[0], Anonymous: true}}})
	if p.Addr != free[0] {
		t.Errorf("listens on %v, want %v", p.Addr, free[0])
	}
	if _, err := connect(t, "tcp://"+p.Addr.String(), "", "", nil); err != nil {
		t.Error(err)
	}
}
