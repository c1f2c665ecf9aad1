package main

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strconv"
)

// outcomes are the sentences with which a check says what it found, by the
// function of package check that takes them.
type outcomes map[string][]sentence

// sentence is a template and, for an inconclusive, what to do next.
type sentence struct{ why, next string }

// outcomes returns what the function that decides a check can say, itself or by
// whatever function of the package it calls. The check is named by its ID.
func (p *pkg) outcomes(id string) outcomes {
	all := outcomes{}
	if decide := p.decide(id); decide != nil {
		p.follow(decide, map[types.Object]bool{}, all)
	}
	return all
}

// decide returns the function that the declaration of a check names.
func (p *pkg) decide(id string) (decide ast.Node) {
	for _, f := range p.files {
		ast.Inspect(f, func(n ast.Node) bool {
			lit, ok := n.(*ast.CompositeLit)
			if ok && text(entryOf(lit, "ID")) == id {
				decide = entryOf(lit, "Decide")
			}
			return decide == nil
		})
	}
	return decide
}

// entryOf returns the value of a key of a literal, nil if it is not there.
func entryOf(lit *ast.CompositeLit, key string) ast.Expr {
	for _, e := range lit.Elts {
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			if name, ok := kv.Key.(*ast.Ident); ok && name.Name == key {
				return kv.Value
			}
		}
	}
	return nil
}

// text returns the value of a string literal, empty if e is none.
func text(e ast.Expr) string {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return ""
	}
	value, _ := strconv.Unquote(lit.Value)
	return value
}

// follow collects what n says, and what the functions say that it uses.
func (p *pkg) follow(n ast.Node, seen map[types.Object]bool, all outcomes) {
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			if all.add(n) {
				return true
			}
			all.loose(n)
		case *ast.Ident:
			used := p.info.Uses[n]
			if f, ok := p.funcs[used]; ok && used != nil && !seen[used] {
				seen[used] = true
				p.follow(f.Body, seen, all)
			}
		}
		return true
	})
}

// add takes what a call of package check says, and reports whether it is one.
func (o outcomes) add(call *ast.CallExpr) bool {
	name := selected(call.Fun, "check")
	if name == "" {
		return false
	}
	var said []string
	for _, arg := range call.Args {
		if inner, ok := arg.(*ast.CallExpr); ok && template(inner) != "" {
			said = append(said, template(inner))
		}
	}
	if len(said) == 0 {
		return true
	}
	s := sentence{why: said[0]}
	if len(said) > 1 {
		s.next = said[1]
	}
	o.put(name, s)
	return true
}

// Besides holds the sentences of which the source does not say in one place what
// becomes of them.
const besides = "besides"

// loose takes a sentence that is made apart from the call that it is given to.
func (o outcomes) loose(call *ast.CallExpr) {
	text := template(call)
	for _, list := range o {
		if text == "" || slices.ContainsFunc(list, func(s sentence) bool { return s.why == text || s.next == text }) {
			return
		}
	}
	o.put(besides, sentence{why: text})
}

func (o outcomes) put(name string, s sentence) {
	if s.why != "" && !slices.Contains(o[name], s) {
		o[name] = append(o[name], s)
	}
}

// template returns the template of a call of msg.T, empty if it is another call.
func template(call *ast.CallExpr) string {
	if selected(call.Fun, "msg") != "T" || len(call.Args) == 0 {
		return ""
	}
	return text(call.Args[0])
}

// selected returns NAME of PACKAGE.NAME, empty if e is something else.
func selected(e ast.Expr, from string) string {
	sel, ok := e.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	if x, ok := sel.X.(*ast.Ident); !ok || x.Name != from {
		return ""
	}
	return sel.Sel.Name
}
