package mqttwire

import (
	"bytes"
	"encoding/hex"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// unhex turns hexadecimal digits into bytes; spaces part the fields.
func unhex(t testing.TB, s string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	require.NoError(t, err)
	return b
}

// decode reads the only packet of b.
func decode(t testing.TB, v Version, b []byte) (Packet, error) {
	r := NewReader(bytes.NewReader(b), v, Limits{})
	f, err := r.Next()
	if err != nil {
		return nil, err
	}
	_, err = r.Next()
	require.ErrorIs(t, err, io.EOF)
	return f.Decode(v)
}

func TestDecode(t *testing.T) {
	tests := []struct {
		name    string
		version Version
		wire    string
		want    Packet
	}{
		{"connack", V311, "20 02 00 00", ConnAck{Version: V311}},
		{"connack_session", V311, "20 02 01 00", ConnAck{Version: V311, SessionPresent: true}},
		{"connack_bad_login", V311, "20 02 00 04", ConnAck{Version: V311, Code: BadUserNameOrPassword311}},
		{"connack_not_authorized", V311, "20 02 00 05", ConnAck{Version: V311, Code: NotAuthorized311}},
		{"connack_5", V5, "20 03 00 00 00", ConnAck{Version: V5}},
		{"connack_5_banned", V5, "20 03 00 8a 00", ConnAck{Version: V5, Code: Banned}},
		{"connack_5_in_3_1_1", V5, "20 02 00 01", ConnAck{Version: V311, Code: UnacceptableProtocolVersion}},
		{
			"connack_5_properties", V5,
			"20 35 01 00 32 11 00000001 21 0002 24 01 25 00 27 00000400 12 0001 63 22 0003 1f 0001 72" +
				"26 0001 61 0001 62 28 00 29 01 2a 00 13 0005 1a 0000 1c 0000",
			ConnAck{Version: V5, SessionPresent: true, Properties: Properties{
				{ID: SessionExpiryInterval, Number: 1}, {ID: ReceiveMaximum, Number: 2}, {ID: MaximumQoS, Number: 1},
				{ID: RetainAvailable}, {ID: MaximumPacketSize, Number: 1024}, {ID: AssignedClientIdentifier, Text: "c"},
				{ID: TopicAliasMaximum, Number: 3}, {ID: ReasonString, Text: "r"}, {ID: UserProperty, Name: "a", Text: "b"},
				{ID: WildcardSubscriptionAvailable}, {ID: SubscriptionIdentifierAvailable, Number: 1},
				{ID: SharedSubscriptionAvailable}, {ID: ServerKeepAlive, Number: 5}, {ID: ResponseInformation}, {ID: ServerReference},
			}},
		},
		{
			"connack_5_authentication", V5, "20 0b 00 00 08 15 0001 6d 16 0001 ff",
			ConnAck{Version: V5, Properties: Properties{{ID: AuthenticationMethod, Text: "m"}, {ID: AuthenticationData, Text: "\xff"}}},
		},
		{"publish", V311, "30 05 0001 61 6869", Publish{Topic: "a", Payload: []byte("hi")}},
		{"publish_empty_payload", V311, "31 03 0001 61", Publish{Topic: "a", Retain: true, Payload: []byte{}}},
		{"publish_qos_2", V311, "3c 06 0001 61 000a 00", Publish{Topic: "a", QoS: 2, Dup: true, PacketID: 10, Payload: []byte{0}}},
		{
			"publish_5_alias", V5, "30 06 0000 03 23 0001",
			Publish{Properties: Properties{{ID: TopicAlias, Number: 1}}, Payload: []byte{}},
		},
		{
			"publish_5_two_subscriptions", V5, "30 09 0001 61 05 0b 01 0b ac 02",
			Publish{Topic: "a", Properties: Properties{{ID: SubscriptionIdentifier, Number: 1}, {ID: SubscriptionIdentifier, Number: 300}}, Payload: []byte{}},
		},
		{"puback", V311, "40 02 0001", Ack{Kind: PUBACK, PacketID: 1}},
		{"pubrec_5", V5, "50 02 0001", Ack{Kind: PUBREC, PacketID: 1}},
		{"pubrel", V311, "62 02 fff0", Ack{Kind: PUBREL, PacketID: 0xfff0}},
		{"pubcomp_5_code", V5, "70 03 0001 92", Ack{Kind: PUBCOMP, PacketID: 1, Code: PacketIdentifierNotFound}},
		{"puback_5_no_subscriber", V5, "40 04 0001 10 00", Ack{Kind: PUBACK, PacketID: 1, Code: NoMatchingSubscribers}},
		{"suback", V311, "90 06 0001 00 01 02 80", SubAck{PacketID: 1, Codes: []Code{0, 1, 2, SubscribeFailure}}},
		{"suback_5", V5, "90 04 0001 00 87", SubAck{PacketID: 1, Codes: []Code{NotAuthorized}}},
		{"unsuback", V311, "b0 02 0001", UnsubAck{PacketID: 1}},
		{"unsuback_5", V5, "b0 05 0001 00 00 11", UnsubAck{PacketID: 1, Codes: []Code{Success, NoSubscriptionExisted}}},
		{"pingresp", V311, "d0 00", PingResp{}},
		{"puback_5_code_not_listed", V5, "40 03 0001 01", Ack{Kind: PUBACK, PacketID: 1, Code: 0x01}},
		{"disconnect_5_code_not_listed", V5, "e0 01 04", Disconnect{Code: 0x04}},
		{"disconnect_5", V5, "e0 00", Disconnect{}},
		{"disconnect_5_taken_over", V5, "e0 02 8e 00", Disconnect{Code: SessionTakenOver}},
		{"disconnect_5_code_alone", V5, "e0 01 8e", Disconnect{Code: SessionTakenOver}},
		{"auth_5", V5, "f0 06 18 04 15 0001 6d", Auth{Code: 0x18, Properties: Properties{{ID: AuthenticationMethod, Text: "m"}}}},
		{"auth_5_success", V5, "f0 00", Auth{}},
		{"length_of_two_bytes", V311, "d0 80 00", PingResp{}}, // overlong, of which MQTT 3.1.1 says nothing
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := decode(t, tt.version, unhex(t, tt.wire))
			require.NoError(t, err)
			assert.Equal(t, tt.want, got)
			assert.Equal(t, Type(unhex(t, tt.wire)[0]>>4), got.Type())
		})
	}
}

