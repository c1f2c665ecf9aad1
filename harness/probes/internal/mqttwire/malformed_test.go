package mqttwire

import (
	"crypto/sha256"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// A change of the corpus changes what a stored run means, so it needs a new
// CorpusVersion, and then a new hash here.
func TestCorpusIsThatOfItsVersion(t *testing.T) {
	h := sha256.New()
	for _, p := range Malformed() {
		fmt.Fprintf(h, "%s %d %t %t %x\n", p.Name, p.Version, p.AfterConnect, p.Credentials, p.Bytes)
	}
	assert.Equal(t, 1, CorpusVersion)
	assert.Equal(t, "1ccd76ae16b768508099b23b53d0a0998d966e027a1ca9818fa307641e050789", fmt.Sprintf("%x", h.Sum(nil)))
}

func TestCorpusIsBounded(t *testing.T) {
	corpus := Malformed()
	assert.GreaterOrEqual(t, len(corpus), 40)
	names, contents := map[string]bool{}, map[string]bool{}
	stable := regexp.MustCompile(`^[a-z0-9-]+$`)
	for _, p := range corpus {
		assert.Regexp(t, stable, p.Name)
		assert.False(t, names[p.Name], "name %s stands twice", p.Name)
		key := fmt.Sprint(p.Version, p.AfterConnect, string(p.Bytes))
		assert.False(t, contents[key], "%s repeats another", p.Name)
		names[p.Name], contents[key] = true, true
		assert.NotEmpty(t, p.Bytes)
		assert.LessOrEqual(t, len(p.Bytes), MaxMalformed)
		assert.Contains(t, []Version{V311, V5}, p.Version)
	}
}

// A run that stops after forty has met each type that clients send, both
// versions, and both moments.
func TestCorpusBeginsWithEachKind(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range Malformed()[:40] {
		seen[fmt.Sprint(p.Version, p.AfterConnect)] = true
		seen[Type(p.Bytes[0]>>4).String()] = true
	}
	for _, want := range []string{
		"3.1.1 true", "3.1.1 false", "5 true", "5 false", "reserved", "CONNECT", "PUBLISH", "PUBREL", "SUBSCRIBE", "UNSUBSCRIBE",
		"PINGREQ", "AUTH",
	} {
		assert.True(t, seen[want], want)
	}
}

// Nobody can change the corpus of the next caller.
func TestCorpusIsFresh(t *testing.T) {
	first := Malformed()
	first[0].Bytes[0] = 0xaa
	first[1].Name = "changed"
	assert.NotEqual(t, first[0].Bytes, Malformed()[0].Bytes)
	assert.NotEqual(t, first[1].Name, Malformed()[1].Name)
}

// What a careless broker could pass on or keep is our own canary topic, and
// never retained.
func TestCorpusLeavesNoTrace(t *testing.T) {
	for _, p := range Malformed() {
		text := string(p.Bytes)
		if Type(p.Bytes[0]>>4) == PUBLISH {
			assert.Zero(t, p.Bytes[0]&0x01, "%s is retained", p.Name)
			named := strings.Contains(text, "assay/mal") || strings.Contains(text, "canary") || len(text) == 2
			assert.True(t, named, "%s names another topic", p.Name)
		}
		if p.AfterConnect || Type(p.Bytes[0]>>4) != CONNECT || !strings.Contains(text, mqttName) {
			continue
		}
		flags := text[strings.Index(text, mqttName)+len(mqttName)+1]
		assert.NotZero(t, flags&0x02, "%s may leave a session", p.Name)
		if flags&0x24 == 0x24 {
			t.Errorf("%s leaves a retained will", p.Name)
		}
	}
}

func TestCorpusMarksCredentials(t *testing.T) {
	var marked []string
	for _, p := range Malformed() {
		if p.Credentials {
			marked = append(marked, p.Name)
		}
	}
	slices.Sort(marked)
	assert.Equal(t, []string{"connect-password-missing", "connect-password-without-user-name", "connect-user-name-invalid-utf8"}, marked)
}

// No packet of the corpus is one that a client may send, as far as our own
// encoder makes such packets.
func TestCorpusHoldsNothingThatTheEncoderMakes(t *testing.T) {
	sound := map[string]bool{string(EncodePingReq()): true}
	for _, v := range []Version{V311, V5} {
		connect, _, err := Connect{Version: v, ClientID: "assay-malformed", CleanStart: true, KeepAlive: 60}.Encode()
		assert.NoError(t, err)
		sound[string(connect)] = true
		for _, e := range []encodes{
			Publish{Topic: "assay/malformed", Payload: []byte("canary")}, Publish{QoS: 1, Topic: "assay/malformed", PacketID: 1},
			Subscribe{PacketID: 1, Filters: []Filter{{Topic: "assay/malformed"}}},
			Unsubscribe{PacketID: 1, Topics: []string{"assay/malformed"}}, Disconnect{},
		} {
			packet, err := e.Encode(v)
			assert.NoError(t, err)
			sound[string(packet)] = true
		}
	}
	for _, p := range Malformed() {
		misplaced := p.AfterConnect == (Type(p.Bytes[0]>>4) == CONNECT) // sound but for the moment
		assert.True(t, misplaced || !sound[string(p.Bytes)], p.Name)
	}
}
