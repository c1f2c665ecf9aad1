package mqttwire

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"testing"
	"testing/iotest"
)

// FuzzReader reads any bytes as a broker's, at once and byte by byte. The
// packets are the same, lie end to end in what was received, and stay in the
// limits; errors are of the kinds that are documented.
func FuzzReader(f *testing.F) {
	for _, seed := range []string{
		"", "\x20\x02\x00\x00", "\x20\x03\x00\x00\x00\x30\x05\x00\x01a\x00x\xd0\x00", "\x30\xff\xff\xff\x7f",
		"\x30\xff\xff\xff\xff\x7f", "\x62\x02\x00\x01\xe0\x02\x8e\x00", "\x90\x04\x00\x01\x00\x87\xb0\x02\x00\x01",
	} {
		f.Add([]byte(seed), true)
		f.Add([]byte(seed), false)
	}
	for _, p := range Malformed() {
		f.Add(p.Bytes, p.Version == V5)
	}
	limits := Limits{PacketBytes: 4096, TotalBytes: 8192}
	f.Fuzz(func(t *testing.T, b []byte, five bool) {
		v := V311
		if five {
			v = V5
		}
		once := NewReader(bytes.NewReader(b), v, limits)
		slow := NewReader(iotest.OneByteReader(bytes.NewReader(b)), v, limits)
		for at := int64(0); ; {
			got, err := once.Next()
			again, errAgain := slow.Next()
			if !reflect.DeepEqual(got, again) || !reflect.DeepEqual(err, errAgain) {
				t.Fatalf("at once %v, %v; byte by byte %v, %v", got, err, again, errAgain)
			}
			if err != nil {
				known(t, err)
				return
			}
			if got.Span.Offset != at || got.Span.Length > int64(limits.PacketBytes) {
				t.Fatalf("packet at %v after %d bytes", got.Span, at)
			}
			at += got.Span.Length
			understood(t, v, got)
		}
	})
}

func known(t *testing.T, err error) {
	for _, want := range []error{io.EOF, io.ErrUnexpectedEOF, ErrMalformed, ErrTooLarge} {
		if errors.Is(err, want) {
			return
		}
	}
	t.Fatalf("error of no documented kind: %v", err)
}

// understood decodes a frame. What we can encode as well must come back as the
// same packet.
func understood(t *testing.T, v Version, f Frame) {
	p, err := f.Decode(v)
	if err != nil {
		if p != nil || !errors.Is(err, ErrMalformed) {
			t.Fatalf("%v, %v", p, err)
		}
		return
	}
	if p.Type() != f.Type {
		t.Fatalf("%s decoded as %s", f.Type, p.Type())
	}
	e, ok := p.(encodes)
	if publish, is := p.(Publish); !ok || is && publish.Topic == "" {
		return // only brokers send it, or only with an alias
	}
	b, err := e.Encode(v)
	if err != nil {
		t.Fatalf("%+v cannot be encoded: %v", p, err)
	}
	g, err := NewReader(bytes.NewReader(b), v, Limits{}).Next()
	if err != nil {
		t.Fatal(err)
	}
	if again, err := g.Decode(v); err != nil || !reflect.DeepEqual(again, p) {
		t.Fatalf("%+v came back as %+v, %v", p, again, err)
	}
}

// FuzzConnack decodes any body as a CONNACK. What is accepted keeps to the
// promises that callers rest on.
func FuzzConnack(f *testing.F) {
	for _, seed := range []string{
		"\x00\x00", "\x01\x00", "\x00\x05", "\x00\x00\x00", "\x00\x87\x00", "\x00\x00\x03\x21\x00\x05",
		"\x00\x86\x08\x1f\x00\x05wrong", "\x01\x00\x07\x26\x00\x01a\x00\x01b", "\x00\x00\xff\xff\xff\x7f",
		"\x00\x00\x08\x15\x00\x01m\x16\x00\x01d",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, v := range []Version{V311, V5} {
			p, err := Frame{Type: CONNACK, Body: body}.Decode(v)
			if err != nil {
				if !errors.Is(err, ErrMalformed) {
					t.Fatal(err)
				}
				continue
			}
			promised(t, v, p.(ConnAck), body)
		}
	})
}

func promised(t *testing.T, v Version, c ConnAck, body []byte) {
	switch {
	case c.Code != Code(body[1]) || c.SessionPresent != (body[0] == 1):
		t.Fatalf("%+v from % x", c, body)
	case (len(body) == 2) != (c.Version == V311):
		t.Fatalf("%d bytes are of MQTT %s", len(body), c.Version)
	case v == V311 && (c.Version != V311 || c.Code > NotAuthorized311):
		t.Fatalf("%+v in MQTT 3.1.1", c)
	case c.SessionPresent && !c.Accepted():
		t.Fatalf("%+v keeps a session of a client that it refuses", c)
	}
	for i, p := range c.Properties {
		if r := rules[p.ID]; r.kind != stringPair && c.Properties.index(p.ID) != i {
			t.Fatalf("property 0x%02x stands twice", byte(p.ID))
		}
	}
}