func TestDecodeRefuses(t *testing.T) {
	tests := []struct {
		name    string
		version Version
		wire    string
		want    string
	}{
		{"reserved_type", V311, "00 00", "no server sends it"},
		{"auth_311", V311, "f0 00", "no server sends it in MQTT 3.1.1"},
		{"disconnect_311", V311, "e0 00", "no server sends it in MQTT 3.1.1"},
		{"connect", V5, "10 00", "no server sends it"},
		{"subscribe", V5, "82 00", "no server sends it"},
		{"pingreq", V5, "c0 00", "no server sends it"},
		{"overlong_length", V5, "d0 80 00", "more bytes than it needs"},
		{"length_of_five_bytes", V311, "d0 ff ff ff ff 01", "more than four bytes"},
		{"connack_flags", V311, "21 02 00 00", "flags of the fixed header are 0x1"},
		{"pubrel_flags", V311, "60 02 00 01", "flags of the fixed header are 0x0"},
		{"connack_empty", V311, "20 00", "needs 1 bytes"},
		{"connack_short", V311, "20 01 00", "needs 1 bytes"},
		{"connack_long", V311, "20 03 00 00 00", "1 bytes too many"},
		{"connack_code_6", V311, "20 02 00 06", "code 0x06"},
		{"connack_reserved_flags", V311, "20 02 02 00", "acknowledge flags are 0x02"},
		{"connack_session_refused", V311, "20 02 01 05", "session present"},
		{"connack_5_code_of_311", V5, "20 03 00 05 00", "code 0x05"},
		{"connack_5_session_refused", V5, "20 03 01 87 00", "session present"},
		{"connack_5_length_lie", V5, "20 03 00 00 01", "properties needs 1 bytes, 0 are left"},
		{"connack_5_length_unfinished", V5, "20 03 00 00 80", "property length is cut off"},
		{"connack_5_length_overlong", V5, "20 04 00 00 80 00", "property length has more bytes than it needs"},
		{"connack_5_length_five_bytes", V5, "20 07 00 00 ff ff ff ff 01", "property length has more than four bytes"},
		{"connack_5_unknown_property", V5, "20 05 00 00 02 7f 00", "property 0x7f is not known"},
		{"connack_5_property_256", V5, "20 05 00 00 02 80 02", "property 0x100 is not known"},
		{"connack_5_foreign_property", V5, "20 06 00 00 03 23 00 01", "property 0x23 has no place"},
		{"connack_5_property_twice", V5, "20 07 00 00 04 24 00 24 00", "property 0x24 stands twice"},
		{"connack_5_property_cut", V5, "20 05 00 00 02 21 00", "property 0x21 needs 2 bytes"},
		{"connack_5_property_text_cut", V5, "20 07 00 00 04 1f 00 05 61", "property 0x1f needs 5 bytes"},
		{"connack_5_property_nul", V5, "20 07 00 00 04 1f 00 01 00", "U+0000"},
		{"connack_5_property_not_utf8", V5, "20 07 00 00 04 1f 00 01 ff", "UTF-8"},
		{"connack_5_user_property_surrogate", V5, "20 0b 00 00 08 26 0000 0003 ed a0 80", "UTF-8"},
		{"connack_5_receive_maximum_0", V5, "20 06 00 00 03 21 00 00", "property 0x21 is 0"},
		{"connack_5_maximum_qos_2", V5, "20 05 00 00 02 24 02", "property 0x24 is 2"},
		{"connack_5_data_without_method", V5, "20 06 00 00 03 16 00 00", "without a method"},
		{"publish_qos_3", V311, "36 05 0001 61 0001", "QoS is 3"},
		{"publish_dup_qos_0", V311, "38 03 0001 61", "DUP at QoS 0"},
		{"publish_id_0", V311, "32 05 0001 61 0000", "packet identifier is zero"},
		{"publish_id_missing", V311, "32 03 0001 61", "packet identifier needs 2 bytes"},
		{"publish_empty", V311, "30 00", "topic name length needs 2 bytes"},
		{"publish_topic_empty", V311, "30 02 0000", "topic name is empty"},
		{"publish_topic_lie", V311, "30 03 ffff 61", "topic name needs 65535 bytes, 1 are left"},
		{"publish_topic_wildcard", V311, "30 03 0001 23", "wildcard"},
		{"publish_topic_nul", V311, "30 03 0001 00", "U+0000"},
		{"publish_topic_not_utf8", V311, "30 04 0002 c0 80", "UTF-8"},
		{"publish_5_topic_empty", V5, "30 03 0000 00", "topic name is empty"},
		{"publish_5_wildcard_with_alias", V5, "30 07 0001 2b 03 23 0001", "wildcard"},
		{"publish_5_alias_0", V5, "30 06 0000 03 23 0000", "property 0x23 is 0"},
		{"publish_5_response_topic", V5, "30 08 0001 61 04 08 0001 23", "response topic"},
		{"publish_5_no_properties", V5, "30 03 0001 61", "property length is cut off"},
		{"publish_5_identifier_0", V5, "30 06 0001 61 02 0b 00", "property 0x0b is 0"},
		{"puback_id_0", V311, "40 02 0000", "packet identifier is zero"},
		{"puback_long", V311, "40 03 0001 00", "1 bytes too many"},
		{"puback_5_too_long", V5, "40 05 0001 00 00 00", "1 bytes too many"},
		{"suback_without_code", V311, "90 02 0001", "reason code needs 1 bytes"},
		{"suback_code", V311, "90 03 0001 03", "code 0x03"},
		{"suback_second_code", V311, "90 04 0001 00 7f", "code 0x7f"},
		{"suback_5_code", V5, "90 04 0001 00 03", "code 0x03"},
		{"unsuback_5_code", V5, "b0 04 0001 00 01", "code 0x01"},
		{"suback_5_without_code", V5, "90 03 0001 00", "reason code needs 1 bytes"},
		{"unsuback_long", V311, "b0 03 0001 00", "1 bytes too many"},
		{"unsuback_5_without_code", V5, "b0 03 0001 00", "reason code needs 1 bytes"},
		{"pingresp_long", V311, "d0 01 00", "1 bytes too many"},
		{"disconnect_5_expiry", V5, "e0 07 00 05 11 00000000", "may not set the session expiry"},
		{"auth_5_code_alone", V5, "f0 01 18", "property length is cut off"},
		{"auth_5_without_method", V5, "f0 02 18 00", "no authentication method"},
		{"auth_5_clients_code", V5, "f0 02 19 00", "code 0x19"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := decode(t, tt.version, unhex(t, tt.wire))
			require.ErrorIs(t, err, ErrMalformed)
			assert.NotErrorIs(t, err, ErrTooLarge)
			assert.ErrorContains(t, err, tt.want)
			assert.Nil(t, got)
			var m *MalformedError
			require.ErrorAs(t, err, &m)
			assert.Equal(t, Type(unhex(t, tt.wire)[0]>>4), m.Type)
		})
	}
}

