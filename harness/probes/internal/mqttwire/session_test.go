package mqttwire

import (
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// patience bounds a whole test against a scripted broker, which answers at
// once.
const patience = 5 * time.Second

// hurry is a deadline that is meant to pass while we wait for an answer, and
// not before a busy machine has taken our question.
const hurry = 150 * time.Millisecond

// turn is one exchange of a scripted broker, in hexadecimal digits.
type turn struct{ hear, say string }

const (
	connect311 = "10 0d 0004 4d515454 04 02 0000 0001 63"
	connect5   = "10 0e 0004 4d515454 05 02 0000 00 0001 63"
)

func hello(v Version) Connect { return Connect{Version: v, ClientID: "c", CleanStart: true} }

// broker returns the client's end of a connection to a broker that keeps to
// the script and then hangs up. What the client says otherwise fails the test.
func broker(t *testing.T, script ...turn) net.Conn {
	ours, theirs := net.Pipe()
	done := make(chan error, 1)
	deadline := time.Now().Add(patience)
	require.NoError(t, errors.Join(ours.SetDeadline(deadline), theirs.SetDeadline(deadline)))
	go func() {
		defer theirs.Close()
		done <- perform(t, theirs, script)
	}()
	t.Cleanup(func() {
		ours.Close()
		assert.NoError(t, <-done)
	})
	return ours
}

func perform(t *testing.T, conn net.Conn, script []turn) error {
	for _, s := range script {
		want := unhex(t, s.hear)
		got := make([]byte, len(want))
		if _, err := io.ReadFull(conn, got); err != nil {
			return err
		}
		assert.Equal(t, want, got)
		if s.say == "" {
			continue
		}
		if _, err := conn.Write(unhex(t, s.say)); err != nil {
			return err
		}
	}
	return nil
}

// open returns a session that the broker let in.
func open(t *testing.T, v Version, script ...turn) *Session {
	first := turn{connect311, "20 02 00 00"}
	if v == V5 {
		first = turn{connect5, "20 03 00 00 00"}
	}
	s, ack, err := Open(broker(t, append([]turn{first}, script...)...), hello(v), Limits{})
	require.NoError(t, err)
	require.True(t, ack.Accepted())
	return s
}

func TestOpenIsRefused(t *testing.T) {
	tests := []struct {
		name    string
		version Version
		say     string
		want    ConnAck
	}{
		{"bad_password", V311, "20 02 00 04", ConnAck{Version: V311, Code: BadUserNameOrPassword311}},
		{"not_authorized_5", V5, "20 03 00 87 00", ConnAck{Version: V5, Code: NotAuthorized}},
		{"knows_3_1_1_only", V5, "20 02 00 01", ConnAck{Version: V311, Code: UnacceptableProtocolVersion}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			hear := map[Version]string{V311: connect311, V5: connect5}[tt.version]
			s, ack, err := Open(broker(t, turn{hear, tt.say}), hello(tt.version), Limits{})
			require.NoError(t, err)
			assert.Equal(t, tt.want, ack)
			assert.False(t, ack.Accepted())
			assert.Equal(t, Span{0, int64(len(unhex(t, tt.say)))}, s.Last())
			assert.ErrorIs(t, s.Ping(), ErrNotConnected)
			_, err = s.Next()
			assert.ErrorIs(t, err, ErrNotConnected)
		})
	}
}

func TestOpenFails(t *testing.T) {
	var unexpected *UnexpectedError
	var disconnected *DisconnectedError
	tests := []struct {
		name string
		say  string
		want func(error) bool
	}{
		{"hangs_up", "", func(err error) bool { return err == io.EOF }},
		{"half_a_connack", "20 02 00", func(err error) bool { return err == io.ErrUnexpectedEOF }},
		{"another_packet", "d0 00", func(err error) bool { return errors.As(err, &unexpected) && unexpected.Got == PINGRESP }},
		{"auth", "f0 06 18 04 15 0001 6d", func(err error) bool { return errors.As(err, &unexpected) && unexpected.Got == AUTH }},
		{"disconnect", "e0 01 97", func(err error) bool {
			return errors.As(err, &disconnected) && disconnected.Disconnect.Code == QuotaExceeded
		}},
		{"garbage", "53 53 48", func(err error) bool { return err == io.ErrUnexpectedEOF }},
		{"http", "48 02 54 50", func(err error) bool { return errors.Is(err, ErrMalformed) }},
		{"accepts_in_3_1_1", "20 02 00 00", func(err error) bool { return errors.Is(err, ErrMalformed) }},
		{"length_lie", "20 ff ff ff 7f", func(err error) bool { return errors.Is(err, ErrTooLarge) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, ack, err := Open(broker(t, turn{connect5, tt.say}), hello(V5), Limits{})
			require.Error(t, err)
			assert.True(t, tt.want(err), "%v", err)
			assert.Empty(t, ack.Properties)
			assert.Equal(t, int64(len(unhex(t, tt.say))), s.Received())
			assert.Equal(t, err, s.Ping())
		})
	}
}

