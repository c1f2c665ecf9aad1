package coapwire_test

import (
	"bytes"
	"testing"

	. "github.com/assay-iot/assay/harness/probes/internal/coapwire"
)

func FuzzDecode(f *testing.F) {
	for _, b := range MalformedDatagrams() {
		f.Add(b.Bytes)
	}
	f.Add([]byte("\x61\x45\x00\x02t\xc1\x28\xff<>"))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Decode(b)
		if err != nil {
			return
		}
		again, err := m.Encode()
		if err != nil || !bytes.Equal(b, again) {
			t.Errorf("%x is read and written as %x, %v", b, again, err)
		}
		if o, ok := m.Get(Block2); ok {
			_, _ = BlockOf(o)
		}
		m.BadCritical()
		_ = m.Path()
	})
}

func FuzzStream(f *testing.F) {
	for _, b := range MalformedStream(false) {
		f.Add(b.Bytes)
	}
	f.Add([]byte("\x00\xe1\x20\x45\xffx"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r := NewReader(bytes.NewReader(b))
		for at := 0; ; {
			m, n, err := r.Next()
			if err != nil {
				return
			}
			again, err := m.EncodeStream()
			if err != nil || !bytes.Equal(b[at:at+n], again) {
				t.Fatalf("%x is read and written as %x, %v", b[at:at+n], again, err)
			}
			at += n
		}
	})
}

func FuzzWeb(f *testing.F) {
	for _, b := range MalformedStream(true) {
		f.Add(b.Bytes)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := DecodeWeb(b)
		if err != nil {
			return
		}
		if again, err := m.EncodeWeb(); err != nil || !bytes.Equal(b, again) {
			t.Errorf("%x is read and written as %x, %v", b, again, err)
		}
	})
}

func FuzzLinks(f *testing.F) {
	for _, s := range []string{`</a>;ct=40,</b>;rt="x";obs`, `<coap://h/x>;title="a \" \\ b"`, "</a>;x=", "<", `</a>;b="\`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		links, _ := ParseLinks(s)
		if len(links) > MaxLinks {
			t.Errorf("%d links", len(links))
		}
		text := FormatLinks(links)
		again, err := ParseLinks(text)
		if err != nil || FormatLinks(again) != text {
			t.Errorf("%q is read as %q: %v", s, text, err)
		}
	})
}