// Whatever is cut off the end of a packet, with the remaining length put
// right, must not decode to the whole packet, and only to the shorter forms
// that the standard allows.
func TestDecodeTruncated(t *testing.T) {
	for name, whole := range map[string]string{
		"connack":    "20 10 00 00 0d 1f 0002 6869 26 0001 61 0002 6364",
		"suback":     "90 09 0001 05 1f 0002 6869 00",
		"disconnect": "e0 07 8e 05 1f 0002 6869",
	} {
		b := unhex(t, whole)
		_, err := decode(t, V5, b)
		require.NoError(t, err, name)
		for n := 2; n < len(b); n++ {
			cut := append([]byte{b[0], byte(n - 2)}, b[2:n]...)
			_, err := decode(t, V5, cut)
			switch {
			case name == "disconnect" && n <= 3: // without properties, without a code
				require.NoError(t, err)
			case name == "connack" && n == 4: // reads as one of MQTT 3.1.1
				require.NoError(t, err)
			default:
				require.ErrorIs(t, err, ErrMalformed, "%s cut to %d bytes", name, n)
			}
		}
	}
}

func TestRoundTrip(t *testing.T) {
	properties := Properties{
		{ID: PayloadFormatIndicator, Number: 1}, {ID: ContentType, Text: "тип"}, {ID: CorrelationData, Text: "\x00\xff"},
		{ID: UserProperty, Name: "n", Text: "v"}, {ID: UserProperty, Name: "n", Text: "v"}, {ID: TopicAlias, Number: 65535},
	}
	reason := Properties{{ID: ReasonString, Text: "because"}, {ID: UserProperty, Name: "", Text: ""}}
	tests := []struct {
		version Version
		packet  encodes
	}{
		{V311, Publish{QoS: 2, Retain: true, Dup: true, Topic: "a/b", PacketID: 65535, Payload: bytes.Repeat([]byte{0xfe}, 20_000)}},
		{V5, Publish{QoS: 1, Topic: "тема", PacketID: 1, Properties: properties, Payload: []byte("payload")}},
		{V5, Ack{Kind: PUBACK, PacketID: 1, Code: NotAuthorized, Properties: reason}},
		{V5, Ack{Kind: PUBREC, PacketID: 2, Properties: reason}},
		{V5, Ack{Kind: PUBREL, PacketID: 3, Code: PacketIdentifierNotFound}},
		{V5, Ack{Kind: PUBCOMP, PacketID: 4}},
		{V311, Ack{Kind: PUBREL, PacketID: 5}},
		{V5, Disconnect{Code: ProtocolError, Properties: reason}},
	}
	for _, tt := range tests {
		b, err := tt.packet.Encode(tt.version)
		require.NoError(t, err)
		got, err := decode(t, tt.version, b)
		require.NoError(t, err)
		assert.Equal(t, tt.packet, got)
	}
}