func TestOpenIsSilent(t *testing.T) {
	ours, theirs := net.Pipe()
	defer theirs.Close()
	defer ours.Close()
	go io.Copy(io.Discard, theirs)
	require.NoError(t, ours.SetDeadline(time.Now().Add(50*time.Millisecond)))
	s, _, err := Open(ours, hello(V311), Limits{})
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	assert.ErrorIs(t, s.Disconnect(), os.ErrDeadlineExceeded)
}

func TestOpenSendsNothingThatItCannotEncode(t *testing.T) {
	s, _, err := Open(nil, Connect{Version: V311, Password: new("p")}, Limits{})
	require.ErrorContains(t, err, "password without user name")
	assert.Error(t, s.Ping())
}

func TestSubscribe(t *testing.T) {
	s := open(t, V311,
		turn{"82 0a 0001 0001 23 00 0001 61 02", "31 04 0001 61 78  90 04 0001 00 80"}, // retained message before the answer
		turn{"82 06 0002 0001 62 01", "90 03 0001 00  90 03 0002 01"},                  // an answer to nothing comes first
		turn{"a2 05 0003 0001 62", "b0 02 0003"},
		turn{"e0 00", ""},
	)
	ack, err := s.Subscribe(Filter{Topic: "#"}, Filter{Topic: "a", QoS: 2})
	require.NoError(t, err)
	assert.Equal(t, []Code{0, SubscribeFailure}, ack.Codes)
	assert.Equal(t, Span{10, 6}, s.Last())
	m, err := s.Next()
	require.NoError(t, err)
	assert.Equal(t, Message{Publish{Retain: true, Topic: "a", Payload: []byte("x")}, Span{4, 6}}, m)
	ack, err = s.Subscribe(Filter{Topic: "b", QoS: 1})
	require.NoError(t, err)
	assert.Equal(t, []Code{GrantedQoS1}, ack.Codes)
	assert.Equal(t, 1, s.Stray())
	_, err = s.Unsubscribe("b")
	require.NoError(t, err)
	require.NoError(t, s.Disconnect())
	assert.ErrorIs(t, s.Disconnect(), ErrNotConnected)
}

func TestCodesMatchFilters(t *testing.T) {
	s := open(t, V5, turn{"82 07 0001 00 0001 61 00", "90 05 0001 00 00 00"})
	_, err := s.Subscribe(Filter{Topic: "a"})
	require.ErrorIs(t, err, ErrMalformed)
	assert.ErrorContains(t, err, "2 codes for 1 filters")
	assert.Equal(t, err, s.Ping())
	s = open(t, V5, turn{"a2 06 0001 00 0001 61", "b0 05 0001 00 00 00"})
	_, err = s.Unsubscribe("a")
	assert.ErrorIs(t, err, ErrMalformed)
}

func TestPublish(t *testing.T) {
	s := open(t, V5,
		turn{"30 05 0001 61 00 78", ""},
		turn{"32 07 0001 61 0001 00 78", "40 02 00 09  40 03 0001 87"}, // the first acknowledges nothing of ours
		turn{"34 07 0001 61 0002 00 78", "50 02 0002"},
		turn{"62 02 0002", "70 02 0002"},
		turn{"34 07 0001 61 0003 00 78", "50 03 0003 97"},
	)
	p := Publish{Topic: "a", Payload: []byte("x")}
	ack, err := s.Publish(p)
	require.NoError(t, err)
	assert.Zero(t, ack)
	p.QoS = 1
	ack, err = s.Publish(p)
	require.NoError(t, err)
	assert.Equal(t, Ack{Kind: PUBACK, PacketID: 1, Code: NotAuthorized}, ack)
	assert.Equal(t, 1, s.Stray())
	p.QoS = 2
	ack, err = s.Publish(p)
	require.NoError(t, err)
	assert.Equal(t, Ack{Kind: PUBCOMP, PacketID: 2}, ack)
	ack, err = s.Publish(p)
	require.NoError(t, err)
	assert.Equal(t, Ack{Kind: PUBREC, PacketID: 3, Code: QuotaExceeded}, ack)
	_, err = s.Publish(Publish{Topic: "#"})
	assert.ErrorContains(t, err, "wildcard")
}

