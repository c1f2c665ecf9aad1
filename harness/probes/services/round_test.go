package services

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/transport"
	"github.com/assay-iot/assay/internal/peers"
)

func TestEnded(t *testing.T) {
	for _, tt := range []struct {
		r    reply
		want Ending
	}{
		{reply{protocol: MQTT, answer: []byte("x"), act: transport.Closed}, Understood},
		{reply{protocol: Unidentified, answer: []byte("x"), act: transport.Silent}, Babble},
		{reply{protocol: Unidentified, act: transport.Silent}, Silence},
		{reply{protocol: Unidentified, act: transport.Closed}, HungUp},
		{reply{protocol: Unidentified, act: transport.Refused}, HungUp},
	} {
		if got := tt.r.ended(); got != tt.want {
			t.Errorf("%+v ended as %s, want %s", tt.r, got, tt.want)
		}
	}
}

func TestMost(t *testing.T) {
	silent := reply{by: web, protocol: Unidentified, act: transport.Silent}
	closed := reply{by: mqtt3, protocol: Unidentified, act: transport.Closed}
	babble := reply{by: web, protocol: Unidentified, answer: []byte("?")}
	weak := reply{by: web, protocol: HTTP, weak: true, answer: []byte("HTTP/1.1 400")}
	broker := reply{by: mqtt3, protocol: MQTT, answer: []byte("\x20")}
	secure := reply{by: secured, protocol: OtherTLS, shook: true, answer: []byte("\x16")}
	unasked := reply{by: greeting, protocol: Unidentified, answer: []byte("220")}
	quiet := reply{by: greeting, protocol: Unidentified, act: transport.Silent}
	tests := []struct {
		name string
		all  []reply
		want reply
	}{
		{"an_end_says_more_than_silence", []reply{quiet, silent, closed}, closed},
		{"an_answer_says_more_than_an_end", []reply{closed, babble, silent}, babble},
		{"a_protocol_says_more_than_an_answer", []reply{babble, weak}, weak},
		{"tls_says_more_than_a_bad_request", []reply{weak, secure}, secure},
		{"a_broker", []reply{quiet, babble, broker}, broker},
		{"words_that_came_unasked_rule_out_all_others", []reply{broker, unasked}, unasked},
		{"the_first_of_equals", []reply{quiet, silent}, quiet},
	}
	for _, tt := range tests {
		if got := most(tt.all); got.by != tt.want.by || got.protocol != tt.want.protocol {
			t.Errorf("%s: got %+v", tt.name, got)
		}
	}
}

func TestSettled(t *testing.T) {
	ours := errors.New("too many open files")
	broker := reply{by: mqtt3, protocol: MQTT}
	silent := reply{by: web, protocol: Unidentified, act: transport.Silent}
	if all, err := settled([]reply{{}, broker, silent}, []error{nil, nil, ours}); err != nil || len(all) != 2 {
		t.Errorf("settled in spite of our trouble: %v, %v", all, err)
	}
	if _, err := settled([]reply{silent, {}}, []error{nil, ours}); !errors.Is(err, ours) {
		t.Errorf("our trouble in a dialogue that may have settled it: %v", err)
	}
}

// A device that takes its time between banner and prompt is not spoken to
// meanwhile: what we say would be a log-in.
func TestPromptAfterABreak(t *testing.T) {
	heard := make(chan string, 20)
	at := device(t, func(c net.Conn) {
		io.WriteString(c, "Welcome to the camera\r\n")
		time.Sleep(headStart + 200*time.Millisecond)
		io.WriteString(c, "login: ")
		c.SetReadDeadline(time.Now().Add(500 * time.Millisecond))
		b, _ := io.ReadAll(c)
		heard <- string(b)
	})
	found, err := look(t, transport.Bench, at)
	if err != nil || found[0].Protocol != Telnet || found[0].Seen != 2 {
		t.Errorf("got %+v, %v", found, err)
	}
	for range 2 {
		if got := <-heard; got != "" {
			t.Errorf("the prompt was fed with %q", got)
		}
	}
}

// A small server takes one client at a time, and leaves the others waiting. It
// is told all the same where another protocol is asked for first.
func TestOneClientAtATime(t *testing.T) {
	var one sync.Mutex
	at := device(t, func(c net.Conn) {
		one.Lock()
		defer one.Unlock()
		io.WriteString(c, "\xff\xfd\x01\xff\xfb\x03")
		io.Copy(io.Discard, c)
	})
	l := &looker{ctx: t.Context(), manner: mannerOf(transport.Bench), dial: loopbackNet()}
	all, err := l.sideBySide(l.plain(at), []*dialogue{secured, web, mqtt3, mqtt5, greeting})
	if got := most(all); err != nil || got.protocol != Telnet {
		t.Errorf("got %+v, %v", got, err)
	}
	if len(all) != 2 {
		t.Errorf("%d dialogues were held", len(all))
	}
}