func TestCodes(t *testing.T) {
	tests := []struct {
		code   Code
		typ    Type
		v311   bool
		v5     bool
		failed bool
	}{
		{0x00, CONNACK, true, true, false},
		{0x05, CONNACK, true, false, false},
		{0x06, CONNACK, false, false, false},
		{0x87, CONNACK, false, true, true},
		{0x8e, CONNACK, false, false, true},
		{0x02, SUBACK, true, true, false},
		{0x80, SUBACK, true, true, true},
		{0xa2, SUBACK, false, true, true},
		{0x01, PUBACK, false, false, false},
		{0x10, PUBACK, false, true, false},
		{0x92, PUBCOMP, false, true, true},
		{0x04, DISCONNECT, false, false, false},
		{0x8e, DISCONNECT, false, true, true},
	}
	for _, tt := range tests {
		assert.Equal(t, tt.v311, tt.code.Listed(V311, tt.typ), "%02x in %s", tt.code, tt.typ)
		assert.Equal(t, tt.v5, tt.code.Listed(V5, tt.typ), "%02x in %s", tt.code, tt.typ)
		assert.Equal(t, tt.failed, tt.code.Failed())
	}
}

func TestProperties(t *testing.T) {
	p := Properties{
		{ID: ReasonString, Text: "r"}, {ID: UserProperty, Name: "a", Text: "1"}, {ID: ServerKeepAlive},
		{ID: UserProperty, Name: "a", Text: "2"},
	}
	text, ok := p.Text(ReasonString)
	assert.True(t, ok)
	assert.Equal(t, "r", text)
	number, ok := p.Number(ServerKeepAlive)
	assert.True(t, ok)
	assert.Zero(t, number)
	_, ok = p.Number(ReceiveMaximum)
	assert.False(t, ok)
	_, ok = p.Text(ServerReference)
	assert.False(t, ok)
	assert.Equal(t, []Property{p[1], p[3]}, p.User())
	assert.Len(t, p, 4)
}

