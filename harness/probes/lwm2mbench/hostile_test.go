package lwm2mbench

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/internal/coapwire"
	"github.com/assay-iot/assay/harness/probes/internal/dtlswire"
)

const here = "127.0.0.1:0"

// registration is a registration as it is sent.
func registration(t *testing.T, id uint16, change ...func(*coapwire.Message)) []byte {
	t.Helper()
	m := coapwire.Message{Code: coapwire.POST, ID: id, Token: []byte{byte(id)}, Options: coapwire.PathOptions("/rd?ep=m&lt=60"), Payload: []byte(objects)}
	for _, f := range change {
		f(&m)
	}
	m.Sort()
	b, err := m.Encode()
	require.NoError(t, err)
	return b
}

func answerOf(t *testing.T, b []byte) coapwire.Message {
	t.Helper()
	m, err := coapwire.Decode(b)
	require.NoError(t, err)
	return m
}

// What is sent again is answered as before, and is one request.
func TestSentAgain(t *testing.T) {
	r := newRig(t)
	c := raw(t, here, r.server)
	first := said(t, c, registration(t, 7))
	assert.Equal(t, first, said(t, c, registration(t, 7)))
	next := said(t, c, registration(t, 8))
	assert.NotEqual(t, first[4:], next[4:])
	m := answerOf(t, first)
	assert.Equal(t, []any{coapwire.Acknowledgement, coapwire.Created, uint16(7)}, []any{m.Type, m.Code, m.ID})
	d := r.at(t, Server).Dialogues[0]
	require.Len(t, d.Requests, 2)
	assert.Equal(t, []int{2, 1}, []int{d.Requests[0].Times, d.Requests[1].Times})
}

// A registration in blocks is one request, and whole with its last block alone.
func TestInBlocks(t *testing.T) {
	block := func(num uint32, more bool) func(*coapwire.Message) {
		return func(m *coapwire.Message) {
			m.Options = append(m.Options, coapwire.Block{Num: num, More: more}.Option(coapwire.Block1))
			m.Payload = []byte("</1/0>,</3/0>,<>")
		}
	}
	r := newRig(t)
	c := raw(t, here, r.server)
	assert.Equal(t, coapwire.Continue, answerOf(t, said(t, c, registration(t, 1, block(0, true)))).Code)
	assert.Equal(t, coapwire.Continue, answerOf(t, said(t, c, registration(t, 2, block(1, true)))).Code)
	last := answerOf(t, said(t, c, registration(t, 3, block(2, false))))
	assert.Equal(t, coapwire.Created, last.Code)
	assert.True(t, last.Has(coapwire.Block1))
	assert.Equal(t, coapwire.Continue, answerOf(t, said(t, c, registration(t, 4, block(0, true)))).Code)
	d := r.at(t, Server).Dialogues[0]
	require.Len(t, d.Requests, 2)
	assert.Equal(t, []any{3, evidence.Yes, Code("2.01")}, []any{d.Requests[0].Blocks, d.Requests[0].Whole, d.Requests[0].Answer})
	assert.Equal(t, []any{1, evidence.No, Code("2.31")}, []any{d.Requests[1].Blocks, d.Requests[1].Whole, d.Requests[1].Answer})
}

// The declared key is found however it is written, and nothing of it is kept.
func TestSecretsInClear(t *testing.T) {
	const token = "f3b91c7e5a2d48c6"
	for name, written := range map[string]string{
		"raw": psk, "hex": hex.EncodeToString([]byte(psk)), "capitals": strings.ToUpper(hex.EncodeToString([]byte(psk))),
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			said(t, raw(t, here, r.server), registration(t, 1, func(m *coapwire.Message) {
				m.Payload = []byte(`{"psk":"` + written + `","token":"` + token + `"}`)
			}))
			e, err := r.ended(t)
			require.NoError(t, err)
			q := e.Roles[1].Dialogues[0].Requests[0]
			assert.Equal(t, evidence.Yes, q.Key)
			assert.NotEmpty(t, q.Secrets)
			data, err := evidence.Encode(evidence.Masked(e, r.Input.Mask))
			require.NoError(t, err)
			for _, secret := range []string{written, token} {
				assert.NotContains(t, string(data), secret)
				assert.NotContains(t, r.Transcript(), secret)
			}
		})
	}
}

