package cli

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/device"
)

func TestAdvice(t *testing.T) {
	tests := []struct {
		name       string
		err        error
		what, hint string
	}{
		{"none", errors.New("it is broken"), "it is broken", ""},
		{"hinted", wrong(errors.New("it is broken; badly"), "mend %s", "it"), "it is broken; badly", "mend it"},
		{"hinted_below", fmt.Errorf("above: %w", wrong(errors.New("below"), "mend it")), "above: below", "mend it"},
		{"one_sentence", errors.New("no port 0; write 1"), "no port 0", "write 1"},
		{"last_part", errors.New("a; b; c"), "a; b", "c"},
		{"quoted", errors.New(`no file "a; b"`), `no file "a; b"`, ""},
		{"quoted_and_not", errors.New(`no file "a; \"b"; name another`), `no file "a; \"b"`, "name another"},
		{"device_file", &device.Error{File: "x.yaml", Line: 3, What: "it is wrong", Hint: "mend it"}, `device file "x.yaml", line 3: it is wrong`, "mend it"},
		{"device_without_file", &device.Error{What: "it is public"}, "it is public", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			what, hint := advice(tt.err)
			require.Equal(t, tt.what, what)
			require.Equal(t, tt.hint, hint)
		})
	}
}

// What a file or a device has put into an error does not reach the terminal.
func TestComplaintsAreHarmless(t *testing.T) {
	w := newWorld("")
	a := &app{World: w.World, ctx: t.Context()}
	a.complain(a.root(), errors.New("x\x1b[2J\ny\u202ez; do\rit"))
	require.Equal(t, "assay: error: x\ufffd[2J y\ufffdz\nassay: hint: do\ufffdit\n", w.err.String())
	require.Equal(t, 2, w.assay("judge", "a\x1b[31m\nb"))
	require.NotContains(t, w.err.String(), "\x1b")
}
