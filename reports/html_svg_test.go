package reports

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/result"
)

func listeners(n int) (list []result.Listener) {
	for i := range n {
		list = append(list, result.Listener{Endpoint: fmt.Sprintf("tcp/192.0.2.1:%d", i+1), Protocol: "mqtt", Versions: []result.Version{{Name: "TLS 1.2"}}})
	}
	return list
}

// Whatever is drawn lies inside the picture, and what has no room is counted.
func TestPicturesHoldWhatTheyShow(t *testing.T) {
	b := newBinder(result.Result{}, Options{})
	for _, n := range []int{1, 2, maxRows, maxRows + 1, 1000} {
		s := result.Surface{Unit: evidence.DUT, Listeners: listeners(n)}
		ports, tls := b.drawPorts("s", s), b.drawTLS("s", s)
		require.Len(t, ports.Rows, min(n, maxRows))
		require.Len(t, tls.Rows, min(n, maxRows))
		for i, r := range ports.Rows {
			require.LessOrEqual(t, r.Y+36, ports.Height)
			require.GreaterOrEqual(t, r.Line, r.Y)
			require.Equal(t, fmt.Sprintf("tcp %d", i+1), r.Port)
		}
		for _, r := range tls.Rows {
			require.LessOrEqual(t, r.Boxes[0].Y+38, tls.Height)
		}
		require.Equal(t, n > maxRows, ports.More != "")
		require.Equal(t, n > maxRows, tls.More != "")
		require.LessOrEqual(t, ports.Below, ports.Height)
		require.LessOrEqual(t, tls.Below, tls.Height)
	}
	require.Nil(t, b.drawPorts("s", result.Surface{}))
	require.Nil(t, b.drawTLS("s", result.Surface{Listeners: []result.Listener{{}}}))
}

// Each fact is told by a word, a line or a sign, never by colour alone.
func TestPortLine(t *testing.T) {
	b := newBinder(result.Result{}, Options{})
	for _, tt := range []struct {
		secured, declared evidence.Tri
		class, mark, how  string
	}{
		{evidence.Yes, evidence.Yes, "secured", "declared", "inside DTLS, declared"},
		{evidence.No, evidence.No, "clear", "undeclared", "in clear, not declared"},
		{evidence.Unknown, evidence.Unknown, "unsure", "unsure", "encryption open, declaration open"},
	} {
		l := b.portLine(0, result.Listener{Endpoint: "udp/[2001:db8::1]:5683#x/y:z", Secured: tt.secured, Declared: tt.declared})
		require.Equal(t, []string{tt.class, tt.mark, tt.how}, []string{l.Class, l.Mark, l.Secured + ", " + l.Declared})
		require.Equal(t, "udp 5683", l.Port)
		require.Equal(t, "not asked", l.Protocol)
	}
}

// Boxes of versions stand side by side within the width of the picture.
func TestTLSLine(t *testing.T) {
	b := newBinder(result.Result{}, Options{})
	for _, n := range []int{0, 1, 3, 5, 6, 40} {
		l := result.Listener{Endpoint: "tcp/192.0.2.1:443", Protocol: strings.Repeat("x", 500)}
		for i := range n {
			l.Versions = append(l.Versions, result.Version{Name: fmt.Sprintf("TLS 1.%d", i), Accepted: evidence.Tri(i % 3)})
		}
		line := b.tlsLine(0, l)
		require.LessOrEqual(t, len(line.Boxes), 6)
		require.LessOrEqual(t, cells(line.Where), 3*maxLetters)
		last := 0
		for i, box := range line.Boxes {
			require.GreaterOrEqual(t, box.X, last)
			last = box.X + box.Width
			require.LessOrEqual(t, last, pictureWidth)
			require.Equal(t, []string{"unsure", "taken", "turned"}[i%3], box.Class)
			require.Equal(t, []string{"not known", "accepted", "refused"}[i%3], box.Word)
		}
	}
}

// A picture has a name and says in words what it shows.
func TestPicturesHaveWords(t *testing.T) {
	page := inHTML(t, shared(), Options{})
	pictures := strings.Count(page, "<svg ")
	require.Equal(t, 3, pictures)
	for _, part := range []string{`role="img" aria-labelledby="`, `<title id="`, `<desc id="`} {
		require.Equal(t, pictures, strings.Count(page, part), part)
	}
	require.Contains(t, page, "4 ports answered: 2 declared, 1 not declared, 2 in clear, 1 inside TLS or DTLS. The table has each of them.")
}