// What is protected by OSCORE is recorded and not answered: nobody but the real
// server could.
func TestOSCORE(t *testing.T) {
	r := newRig(t)
	c := raw(t, here, r.server)
	_, err := c.Write(registration(t, 1, func(m *coapwire.Message) {
		m.Options = []coapwire.Option{{Number: coapwire.OSCORE, Value: []byte{0x09, 0x14, 0x01}}}
	}))
	require.NoError(t, err)
	assert.Equal(t, coapwire.Reset, answerOf(t, said(t, c, []byte{0x40, 0, 0, 9})).Type, "a ping is answered")
	got := r.at(t, Server)
	assert.Equal(t, []Kind{Protected}, kinds(got.Dialogues[0]))
	assert.Equal(t, []any{evidence.Yes, Code("")}, []any{got.Dialogues[0].Requests[0].OSCORE, got.Dialogues[0].Requests[0].Answer})
	assert.Equal(t, []int{0, 0}, []int{got.InClear(), got.Inside()})
}

// A message that has to be refused is refused, and was sent all the same.
func TestUnknownCriticalOption(t *testing.T) {
	r := newRig(t)
	got := answerOf(t, said(t, raw(t, here, r.server), registration(t, 1, func(m *coapwire.Message) {
		m.Type = coapwire.NonConfirmable
		m.Options = append(m.Options, coapwire.Text(65001, "x"))
	})))
	assert.Equal(t, []any{coapwire.NonConfirmable, coapwire.BadOption}, []any{got.Type, got.Code})
	assert.Equal(t, 1, r.at(t, Server).InClear())
}

func TestGarbage(t *testing.T) {
	r := newRig(t)
	c := raw(t, here, r.server)
	for _, b := range [][]byte{{0}, {0xff, 0xff}, {0x40}, bytes.Repeat([]byte{0x4f}, 900), {0x60, 0x44, 0, 1}, []byte("GET / HTTP/1.1\r\n\r\n")} {
		_, err := c.Write(b)
		require.NoError(t, err)
	}
	assert.Equal(t, coapwire.Created, answerOf(t, said(t, c, registration(t, 1))).Code, "it serves on")
	d := r.at(t, Server).Dialogues[0]
	assert.Equal(t, []int{5, 1}, []int{d.Malformed, len(d.Requests)})
}

// Handshakes that stop half way hold nothing up, and stay on record as such.
func TestHalfAHandshake(t *testing.T) {
	r := newRig(t)
	for _, b := range [][]byte{dtlswire.Question(), bytes.Repeat([]byte{22}, 700), {20}, {22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1}} {
		_, err := raw(t, here, r.server).Write(b)
		require.NoError(t, err)
	}
	c, err := secured(t, r.server, identity, psk)
	require.NoError(t, err)
	registers(t, c)
	begun := time.Now()
	got := r.at(t, Server)
	assert.Less(t, time.Since(begun), putAway)
	require.Len(t, got.Dialogues, 5)
	for _, d := range got.Dialogues[:4] {
		assert.Equal(t, DTLS, d.Channel)
		assert.NotEqual(t, Opened, d.Handshake.Outcome)
		assert.Equal(t, evidence.Unknown, d.Handshake.Known)
	}
	assert.Equal(t, 1, got.Inside())
}

// One port that speaks both is caught doing so.
func TestBothFromOnePort(t *testing.T) {
	r := newRig(t)
	c := raw(t, here, r.server)
	_, err := c.Write(dtlswire.Question())
	require.NoError(t, err)
	b := make([]byte, 2048)
	_, err = c.Read(b)
	require.NoError(t, err)
	require.True(t, dtlswire.Recognise(b), "the server asks for a cookie")
	said(t, c, registration(t, 1))
	said(t, c, registration(t, 2))
	got := r.at(t, Server)
	require.Len(t, got.Dialogues, 2)
	assert.Equal(t, got.Dialogues[0].Peer, got.Dialogues[1].Peer)
	assert.Equal(t, 2, got.InClear())
}

