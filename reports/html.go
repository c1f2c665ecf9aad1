package reports

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"

	"github.com/assay-iot/assay/harness/result"
)

var _ = register(Format{Name: "html", Doc: "the whole result as one page with pictures, for a browser or to print", Ext: ".html", Render: writeHTML})

//go:embed html.css
var styleSheet string

//go:embed html.tmpl
var pageSource string

// pageTemplate is parsed once. Each page is written by a copy of it, which
// speaks the reader's language.
var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{"say": speechless}).Parse(pageSource))

// speechless stands for say until a page has a reader.
func speechless(string) (string, error) { return "", fmt.Errorf("no language yet") }

// writeHTML writes one page without script and without anything from
// elsewhere. Only the template writes markup: what it gets is a sheet, of which
// every string is made visible first and escaped where it stands.
func writeHTML(w io.Writer, r result.Result, o Options) error {
	t, err := pageTemplate.Clone()
	if err != nil {
		return fmt.Errorf("page: %w", err)
	}
	labels := pageLabels()
	t.Funcs(template.FuncMap{"say": func(name string) (string, error) {
		text, known := labels[name]
		if !known {
			return "", fmt.Errorf("no label %q", name)
		}
		return plain(o.say(text)), nil
	}})
	s := newSheet(r, o)
	makeVisible(&s)
	var b bytes.Buffer
	if err := t.Execute(&b, s); err != nil {
		return fmt.Errorf("page: %w", err)
	}
	_, err = w.Write(tidy(b.Bytes()))
	return err
}

// tidy leaves out the lines that actions of the template leave blank, and what
// indents the others.
func tidy(page []byte) []byte {
	var out bytes.Buffer
	for line := range bytes.Lines(page) {
		if line = bytes.TrimSpace(line); len(line) > 0 {
			out.Write(line)
			out.WriteByte('\n')
		}
	}
	return out.Bytes()
}

// sheetStyle is the style sheet as it stands in the page, where its hash admits it.
func sheetStyle() template.CSS { return template.CSS(tidy([]byte(styleSheet))) } //nolint:gosec // a file of ours

// policy forbids everything but the style sheet: no script, no request, no
// form, no frame.
func policy(css template.CSS) string {
	sum := sha256.Sum256([]byte(css))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'"
}

// direction is that in which a language is written.
func direction(lang string) string {
	if base, _, _ := strings.Cut(lang, "-"); base == "ar" || base == "fa" || base == "he" || base == "ur" {
		return "rtl"
	}
	return "ltr"
}
