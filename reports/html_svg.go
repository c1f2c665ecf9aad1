package reports

import (
	"slices"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/result"
)

// Pictures are as wide as a phone, so that their letters stay legible there,
// and as high as it takes. All measures are in units of the picture.
const (
	pictureWidth = 340
	portRow      = 44
	tlsRow       = 70
	maxRows      = 24 // of one picture; the table beside it has all
	maxLetters   = 14 // of a protocol or a version in a picture
)

// portPicture shows a device and the ports that answered. Colour, line and sign
// say the same, and so does the table beside it.
type portPicture struct {
	ID            string
	Title, Text   string
	Height, Below int // of all, and where the note on the rest stands
	Box, Middle   int // height of the device, and its middle
	Unit          string
	Rows          []portLine
	More          string
}

// portLine is one port.
type portLine struct {
	Y, Line, Name, Note, Sign int
	Port, Protocol            string
	Secured, Declared         string
	Class                     string // of the line: how it is spoken
	Mark                      string // of the sign: whether it is declared
}

func (b *binder) drawPorts(place string, s result.Surface) *portPicture {
	if len(s.Listeners) == 0 {
		return nil
	}
	rows := s.Listeners[:min(len(s.Listeners), maxRows)]
	p := &portPicture{
		ID: place + "-ports", Title: b.say(msg.T("{unit}: ports that answered", "unit", b.unitName(s.Unit))), Unit: shorten(plain(b.shortUnit(s.Unit)), maxLetters/2),
		Text: b.say(msg.T("{n} ports answered: {declared} declared, {undeclared} not declared, {clear} in clear, {secured} inside TLS or DTLS. The table has each of them.",
			"n", len(s.Listeners), "declared", count(s.Listeners, isDeclared(evidence.Yes)), "undeclared", count(s.Listeners, isDeclared(evidence.No)),
			"clear", count(s.Listeners, isSecured(evidence.No)), "secured", count(s.Listeners, isSecured(evidence.Yes)))),
		Box: len(rows)*portRow - 8, Height: len(rows) * portRow,
	}
	p.Middle = p.Box/2 + 4
	for i, l := range rows {
		p.Rows = append(p.Rows, b.portLine(i*portRow, l))
	}
	if more := len(s.Listeners) - len(rows); more > 0 {
		p.More = b.say(msg.T("and {n} more", "n", more))
		p.Below, p.Height = p.Height+14, p.Height+24
	}
	return p
}

// shortUnit is what a unit is called where there is little room.
func (b *binder) shortUnit(unit string) string {
	if unit == evidence.DUT {
		return b.say(msg.T("device"))
	}
	return unit
}

func (b *binder) portLine(y int, l result.Listener) portLine {
	return portLine{
		Y: y + 2, Line: y + 20, Name: y + 17, Note: y + 32, Sign: y + 20,
		Port: shorten(plain(port(l.Endpoint)), maxLetters), Protocol: shorten(plain(b.protocol(l)), maxLetters),
		Secured: b.say(securedText(l)), Declared: b.say(declaredText(l.Declared)),
		Class: [...]string{"unsure", "secured", "clear"}[l.Secured], Mark: [...]string{"unsure", "declared", "undeclared"}[l.Declared],
	}
}

func isDeclared(t evidence.Tri) func(result.Listener) bool {
	return func(l result.Listener) bool { return l.Declared == t }
}

func isSecured(t evidence.Tri) func(result.Listener) bool {
	return func(l result.Listener) bool { return l.Secured == t }
}

func count[T any](list []T, is func(T) bool) int {
	n := 0
	for _, x := range list {
		if is(x) {
			n++
		}
	}
	return n
}

// tlsPicture shows which versions each listener took.
type tlsPicture struct {
	ID          string
	Title, Text string
	Height      int
	Below       int
	Rows        []tlsLine
	More        string
}

// tlsLine is one listener.
type tlsLine struct {
	Name  int // where its name stands
	Where string
	Boxes []tlsBox
}

// tlsBox is one version.
type tlsBox struct {
	X, Y, Width, Middle, Label, Note int
	Name, Word, Class                string
}

func (b *binder) drawTLS(place string, s result.Surface) *tlsPicture {
	asked := slices.DeleteFunc(slices.Clone(s.Listeners), func(l result.Listener) bool { return len(l.Versions) == 0 })
	if len(asked) == 0 {
		return nil
	}
	rows := asked[:min(len(asked), maxRows)]
	p := &tlsPicture{
		ID: place + "-tls", Title: b.say(msg.T("{unit}: versions of TLS and DTLS that it took", "unit", b.unitName(s.Unit))), Height: len(rows) * tlsRow,
		Text: b.say(msg.T("{n} listeners were asked for each version. The table has the answers and the cipher suites.", "n", len(asked))),
	}
	for i, l := range rows {
		p.Rows = append(p.Rows, b.tlsLine(i*tlsRow, l))
	}
	if more := len(asked) - len(rows); more > 0 {
		p.More = b.say(msg.T("and {n} more", "n", more))
		p.Below, p.Height = p.Height+14, p.Height+24
	}
	return p
}

func (b *binder) tlsLine(y int, l result.Listener) tlsLine {
	const between = 6
	const most = 6 // versions side by side
	t := tlsLine{Name: y + 14, Where: shorten(plain(port(l.Endpoint)+" "+l.Protocol), 3*maxLetters)}
	versions := l.Versions[:min(len(l.Versions), most)]
	width := (pictureWidth - between*(len(versions)-1)) / max(1, len(versions))
	for i, v := range versions {
		x := i * (width + between)
		t.Boxes = append(t.Boxes, tlsBox{
			X: x + 1, Y: y + 22, Width: width - 2, Middle: x + width/2, Label: y + 38, Note: y + 53,
			Name: shorten(plain(v.Name), 8), Word: shorten(plain(b.say(acceptedText(v.Accepted))), 9), Class: acceptedClass(v.Accepted),
		})
	}
	return t
}