// A device that restarts and uses the same port again is served anew.
func TestAnewFromTheSamePort(t *testing.T) {
	r := newRig(t)
	from := free(t).String()
	for range 2 {
		udp := raw(t, from, r.server)
		c, err := over(t, udp, identity, psk)
		require.NoError(t, err)
		registers(t, c)
		require.NoError(t, udp.Close()) // gone without a farewell
	}
	assert.Equal(t, 2, r.at(t, Server).Inside())
}

// What comes from another address is no word of the device.
func TestOthersAreNotHeard(t *testing.T) {
	r := newRig(t)
	_, err := raw(t, "127.0.0.77:0", r.server).Write(registration(t, 1))
	require.NoError(t, err)
	said(t, raw(t, here, r.server), registration(t, 2))
	got := r.at(t, Server)
	assert.Equal(t, int64(1), got.Strangers)
	assert.Len(t, got.Dialogues, 1)
}

// A device that floods us costs no more than is allowed, and what was not heard
// is said.
func TestFlood(t *testing.T) {
	for name, flood := range map[string]func(*testing.T, *rig){
		"requests": func(t *testing.T, r *rig) {
			c := raw(t, here, r.server)
			for i := range 600 {
				_, err := c.Write(registration(t, uint16(i), func(m *coapwire.Message) { m.Payload = bytes.Repeat([]byte("x"), 1000) }))
				require.NoError(t, err)
			}
		},
		"patiently": func(t *testing.T, r *rig) {
			c := raw(t, here, r.server)
			b := make([]byte, 100)
			for i := range 400 { // each waits for its answer, until there is none any more
				_, err := c.Write(registration(t, uint16(i), func(m *coapwire.Message) { m.Payload = bytes.Repeat([]byte("x"), 1000) }))
				require.NoError(t, err)
				require.NoError(t, c.SetReadDeadline(time.Now().Add(300*time.Millisecond)))
				if _, err := c.Read(b); err != nil {
					return
				}
			}
			t.Error("more than the cap was heard")
		},
		"ports": func(t *testing.T, r *rig) {
			for i := range mostPeers + 20 {
				_, err := raw(t, here, r.server).Write(registration(t, uint16(i)))
				require.NoError(t, err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			flood(t, r)
			e, err := r.ended(t)
			_, ok := errors.AsType[*probe.Partial](err)
			require.True(t, ok, "%v", err)
			got := e.Roles[1]
			assert.LessOrEqual(t, len(got.Dialogues), mostPeers)
			assert.GreaterOrEqual(t, got.InClear(), 2, "what was seen stands")
			for _, d := range got.Dialogues {
				assert.LessOrEqual(t, len(d.Requests), mostRequests)
				assert.LessOrEqual(t, d.Span.Length, int64(256<<10))
			}
			data, err := evidence.Encode(e)
			require.NoError(t, err)
			assert.Less(t, len(data), evidence.MaxRecord/4)
		})
	}
}

func FuzzDialogue(f *testing.F) {
	f.Add([]byte{0x40, 2, 0, 1})
	f.Add([]byte("\x41\x02\x00\x01\x01\xb2rd\x44ep=m\xff</1/0>"))
	f.Add([]byte("\x40\x02\x00\x01\xb2rd\xd1\x03\x08"))
	f.Fuzz(func(t *testing.T, b []byte) {
		e := Dialogue{Channel: Clear}
		hide := func(c evidence.SecretClass, b []byte) evidence.Secret { return evidence.Hide(nil, c, b) }
		d := &dialogue{desk: newDesk(), look: newLooker(hide, []byte(psk)), note: func(change func(*Dialogue)) { change(&e) }}
		for range 2 {
			if reply := d.take(b, evidence.Span{}); reply != nil {
				if _, err := coapwire.Decode(reply); err != nil {
					t.Errorf("the answer to %x is %x: %v", b, reply, err)
				}
			}
		}
		if len(e.Requests)+e.Malformed > 2 {
			t.Errorf("%d requests, %d malformed of two datagrams", len(e.Requests), e.Malformed)
		}
		if len(e.Requests) == 1 && e.Requests[0].Times != 2 {
			t.Error("sent twice, seen", e.Requests[0].Times)
		}
	})
}
