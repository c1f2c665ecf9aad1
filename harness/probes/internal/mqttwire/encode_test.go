package mqttwire

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// wire writes out a packet by hand. Spaces part the fields and are dropped;
// an underscore stands for a space.
func wire(parts ...string) []byte {
	s := strings.ReplaceAll(strings.Join(parts, ""), " ", "")
	return []byte(strings.ReplaceAll(s, "_", " "))
}

func TestConnectLayout(t *testing.T) {
	tests := []struct {
		name     string
		connect  Connect
		want     []byte
		password Span
	}{
		{
			"least", Connect{Version: V311, ClientID: "c"},
			wire("\x10\x0d \x00\x04MQTT \x04 \x00 \x00\x00 \x00\x01c"), Span{},
		},
		{
			"clean_session", Connect{Version: V311, CleanStart: true, KeepAlive: 0x0102},
			wire("\x10\x0c \x00\x04MQTT \x04 \x02 \x01\x02 \x00\x00"), Span{},
		},
		{
			"user_name", Connect{Version: V311, ClientID: "c", UserName: new("u")},
			wire("\x10\x10 \x00\x04MQTT \x04 \x80 \x00\x00 \x00\x01c \x00\x01u"), Span{},
		},
		{
			"password", Connect{Version: V311, ClientID: "c", UserName: new("u"), Password: new("pass"), CleanStart: true},
			wire("\x10\x16 \x00\x04MQTT \x04 \xc2 \x00\x00 \x00\x01c \x00\x01u \x00\x04pass"), Span{20, 4},
		},
		{
			"empty_password", Connect{Version: V311, ClientID: "c", UserName: new(""), Password: new("")},
			wire("\x10\x11 \x00\x04MQTT \x04 \xc0 \x00\x00 \x00\x01c \x00\x00 \x00\x00"), Span{},
		},
		{
			"version_5", Connect{Version: V5, ClientID: "c"},
			wire("\x10\x0e \x00\x04MQTT \x05 \x00 \x00\x00 \x00 \x00\x01c"), Span{},
		},
		{
			"version_5_password_alone", Connect{Version: V5, ClientID: "c", Password: new("p")},
			wire("\x10\x11 \x00\x04MQTT \x05 \x40 \x00\x00 \x00 \x00\x01c \x00\x01p"), Span{18, 1},
		},
		{
			"version_5_properties",
			Connect{Version: V5, ClientID: "c", Properties: Properties{
				{ID: SessionExpiryInterval, Number: 7}, {ID: ReceiveMaximum, Number: 300}, {ID: RequestProblemInformation, Number: 1},
				{ID: UserProperty, Name: "a", Text: "b"}, {ID: UserProperty, Name: "a", Text: ""},
			}},
			wire("\x10\x25 \x00\x04MQTT \x05 \x00 \x00\x00 \x17 \x11\x00\x00\x00\x07 \x21\x01\x2c \x17\x01",
				"\x26\x00\x01a\x00\x01b \x26\x00\x01a\x00\x00 \x00\x01c"), Span{},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, password, err := tt.connect.Encode()
			require.NoError(t, err)
			assert.Equal(t, tt.want, got)
			assert.Equal(t, tt.password, password)
			if tt.connect.Password != nil {
				assert.Equal(t, *tt.connect.Password, string(got[password.Offset:][:password.Length])[:len(*tt.connect.Password)])
			}
		})
	}
}

func TestPasswordSpanUnderALongHeader(t *testing.T) {
	secret := strings.Repeat("s", 300)
	packet, span, err := Connect{Version: V5, ClientID: "c", UserName: new("sss"), Password: &secret}.Encode()
	require.NoError(t, err)
	assert.Equal(t, secret, string(packet[span.Offset:span.Offset+span.Length]))
	assert.Len(t, packet, int(span.Offset+span.Length))
}

// encodes is an encoding of any packet but CONNECT.
type encodes interface {
	Encode(Version) ([]byte, error)
}

