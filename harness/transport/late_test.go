package transport

import (
	"context"
	"io"
	"net"
	"strings"
	"testing"
)

// A secret that is only recognised once it was read is masked all the same, on
// a connection that is held back.
func TestSecretsFoundLateAreMasked(t *testing.T) {
	const text = "pin: 7Q4K-92XD-LM5R, again 7Q4K-92XD-LM5R"
	tests := []struct {
		name  string
		ctx   func(context.Context) context.Context
		inner bool
		want  string
	}{
		{"late", Late, false, "pin: **************, again **************"},
		{"late_inside", Late, true, "pin: **************, again **************"},
		{"at_once", func(ctx context.Context) context.Context { return ctx }, false, text},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := newMembers()
			n := New(Config{Scope: onlyLoopback, Transcript: m.create, Seal: m.seal})
			outer, err := n.Dial(tt.ctx(t.Context()), device(t, func(c net.Conn) { io.WriteString(c, text) }))
			if err != nil {
				t.Fatal(err)
			}
			c := outer
			if tt.inner {
				c = n.Inside(outer)
			}
			if got, err := io.ReadAll(c); string(got) != text || err != nil {
				t.Fatalf("read %q, %v", got, err)
			}
			if written := m.written(); (len(written) == 0) == (tt.name == "at_once") {
				t.Errorf("written before the end: %q", written)
			}
			n.Hide("pin", []byte("7Q4K-92XD-LM5R"))
			span := c.Span()
			c.Close()
			outer.Close()
			if got := m.text[span.Member].String(); got != tt.want || span.Length != int64(len(text)) {
				t.Errorf("transcript = %q, want %q; span = %+v", got, tt.want, span)
			}
			if sealed := m.sealed[span.Member]; len(sealed) != strings.Count(tt.want, ", ")*2 && tt.name != "at_once" {
				t.Errorf("sealed = %v", sealed)
			}
		})
	}
}

// written returns the text of all members so far.
func (m *members) written() (all string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, b := range m.text {
		all += b.String()
	}
	return all
}