func TestNextAcknowledges(t *testing.T) {
	s := open(t, V5,
		turn{"c0 00", "32 07 0001 61 0005 00 78"},
		turn{"40 02 0005", "34 07 0001 62 0006 00 79"},
		turn{"50 02 0006", "3c 07 0001 62 0006 00 79"}, // sent again before its release
		turn{"50 02 0006", "62 02 0006"},
		turn{"70 02 0006", "62 02 0006"}, // released already
		turn{"70 03 0006 92", "34 07 0001 62 0006 00 7a"},
		turn{"50 02 0006", "d0 00"},
	)
	require.NoError(t, s.Ping())
	var got []string
	for range 3 {
		m, err := s.Next()
		require.NoError(t, err)
		got = append(got, m.Topic+string(m.Payload))
	}
	assert.Equal(t, []string{"ax", "by", "bz"}, got)
	_, err := s.Next()
	assert.Equal(t, io.EOF, err)
}

func TestNextWaitsAgainAfterATimeout(t *testing.T) {
	ours, peer := net.Pipe()
	defer ours.Close()
	defer peer.Close()
	rest := make(chan string, 2)
	go func() {
		io.ReadFull(peer, make([]byte, len(unhex(t, connect311))))
		for part := range rest {
			peer.Write([]byte(part))
		}
	}()
	require.NoError(t, ours.SetDeadline(time.Now().Add(patience)))
	rest <- "\x20\x02\x00\x00\x30\x04"
	s, _, err := Open(ours, hello(V311), Limits{})
	require.NoError(t, err)
	require.NoError(t, ours.SetDeadline(time.Now().Add(hurry)))
	_, err = s.Next()
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	require.NoError(t, ours.SetDeadline(time.Now().Add(patience)))
	rest <- "\x00\x01ax"
	close(rest)
	m, err := s.Next()
	require.NoError(t, err)
	assert.Equal(t, "x", string(m.Payload))
	assert.Equal(t, Span{4, 6}, m.Span)
}

// An answer that came too late must not stand for a later one.
func TestPingCountsLateAnswers(t *testing.T) {
	conn := broker(t, turn{connect311, "20 02 00 00"}, turn{"c0 00 c0 00", "d0 00"}, turn{"c0 00", "d0 00 d0 00 d0 00"})
	s, _, err := Open(conn, hello(V311), Limits{})
	require.NoError(t, err)
	require.NoError(t, conn.SetDeadline(time.Now().Add(hurry)))
	require.ErrorIs(t, s.Ping(), os.ErrDeadlineExceeded)
	require.NoError(t, conn.SetDeadline(time.Now().Add(hurry)))
	require.ErrorIs(t, s.Ping(), os.ErrDeadlineExceeded)
	require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
	require.NoError(t, s.Ping())
	_, err = s.Next()
	assert.Equal(t, io.EOF, err)
	assert.Equal(t, 1, s.Stray()) // four answers to three pings
}

func TestSessionEnds(t *testing.T) {
	tests := []struct {
		name string
		say  string
		want string
	}{
		{"disconnect", "e0 02 8e 00", "reason code 0x8e"},
		{"second_connack", "20 03 00 00 00", "unexpected CONNACK"},
		{"auth", "f0 06 18 04 15 0001 6d", "unexpected AUTH"},
		{"malformed", "30 02 0000", "malformed PUBLISH"},
		{"length_lie", "30 ff ff ff 7f", "over the limit"},
		{"alias_not_allowed", "30 06 0000 03 23 0001", "topic alias 1 where 0 is the largest"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t, V5, turn{"c0 00", "30 05 0001 61 00 78" + tt.say})
			err := s.Ping()
			require.ErrorContains(t, err, tt.want)
			m, late := s.Next() // what came before is not lost
			require.NoError(t, late)
			assert.Equal(t, "a", m.Topic)
			_, late = s.Next()
			assert.Equal(t, err, late)
			_, late = s.Subscribe(Filter{Topic: "a"})
			assert.Equal(t, err, late)
		})
	}
}