// The reason is shown to people, so it must hold nothing of the broker's.
func TestReasonHoldsNoBrokerBytes(t *testing.T) {
	for _, packet := range []string{
		"\x30\x0e\x00\x0b\x1b[31mevil/#\x00", "\x20\x0b\x00\x00\x08\x1f\x00\x05\x1b]0;\xff", "\x20\x07\x00\x00\x04\x7f\x1b[m",
	} {
		_, err := decode(t, V5, []byte(packet))
		require.ErrorIs(t, err, ErrMalformed)
		assert.NotContains(t, err.Error(), "\x1b")
		assert.NotContains(t, err.Error(), "evil")
	}
}

func TestNames(t *testing.T) {
	assert.Equal(t, "3.1.1", V311.String())
	assert.Equal(t, "5", V5.String())
	assert.Equal(t, "level 99", Version(99).String())
	assert.Equal(t, "CONNECT", CONNECT.String())
	assert.Equal(t, "AUTH", AUTH.String())
	assert.Equal(t, "reserved", Type(0).String())
	assert.Equal(t, "unexpected AUTH instead of CONNACK", (&UnexpectedError{AUTH, CONNACK}).Error())
	assert.Equal(t, "unexpected CONNACK", (&UnexpectedError{Got: CONNACK}).Error())
}