// No client of the device is put out, and nothing is left behind.
func TestMQTTLeavesInOrder(t *testing.T) {
	sent := make(chan string, 20)
	at := device(t, func(c net.Conn) {
		b := make([]byte, 256)
		n, _ := c.Read(b)
		if n == 0 || b[0] != 0x10 {
			return
		}
		io.WriteString(c, "\x20\x02\x00\x00")
		rest, _ := io.ReadAll(c)
		sent <- string(b[:n]) + "|" + string(rest)
	})
	l := &looker{ctx: t.Context(), manner: mannerOf(transport.Normal), dial: loopbackNet()}
	var ids []string
	for range 2 {
		if r, err := l.speak(t.Context(), mqtt3, l.plain(at), nil); err != nil || r.protocol != MQTT {
			t.Fatalf("got %+v, %v", r, err)
		}
		got := <-sent
		if got[len(got)-3:] != "|\xe0\x00" || got[9]&^0x02 != 0 {
			t.Errorf("sent %q: want no will, no name, and a DISCONNECT", got)
		}
		ids = append(ids, got[14:27])
	}
	if ids[0] == ids[1] {
		t.Errorf("the identifier %q is used twice", ids[0])
	}
}

func loopbackNet() transport.Dialer {
	return transport.New(transport.Config{Scope: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}})
}

// Every dialogue ends in time, whatever it is told and however slowly.
func TestEveryDialogueIsBounded(t *testing.T) {
	const most = 300 * time.Millisecond
	for name, at := range map[string]netip.AddrPort{
		"silence": peers.Tarpit(t), "drip": peers.Drip(t, "SSH-2.0-x\r\n"), "flood": peers.Flood(t, "HTTP/1.1 2"), "flood_of_telnet": peers.Flood(t, "\xff\xfa"),
	} {
		for i, d := range outside {
			l := &looker{ctx: t.Context(), manner: manner{most, most, false}, dial: loopbackNet()}
			begun := time.Now()
			r, err := l.speak(t.Context(), d, l.plain(at), nil)
			if took := time.Since(begun); err != nil || r.protocol != Unidentified || took > most+time.Second || len(r.answer) > maxAnswer {
				t.Errorf("%s, dialogue %d: %+v, %v after %s", name, i, r, err, took)
			}
		}
	}
}

func TestEach(t *testing.T) {
	ours := errors.New("too many open files")
	var addrs []netip.AddrPort
	for p := uint16(1); p <= 20; p++ {
		addrs = append(addrs, netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), p))
	}
	for _, width := range []int{1, 4, 100} {
		found, err := probe.EachOf(t.Context(), width, addrs, func(a netip.AddrPort) string { return evidence.TCP(a).Name }, func(a netip.AddrPort) (Service, error) {
			if a.Port()%10 == 0 {
				return Service{}, ours
			}
			return Service{Addr: a}, nil
		})
		partial, _ := errors.AsType[*probe.Partial](err)
		if partial == nil || !slices.Equal(partial.Missing, []string{"tcp/192.0.2.1:10", "tcp/192.0.2.1:20"}) || !errors.Is(err, ours) {
			t.Errorf("width %d: %v", width, err)
		}
		if len(found) != 18 || !slices.IsSortedFunc(found, func(a, b Service) int { return a.Addr.Compare(b.Addr) }) {
			t.Errorf("width %d: %d found, or out of order", width, len(found))
		}
	}
	if err := leftOut(nil, -3); err != nil {
		t.Errorf("nothing is left out: %v", err)
	}
}

func TestBound(t *testing.T) {
	few, many := bound(probe.Target{Open: 1, Pace: transport.Normal, PerSecond: 100}), bound(probe.Target{Open: 1000})
	if few.Connections != mostDialogues || many.Connections != mostDialogues*probe.MaxOpen || few.Logins != 2 || few.Time < mostDialogues*handshakePatience {
		t.Errorf("one port %+v, a trap %+v", few, many)
	}
	if got := len(outside) + len(inside) + 1 + 2; got != mostDialogues {
		t.Errorf("the longest way has %d dialogues, and the plan says %d", got, mostDialogues)
	}
	if gentle, bench := mannerOf(transport.Gentle), mannerOf(transport.Bench); gentle.wide || !bench.wide || bench.patience >= gentle.patience {
		t.Errorf("gentle %+v, bench %+v", gentle, bench)
	}
}

func TestOf(t *testing.T) {
	e := Evidence{Services: []Service{{Protocol: MQTT}, {Protocol: HTTP, Seen: 1}, {Protocol: HTTP, Seen: 2}}}
	if got := e.Of(HTTP); len(got) != 2 || got[1].Seen != 1 || got[2].Seen != 2 {
		t.Errorf("got %+v", got)
	}
}

// The stored form is what checks cite; it changes with the version alone.
func TestStoredForm(t *testing.T) {
	data, err := evidence.Encode(Evidence{Services: []Service{{Addr: netip.MustParseAddrPort("192.0.2.1:23"), Protocol: Telnet, TLS: evidence.No, Seen: 2, Answer: evidence.Bytes("\xff\xfb\x01"), Ended: Understood}}})
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"services":[{"addr":"192.0.2.1:23","protocol":"telnet","tls":"no","seen":2,"answer":{"base64":"//sB","preview":"\\xff\\xfb\\x01"},"ended":"understood","telnet":"","span":{"member":"","offset":0,"length":0}}]}`
	if string(data) != want {
		t.Errorf("got %s, want %s", data, want)
	}
}