func TestClientPacketLayout(t *testing.T) {
	tests := []struct {
		name    string
		version Version
		packet  encodes
		want    []byte
	}{
		{"publish_qos_0", V311, Publish{Topic: "a/b", Payload: []byte("hi")}, wire("\x30\x07 \x00\x03a/b hi")},
		{"publish_qos_1_retain", V311, Publish{QoS: 1, Retain: true, Topic: "a", PacketID: 10}, wire("\x33\x05 \x00\x01a \x00\x0a")},
		{"publish_qos_2_dup", V311, Publish{QoS: 2, Dup: true, Topic: "a", PacketID: 10}, wire("\x3c\x05 \x00\x01a \x00\x0a")},
		{"publish_5", V5, Publish{Topic: "a", Payload: []byte("hi")}, wire("\x30\x06 \x00\x01a \x00 hi")},
		{
			"publish_5_properties", V5,
			Publish{QoS: 1, Topic: "a", PacketID: 1, Properties: Properties{
				{ID: PayloadFormatIndicator, Number: 1}, {ID: MessageExpiryInterval, Number: 60}, {ID: ContentType, Text: "t"},
				{ID: CorrelationData, Text: "\x00\xff"}, {ID: TopicAlias, Number: 2},
			}},
			wire("\x32\x19 \x00\x01a \x00\x01 \x13 \x01\x01 \x02\x00\x00\x00\x3c \x03\x00\x01t \x09\x00\x02\x00\xff \x23\x00\x02"),
		},
		{"puback", V311, Ack{Kind: PUBACK, PacketID: 1}, wire("\x40\x02 \x00\x01")},
		{"pubrec", V311, Ack{Kind: PUBREC, PacketID: 1}, wire("\x50\x02 \x00\x01")},
		{"pubrel", V311, Ack{Kind: PUBREL, PacketID: 1}, wire("\x62\x02 \x00\x01")},
		{"pubcomp", V311, Ack{Kind: PUBCOMP, PacketID: 0xfff0}, wire("\x70\x02 \xff\xf0")},
		{"puback_5", V5, Ack{Kind: PUBACK, PacketID: 1}, wire("\x40\x02 \x00\x01")},
		{"pubcomp_5_code", V5, Ack{Kind: PUBCOMP, PacketID: 1, Code: PacketIdentifierNotFound}, wire("\x70\x03 \x00\x01 \x92")},
		{
			"pubrel_5_reason", V5, Ack{Kind: PUBREL, PacketID: 1, Properties: Properties{{ID: ReasonString, Text: "r"}}},
			wire("\x62\x08 \x00\x01 \x00 \x04 \x1f\x00\x01r"),
		},
		{
			"subscribe", V311, Subscribe{PacketID: 1, Filters: []Filter{{Topic: "#"}, {Topic: "+/#", QoS: 2}}},
			wire("\x82\x0c \x00\x01 \x00\x01# \x00 \x00\x03+/# \x02"),
		},
		{
			"subscribe_5", V5,
			Subscribe{
				PacketID: 1, Properties: Properties{{ID: SubscriptionIdentifier, Number: 300}},
				Filters: []Filter{{Topic: "a", QoS: 1, NoLocal: true, RetainAsPublished: true, RetainHandling: 2}},
			},
			wire("\x82\x0a \x00\x01 \x03 \x0b\xac\x02 \x00\x01a \x2d"),
		},
		{"unsubscribe", V311, Unsubscribe{PacketID: 2, Topics: []string{"a", "#"}}, wire("\xa2\x08 \x00\x02 \x00\x01a \x00\x01#")},
		{"unsubscribe_5", V5, Unsubscribe{PacketID: 2, Topics: []string{"a"}}, wire("\xa2\x06 \x00\x02 \x00 \x00\x01a")},
		{"disconnect", V311, Disconnect{}, wire("\xe0\x00")},
		{"disconnect_5", V5, Disconnect{}, wire("\xe0\x00")},
		{"disconnect_5_code", V5, Disconnect{Code: ProtocolError}, wire("\xe0\x01 \x82")},
		{
			"disconnect_5_expiry", V5, Disconnect{Properties: Properties{{ID: SessionExpiryInterval}}},
			wire("\xe0\x07 \x00 \x05 \x11\x00\x00\x00\x00"),
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.packet.Encode(tt.version)
			require.NoError(t, err)
			assert.Equal(t, tt.want, got)
		})
	}
	assert.Equal(t, wire("\xc0\x00"), EncodePingReq())
}

