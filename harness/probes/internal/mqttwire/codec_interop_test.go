package mqttwire

import (
	"bytes"
	"testing"

	"github.com/mochi-mqtt/server/v2/packets"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// theirs decodes a packet of ours with a broker's own decoder.
func theirs(t *testing.T, v Version, wire []byte, read func(*packets.Packet, []byte) error) packets.Packet {
	f, err := NewReader(bytes.NewReader(wire), v, Limits{}).Next()
	require.NoError(t, err)
	pk := packets.Packet{ProtocolVersion: byte(v)}
	require.NoError(t, pk.FixedHeader.Decode(byte(f.Type)<<4|f.Flags))
	pk.FixedHeader.Remaining = len(f.Body)
	require.NoError(t, read(&pk, f.Body))
	return pk
}

func TestBrokersDecoderReadsOurConnect(t *testing.T) {
	wire, _, err := Connect{
		Version: V5, ClientID: "id", CleanStart: true, KeepAlive: 300, UserName: new("user"), Password: new("pass"),
		Properties: Properties{
			{ID: SessionExpiryInterval, Number: 70_000}, {ID: ReceiveMaximum, Number: 16}, {ID: MaximumPacketSize, Number: 262_144},
			{ID: TopicAliasMaximum, Number: 4}, {ID: RequestResponseInformation, Number: 1}, {ID: RequestProblemInformation, Number: 1},
			{ID: AuthenticationMethod, Text: "m"}, {ID: AuthenticationData, Text: "\x00d"}, {ID: UserProperty, Name: "n", Text: "v"},
		},
	}.Encode()
	require.NoError(t, err)
	pk := theirs(t, V5, wire, (*packets.Packet).ConnectDecode)
	assert.Equal(t, packets.CodeSuccess, pk.ConnectValidate())
	assert.Equal(t, packets.ConnectParams{
		ProtocolName: []byte("MQTT"), ClientIdentifier: "id", Clean: true, Keepalive: 300,
		UsernameFlag: true, Username: []byte("user"), PasswordFlag: true, Password: []byte("pass"),
	}, pk.Connect)
	assert.Equal(t, packets.Properties{
		SessionExpiryInterval: 70_000, SessionExpiryIntervalFlag: true, ReceiveMaximum: 16, MaximumPacketSize: 262_144,
		TopicAliasMaximum: 4, RequestResponseInfo: 1, RequestProblemInfo: 1, RequestProblemInfoFlag: true,
		AuthenticationMethod: "m", AuthenticationData: []byte("\x00d"), User: []packets.UserProperty{{Key: "n", Val: "v"}},
	}, pk.Properties)
}

func TestBrokersDecoderReadsOurPublish(t *testing.T) {
	wire, err := Publish{
		QoS: 2, Dup: true, Retain: true, Topic: "a/b", PacketID: 513, Payload: []byte("payload"),
		Properties: Properties{
			{ID: PayloadFormatIndicator, Number: 1}, {ID: MessageExpiryInterval, Number: 60}, {ID: TopicAlias, Number: 3},
			{ID: ResponseTopic, Text: "r"}, {ID: CorrelationData, Text: "c"}, {ID: ContentType, Text: "t"},
		},
	}.Encode(V5)
	require.NoError(t, err)
	pk := theirs(t, V5, wire, (*packets.Packet).PublishDecode)
	assert.Equal(t, packets.CodeSuccess, pk.PublishValidate(16))
	assert.Equal(t, "a/b", pk.TopicName)
	assert.Equal(t, uint16(513), pk.PacketID)
	assert.Equal(t, "payload", string(pk.Payload))
	assert.Equal(t, []any{byte(2), true, true}, []any{pk.FixedHeader.Qos, pk.FixedHeader.Dup, pk.FixedHeader.Retain})
	assert.Equal(t, packets.Properties{
		PayloadFormat: 1, PayloadFormatFlag: true, MessageExpiryInterval: 60, TopicAlias: 3, TopicAliasFlag: true,
		ResponseTopic: "r", CorrelationData: []byte("c"), ContentType: "t",
	}, pk.Properties)
}

func TestBrokersDecoderReadsOurSubscribe(t *testing.T) {
	for _, v := range []Version{V311, V5} {
		filter := Filter{Topic: "a/#", QoS: 1}
		want := packets.Subscription{Filter: "a/#", Qos: 1}
		if v == V5 {
			filter.NoLocal, filter.RetainAsPublished, filter.RetainHandling = true, true, 2
			want.NoLocal, want.RetainAsPublished, want.RetainHandling = true, true, 2
		}
		wire, err := Subscribe{PacketID: 7, Filters: []Filter{filter, {Topic: "+"}}}.Encode(v)
		require.NoError(t, err)
		pk := theirs(t, v, wire, (*packets.Packet).SubscribeDecode)
		assert.Equal(t, packets.CodeSuccess, pk.SubscribeValidate())
		assert.Equal(t, uint16(7), pk.PacketID)
		assert.Equal(t, packets.Subscriptions{want, {Filter: "+"}}, pk.Filters)

		wire, err = Unsubscribe{PacketID: 8, Topics: []string{"a/#", "+"}}.Encode(v)
		require.NoError(t, err)
		pk = theirs(t, v, wire, (*packets.Packet).UnsubscribeDecode)
		assert.Equal(t, packets.CodeSuccess, pk.UnsubscribeValidate())
		assert.Equal(t, uint16(8), pk.PacketID)
		assert.Equal(t, packets.Subscriptions{{Filter: "a/#"}, {Filter: "+"}}, pk.Filters)
	}
}

func TestBrokersDecoderReadsOurAcks(t *testing.T) {
	for kind, read := range map[Type]func(*packets.Packet, []byte) error{
		PUBACK: (*packets.Packet).PubackDecode, PUBREC: (*packets.Packet).PubrecDecode,
		PUBREL: (*packets.Packet).PubrelDecode, PUBCOMP: (*packets.Packet).PubcompDecode,
	} {
		wire, err := Ack{Kind: kind, PacketID: 9, Code: PacketIdentifierNotFound, Properties: Properties{{ID: ReasonString, Text: "r"}}}.Encode(V5)
		require.NoError(t, err)
		pk := theirs(t, V5, wire, read)
		assert.Equal(t, byte(kind), pk.FixedHeader.Type)
		assert.Equal(t, uint16(9), pk.PacketID)
		assert.Equal(t, byte(0x92), pk.ReasonCode)
		assert.Equal(t, "r", pk.Properties.ReasonString)
	}
	wire, err := Disconnect{Code: 0x04, Properties: Properties{{ID: SessionExpiryInterval, Number: 1}}}.Encode(V5)
	require.NoError(t, err)
	pk := theirs(t, V5, wire, (*packets.Packet).DisconnectDecode)
	assert.Equal(t, byte(0x04), pk.ReasonCode)
	assert.Equal(t, uint32(1), pk.Properties.SessionExpiryInterval)
}

// What a broker's own encoder writes, we read.
func TestWeReadTheBrokersEncoder(t *testing.T) {
	header := func(t Type) packets.FixedHeader { return packets.FixedHeader{Type: byte(t)} }
	reason := packets.Properties{ReasonString: "r", User: []packets.UserProperty{{Key: "n", Val: "v"}}}
	decoded := Properties{{ID: ReasonString, Text: "r"}, {ID: UserProperty, Name: "n", Text: "v"}}
	tests := []struct {
		version Version
		packet  packets.Packet
		write   func(*packets.Packet, *bytes.Buffer) error
		want    Packet
	}{
		{V311, packets.Packet{FixedHeader: header(CONNACK), ReasonCode: 5}, (*packets.Packet).ConnackEncode, ConnAck{Version: V311, Code: 5}},
		{
			V5, packets.Packet{FixedHeader: header(CONNACK), SessionPresent: true, Properties: reason},
			(*packets.Packet).ConnackEncode, ConnAck{Version: V5, SessionPresent: true, Properties: decoded},
		},
		{
			V5, packets.Packet{FixedHeader: header(SUBACK), PacketID: 3, ReasonCodes: []byte{1, 0x87}},
			(*packets.Packet).SubackEncode, SubAck{PacketID: 3, Codes: []Code{GrantedQoS1, NotAuthorized}},
		},
		{
			V5, packets.Packet{FixedHeader: header(UNSUBACK), PacketID: 4, ReasonCodes: []byte{0x11}, Properties: reason},
			(*packets.Packet).UnsubackEncode, UnsubAck{PacketID: 4, Properties: decoded, Codes: []Code{NoSubscriptionExisted}},
		},
		{
			V5, packets.Packet{FixedHeader: header(DISCONNECT), ReasonCode: 0x8e, Properties: reason},
			(*packets.Packet).DisconnectEncode, Disconnect{Code: SessionTakenOver, Properties: decoded},
		},
		{V311, packets.Packet{FixedHeader: header(PINGRESP)}, (*packets.Packet).PingrespEncode, PingResp{}},
		{
			V5, packets.Packet{FixedHeader: header(AUTH), ReasonCode: 0x18, Properties: packets.Properties{AuthenticationMethod: "m"}},
			(*packets.Packet).AuthEncode, Auth{Code: 0x18, Properties: Properties{{ID: AuthenticationMethod, Text: "m"}}},
		},
		{
			V311,
			packets.Packet{FixedHeader: packets.FixedHeader{Type: byte(PUBLISH), Qos: 1, Retain: true}, TopicName: "a", PacketID: 2, Payload: []byte("x")},
			(*packets.Packet).PublishEncode, Publish{QoS: 1, Retain: true, Topic: "a", PacketID: 2, Payload: []byte("x")},
		},
	}
	for _, tt := range tests {
		t.Run(tt.want.Type().String(), func(t *testing.T) {
			tt.packet.ProtocolVersion = byte(tt.version)
			var wire bytes.Buffer
			require.NoError(t, tt.write(&tt.packet, &wire))
			got, err := decode(t, tt.version, wire.Bytes())
			require.NoError(t, err)
			assert.Equal(t, tt.want, got)
		})
	}
}