func TestTopicAliases(t *testing.T) {
	c := hello(V5)
	c.Properties = Properties{{ID: TopicAliasMaximum, Number: 2}}
	hear := "10 11 0004 4d515454 05 02 0000 03 22 0002 0001 63"
	say := "20 03 00 00 00  30 07 0001 61 03 23 0002  30 06 0000 03 23 0002  30 06 0000 03 23 0001"
	s, _, err := Open(broker(t, turn{hear, say}), c, Limits{})
	require.NoError(t, err)
	for range 2 {
		m, err := s.Next()
		require.NoError(t, err)
		assert.Equal(t, "a", m.Topic)
	}
	_, err = s.Next()
	assert.ErrorContains(t, err, "topic alias 1 stands for nothing")
}

func TestSessionKeepsToTheBrokersPacketSize(t *testing.T) {
	conn := broker(t, turn{connect5, "20 08 00 00 05 27 0000000c"}, turn{"30 05 0001 61 00 78", ""})
	s, _, err := Open(conn, hello(V5), Limits{})
	require.NoError(t, err)
	_, err = s.Publish(Publish{Topic: "a", Payload: []byte("0123456789")})
	assert.ErrorContains(t, err, "over the broker's limit of 12")
	_, err = s.Publish(Publish{Topic: "a", Payload: []byte("x")})
	assert.NoError(t, err)
}

func TestPacketIdentifiersAreNeverZero(t *testing.T) {
	s := &Session{lastID: 65534}
	assert.Equal(t, []uint16{65535, 1, 2}, []uint16{s.nextID(), s.nextID(), s.nextID()})
}

// flood is a broker that lets the client in and then never stops.
type flood struct {
	io.Reader
	written int
}

func (f *flood) Write(b []byte) (int, error) {
	f.written += len(b)
	return len(b), nil
}

func TestFloodsAreBounded(t *testing.T) {
	tests := []struct {
		name   string
		packet string
		what   string
	}{
		{"pings", "d0 00", LargePackets},
		{"pubrels", "62 02 0001", LargePackets},
		{"qos_2", "34 05 0001 61 0001", LargePackets},
		{"kilobytes", "30 80 08" + "0001 61" + strings.Repeat("00", 1021), LargeTotal},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := &flood{Reader: io.MultiReader(strings.NewReader("\x20\x02\x00\x00"), &repeat{bytes: unhex(t, tt.packet)})}
			s, _, err := Open(f, hello(V311), Limits{})
			require.NoError(t, err)
			for err == nil {
				_, err = s.Next()
			}
			var large *TooLargeError
			require.ErrorAs(t, err, &large)
			assert.Equal(t, tt.what, large.What)
			assert.LessOrEqual(t, s.Received(), int64(DefaultTotalBytes))
			assert.LessOrEqual(t, f.written, 4*DefaultPackets+64)
		})
	}
}

// Fifty brokers that tell the length lie at once cost next to nothing.
func TestFiftyLengthLiesAtOnce(t *testing.T) {
	got := allocated(func() {
		for range 50 {
			f := &flood{Reader: strings.NewReader("\x20\xff\xff\xff\x7f")}
			_, _, err := Open(f, hello(V311), Limits{})
			assert.ErrorIs(t, err, ErrTooLarge)
		}
	})
	assert.Less(t, got, uint64(1<<20))
}

// Properties of five bytes are the most that a broker's bytes can be blown up.
func TestManyPropertiesStaySmall(t *testing.T) {
	properties := strings.Repeat("\x26\x00\x00\x00\x00", 50_000)
	body := "\x00\x01a" + string(appendVarint(nil, len(properties))) + properties
	packet := append(appendVarint([]byte{0x30}, len(body)), body...)
	got := allocated(func() {
		p, err := decode(t, V5, packet)
		require.NoError(t, err)
		assert.Len(t, p.(Publish).Properties, 50_000)
	})
	assert.Less(t, got, uint64(64<<20))
}