func TestEncodeRefuses(t *testing.T) {
	long := strings.Repeat("x", 1<<16)
	one := []Filter{{Topic: "a"}}
	tests := []struct {
		name    string
		version Version
		packet  encodes
		want    string
	}{
		{"publish_qos_3", V311, Publish{QoS: 3, Topic: "a", PacketID: 1}, "QoS is 3"},
		{"publish_without_topic", V311, Publish{}, "empty"},
		{"publish_to_wildcard", V5, Publish{Topic: "a/+"}, "wildcard"},
		{"publish_id_0", V311, Publish{QoS: 1, Topic: "a"}, "zero"},
		{"publish_long_topic", V311, Publish{Topic: long}, "65536 bytes"},
		{"publish_nul", V311, Publish{Topic: "a\x00"}, "U+0000"},
		{"publish_not_utf8", V311, Publish{Topic: "\xff"}, "UTF-8"},
		{"publish_properties_311", V311, Publish{Topic: "a", Properties: Properties{{ID: TopicAlias, Number: 1}}}, "3.1.1"},
		{"publish_foreign_property", V5, Publish{Topic: "a", Properties: Properties{{ID: ReceiveMaximum, Number: 1}}}, "0x21 has no place"},
		{"publish_unknown_property", V5, Publish{Topic: "a", Properties: Properties{{ID: 0x7f}}}, "0x7f has no place"},
		{"publish_alias_0", V5, Publish{Topic: "a", Properties: Properties{{ID: TopicAlias}}}, "not 1 to"},
		{"publish_property_twice", V5, Publish{Topic: "a", Properties: Properties{{ID: TopicAlias, Number: 1}, {ID: TopicAlias, Number: 1}}}, "twice"},
		{"subscribe_nothing", V311, Subscribe{PacketID: 1}, "no topic filter"},
		{"subscribe_empty", V311, Subscribe{PacketID: 1, Filters: []Filter{{}}}, "empty"},
		{"subscribe_id_0", V311, Subscribe{Filters: one}, "zero"},
		{"subscribe_qos_3", V311, Subscribe{PacketID: 1, Filters: []Filter{{Topic: "a", QoS: 3}}}, "QoS 3"},
		{"subscribe_options_311", V311, Subscribe{PacketID: 1, Filters: []Filter{{Topic: "a", NoLocal: true}}}, "3.1.1"},
		{"subscribe_identifier_0", V5, Subscribe{PacketID: 1, Filters: one, Properties: Properties{{ID: SubscriptionIdentifier}}}, "not 1 to"},
		{"subscribe_identifier_large", V5, Subscribe{PacketID: 1, Filters: one, Properties: Properties{{ID: SubscriptionIdentifier, Number: 1 << 28}}}, "not 1 to"},
		{"unsubscribe_nothing", V311, Unsubscribe{PacketID: 1}, "no topic filter"},
		{"ack_of_another_type", V311, Ack{Kind: SUBACK, PacketID: 1}, "acknowledges no PUBLISH"},
		{"ack_code_311", V311, Ack{Kind: PUBACK, PacketID: 1, Code: 0x80}, "3.1.1"},
		{"disconnect_code_311", V311, Disconnect{Code: 0x80}, "3.1.1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.packet.Encode(tt.version)
			assert.ErrorContains(t, err, tt.want)
			assert.Nil(t, got)
		})
	}
	for name, c := range map[string]Connect{
		"password without user name": {Version: V311, Password: new("p")},
		"level 3 is not spoken":      {Version: 3},
		"65536 bytes":                {Version: V311, ClientID: long},
		"in MQTT 3.1.1":              {Version: V311, Properties: Properties{{ID: ReceiveMaximum, Number: 1}}},
		"user name is":               {Version: V5, UserName: new("\xff")},
	} {
		packet, _, err := c.Encode()
		assert.ErrorContains(t, err, name)
		assert.Nil(t, packet)
	}
}

func TestEncodeRefusesMoreThanALengthHolds(t *testing.T) {
	_, err := Publish{Topic: "a", Payload: make([]byte, maxVarint)}.Encode(V311)
	assert.ErrorContains(t, err, "remaining length")
}
