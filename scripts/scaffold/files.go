package main

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"go/format"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"text/template"
	"unicode"
)

//go:embed templates/*.tmpl
var templates embed.FS

// names are what a template may fill in.
type names struct {
	ID      string // as the user wrote it
	Camel   string // for variables and functions
	Package string // for Go packages
	Words   string // for sentences
}

// namesOf parts an ID at whatever is no letter and no digit.
func namesOf(id string) names {
	parts := strings.FieldsFunc(id, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	n := names{ID: id, Camel: parts[0], Package: strings.Join(parts, ""), Words: strings.Join(parts, " ")}
	for _, part := range parts[1:] {
		n.Camel += strings.ToUpper(part[:1]) + part[1:]
	}
	return n
}

// Pascal is Camel for exported names, and for tests.
func (n names) Pascal() string { return strings.ToUpper(n.Camel[:1]) + n.Camel[1:] }

// filled returns a template with the names in it. Go source is formatted.
func filled(name string, n names) (string, error) {
	t, err := template.ParseFS(templates, "templates/"+name)
	if err != nil {
		return "", err
	}
	var b bytes.Buffer
	if err := t.Execute(&b, n); err != nil {
		return "", err
	}
	if !strings.Contains(name, ".go.") {
		return b.String(), nil
	}
	source, err := format.Source(b.Bytes())
	return string(source), err
}

// fill adds files that are made of templates to the plan, by path.
func (p *plan) fill(n names, files map[string]string) error {
	if p.create == nil {
		p.create = map[string]string{}
	}
	for path, name := range files {
		text, err := filled(name, n)
		if err != nil {
			return err
		}
		p.create[path] = text
	}
	return nil
}

// write writes all of the plan, or nothing of it if a file is there already.
func (p plan) write(root string) error {
	for path := range p.create {
		if _, err := os.Lstat(filepath.Join(root, path)); !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s exists; choose another name", path)
		}
	}
	for path, text := range p.create {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(root, path)), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(root, path), []byte(text), 0o644); err != nil {
			return err
		}
	}
	for path, text := range p.change {
		if err := os.WriteFile(filepath.Join(root, path), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}
