package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
)

// A mutant is one change of a file.
type mutant struct {
	at       token.Position
	from, to int // bytes of the file that are replaced
	was, is  string
}

// String says where and what.
func (m mutant) String() string {
	return fmt.Sprintf("%s:%d:%d: %q became %q", m.at.Filename, m.at.Line, m.at.Column, m.was, m.is)
}

// apply returns the file with the change.
func (m mutant) apply(source []byte) []byte {
	return bytes.Join([][]byte{source[:m.from], source[m.to:]}, []byte(m.is))
}

// swaps are operators and what takes their place.
var swaps = map[token.Token][]string{
	token.EQL: {"!="}, token.NEQ: {"=="}, token.LSS: {"<=", ">"}, token.LEQ: {"<", ">"}, token.GTR: {">=", "<"}, token.GEQ: {">", "<"},
	token.LAND: {"||"}, token.LOR: {"&&"}, token.ADD: {"-"}, token.SUB: {"+"},
}

// names are words of verdicts and facts, and what takes their place.
var names = map[string]string{
	"Pass": "Fail", "Fail": "Inconclusive", "Inconclusive": "Pass", "NotApplicable": "Pass",
	"Decide": "Refute", "Refute": "Decide", "Support": "Decide", "Yes": "No", "No": "Unknown", "Unknown": "Yes",
	"true": "false", "false": "true", "Weakest": "Strongest", "Strongest": "Weakest",
}

// mutantsOf lists every change of a file, in its order.
func mutantsOf(name string, source []byte) ([]mutant, error) {
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, name, source, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	c := &collector{set: set, source: source}
	for _, decl := range file.Decls {
		if f, ok := decl.(*ast.FuncDecl); ok && f.Body != nil {
			ast.Inspect(f.Body, c.visit)
		}
	}
	return c.found, nil
}

type collector struct {
	set    *token.FileSet
	source []byte
	found  []mutant
}

func (c *collector) visit(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.BinaryExpr:
		for _, is := range swaps[n.Op] {
			c.replace(n.OpPos, n.OpPos+token.Pos(len(n.Op.String())), is)
		}
	case *ast.UnaryExpr:
		if n.Op == token.NOT {
			c.replace(n.Pos(), n.Pos()+1, "")
		}
	case *ast.SelectorExpr:
		c.rename(n.Sel)
	case *ast.Ident:
		if n.Name == "true" || n.Name == "false" {
			c.rename(n)
		}
	case *ast.IfStmt:
		c.replace(n.Cond.Pos(), n.Cond.End(), "true")
		c.replace(n.Cond.Pos(), n.Cond.End(), "false")
	case *ast.ExprStmt:
		c.replace(n.Pos(), n.End(), "")
	case *ast.AssignStmt:
		if n.Tok == token.ASSIGN {
			c.replace(n.Pos(), n.End(), "")
		}
	case *ast.CaseClause:
		for _, e := range n.List {
			c.replace(e.Pos(), e.End(), "("+c.text(e.Pos(), e.End())+") && false")
		}
	}
	return true
}

func (c *collector) rename(id *ast.Ident) {
	if is, ok := names[id.Name]; ok {
		c.replace(id.Pos(), id.End(), is)
	}
}

func (c *collector) text(from, to token.Pos) string {
	return string(c.source[c.set.Position(from).Offset:c.set.Position(to).Offset])
}

func (c *collector) replace(from, to token.Pos, is string) {
	at := c.set.Position(from)
	c.found = append(c.found, mutant{at, at.Offset, c.set.Position(to).Offset, c.text(from, to), is})
}
