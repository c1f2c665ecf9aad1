package reports

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// tags are the elements that a page may have. No other, which might run or fetch
// something, is in the template.
var tags = strings.Fields(`a article b bdi body br caption circle code dd desc details div dl dt figure g h1 h2 h3 h4 head header html
	li line main meta nav ol p path pre rect section span style summary svg table tbody td text th thead title tr ul`)

// attributes are those that an element may have. None of them is an event, a
// style or an address elsewhere; href is looked at.
var attributes = strings.Fields(`aria-hidden aria-label aria-labelledby charset class content cx cy d dir height href http-equiv id lang name
	open r role rx scope tabindex text-anchor transform viewBox width x x1 x2 y y1 y2`)

// looked is what a look at the elements of a page brought.
type looked struct {
	found []string
	ids   map[string]int
	hrefs []string
	last  int // level of the last heading
	open  []string
}

// brokenHTML finds what a page must not have: elements and attributes beyond
// those of the template, ids twice, links to nowhere, headings that skip a
// level, cells of a head without scope, tags that do not match. It reads tokens,
// so that no parser repairs anything first.
func brokenHTML(text string) []string {
	l := &looked{ids: map[string]int{}}
	z := html.NewTokenizer(strings.NewReader(text))
	for {
		kind := z.Next()
		if kind == html.ErrorToken {
			break
		}
		switch token := z.Token(); kind {
		case html.StartTagToken, html.SelfClosingTagToken:
			l.element(token, kind == html.SelfClosingTagToken)
		case html.EndTagToken:
			l.closes(token.Data)
		case html.CommentToken:
			l.say("a comment")
		}
	}
	if len(l.open) > 0 {
		l.say("never closed: %v", l.open)
	}
	for _, href := range l.hrefs {
		if l.ids[strings.TrimPrefix(href, "#")] != 1 || !strings.HasPrefix(href, "#") {
			l.say("a link to %q", href)
		}
	}
	return append(l.found, framed(text)...)
}

func (l *looked) say(format string, args ...any) {
	l.found = append(l.found, fmt.Sprintf(format, args...))
}

// empty elements have no end tag (HTML, 13.1.2).
var empty = []atom.Atom{atom.Meta, atom.Br}

func (l *looked) element(t html.Token, closed bool) {
	if !slices.Contains(tags, t.Data) {
		l.say("element %s", t.Data)
	}
	if !closed && !slices.Contains(empty, t.DataAtom) {
		l.open = append(l.open, t.Data)
	}
	scope := ""
	for _, a := range t.Attr {
		switch a.Key {
		case "id":
			if l.ids[a.Val]++; l.ids[a.Val] > 1 || a.Val == "" {
				l.say("id %q again", a.Val)
			}
		case "href":
			l.hrefs = append(l.hrefs, a.Val)
		case "scope":
			scope = a.Val
		}
		if !slices.Contains(attributes, a.Key) && !slices.Contains(attributes, attributeCase[a.Key]) {
			l.say("attribute %s of %s", a.Key, t.Data)
		}
	}
	if t.Data == "th" && scope != "col" && scope != "row" {
		l.say("a th without scope")
	}
	if level := strings.Index("h1h2h3h4h5h6", t.Data)/2 + 1; len(t.Data) == 2 && strings.Contains("h1h2h3h4h5h6", t.Data) && t.Data[0] == 'h' {
		if level > l.last+1 {
			l.say("%s after h%d", t.Data, l.last)
		}
		l.last = level
	}
}

// attributeCase are names that the tokenizer writes in lower case.
var attributeCase = map[string]string{"viewbox": "viewBox"}

func (l *looked) closes(name string) {
	n := len(l.open)
	if n == 0 || l.open[n-1] != name {
		l.say("</%s> inside %v", name, l.open)
		return
	}
	l.open = l.open[:n-1]
}

// framed finds what a page needs and does not have once.
func framed(text string) []string {
	var found []string
	for _, part := range []string{"<!DOCTYPE html>", "<html lang=", "<meta charset=\"utf-8\">", "Content-Security-Policy", "<title>", "<main ", "<nav aria-label=", "<h1>"} {
		if n := strings.Count(text, part); n != 1 {
			found = append(found, fmt.Sprintf("%d times %s", n, part))
		}
	}
	if !strings.Contains(text, "default-src &#39;none&#39;") {
		found = append(found, "no policy")
	}
	return found
}
