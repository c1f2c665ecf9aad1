package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
)

const module = "github.com/assay-iot/assay/"

// A source reads packages of the tree, each once.
type source struct {
	root     string
	packages map[string]*pkg
}

func newSource(root string) *source { return &source{root, map[string]*pkg{}} }

// A pkg is a package as far as its own source tells: nothing that it imports is
// read.
type pkg struct {
	files []*ast.File
	info  *types.Info
	types map[string]*ast.TypeSpec
	docs  map[string]string // of types
	funcs map[types.Object]*ast.FuncDecl
}

// read returns a package of ours by its import path.
func (s *source) read(path string) (*pkg, error) {
	if p, ok := s.packages[path]; ok {
		return p, nil
	}
	fset := token.NewFileSet()
	names, err := filepath.Glob(filepath.Join(s.root, strings.TrimPrefix(path, module), "*.go"))
	if err != nil {
		return nil, err
	}
	p := &pkg{types: map[string]*ast.TypeSpec{}, docs: map[string]string{}, funcs: map[types.Object]*ast.FuncDecl{}}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(fset, name, nil, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		p.files = append(p.files, f)
	}
	if len(p.files) == 0 {
		return nil, fmt.Errorf("package %q: no source below %q", path, s.root)
	}
	p.resolve(fset, path)
	p.index()
	s.packages[path] = p
	return p, nil
}

// resolve finds out which function of the package is meant where. What comes
// from elsewhere stays unknown, and the complaints about it are of no interest.
func (p *pkg) resolve(fset *token.FileSet, path string) {
	p.info = &types.Info{Uses: map[*ast.Ident]types.Object{}, Defs: map[*ast.Ident]types.Object{}}
	config := types.Config{Importer: nothing{}, Error: func(error) {}, FakeImportC: true}
	_, _ = config.Check(path, fset, p.files, p.info)
}

// nothing imports empty packages.
type nothing struct{}

// Import returns a package without a name in it.
func (nothing) Import(path string) (*types.Package, error) {
	empty := types.NewPackage(path, filepath.Base(path))
	empty.MarkComplete()
	return empty, nil
}

func (p *pkg) index() {
	for _, f := range p.files {
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				p.funcs[p.info.Defs[d.Name]] = d
			case *ast.GenDecl:
				p.indexTypes(d)
			}
		}
	}
}

func (p *pkg) indexTypes(d *ast.GenDecl) {
	for _, s := range d.Specs {
		t, ok := s.(*ast.TypeSpec)
		if !ok {
			continue
		}
		p.types[t.Name.Name] = t
		p.docs[t.Name.Name] = firstText(t.Doc, d.Doc, t.Comment)
	}
}

func firstText(groups ...*ast.CommentGroup) string {
	for _, g := range groups {
		if text := strings.TrimSpace(g.Text()); text != "" {
			return strings.Join(strings.Fields(text), " ")
		}
	}
	return ""
}

// field is a field of a struct as it is stored.
type field struct {
	name string // in JSON or YAML
	typ  reflect.Type
	doc  string
}

// fields returns the stored fields of a struct type with their comments. A
// comment before several fields speaks of the first, as it stands there.
func (s *source) fields(t reflect.Type, tag string) ([]field, error) {
	p, err := s.read(t.PkgPath())
	if err != nil {
		return nil, err
	}
	docs := map[string]string{}
	if spec, ok := p.types[t.Name()]; ok {
		if st, ok := spec.Type.(*ast.StructType); ok {
			for _, f := range st.Fields.List {
				for _, name := range f.Names {
					docs[name.Name] = firstText(f.Comment, f.Doc)
				}
			}
		}
	}
	var all []field
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get(tag), ",")
		if name == "" || name == "-" {
			continue
		}
		all = append(all, field{name, f.Type, docs[f.Name]})
	}
	return all, nil
}

// doc returns the comment of a type.
func (s *source) doc(t reflect.Type) (string, error) {
	p, err := s.read(t.PkgPath())
	if err != nil {
		return "", err
	}
	return p.docs[t.Name()], nil
}

// word is one value of a closed set of words.
type word struct{ value, doc string }

// words returns the constants of a named string type, in their order.
func (s *source) words(t reflect.Type) ([]word, error) {
	p, err := s.read(t.PkgPath())
	if err != nil {
		return nil, err
	}
	var all []word
	for _, f := range p.files {
		for _, d := range f.Decls {
			if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.CONST {
				all = append(all, constants(g, t.Name())...)
			}
		}
	}
	return all, nil
}

func constants(g *ast.GenDecl, typ string) (all []word) {
	for _, s := range g.Specs {
		v := s.(*ast.ValueSpec)
		id, ok := v.Type.(*ast.Ident)
		if !ok || id.Name != typ || len(v.Values) != 1 {
			continue
		}
		if lit, ok := v.Values[0].(*ast.BasicLit); ok && lit.Kind == token.STRING {
			value, _ := strconv.Unquote(lit.Value)
			all = append(all, word{value, firstText(v.Comment, v.Doc)})
		}
	}
	return all
}
