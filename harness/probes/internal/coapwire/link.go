package coapwire

import (
	"fmt"
	"strings"
)

// Caps of a listing.
const (
	MaxLinks      = 256
	MaxAttributes = 32   // of one link
	MaxTarget     = 1024 // bytes of the target of a link, and of a value
	MaxName       = 64   // bytes of the name of an attribute
)

// A Link is an entry of a listing (RFC 6690, 2).
type Link struct {
	Target     string
	Attributes []Attribute
}

// An Attribute describes a link.
type Attribute struct {
	Name  string
	Value string
	Plain bool // has no value at all, as obs
}

// Get returns the value of the first attribute of a name.
func (l Link) Get(name string) (value string, ok bool) {
	for _, a := range l.Attributes {
		if a.Name == name {
			return a.Value, true
		}
	}
	return "", false
}

// LinkError is a listing that is none from some byte on.
type LinkError struct {
	What   string
	Offset int
}

// Error says what is wrong, and where.
func (e *LinkError) Error() string {
	return fmt.Sprintf("malformed list of links: %s (byte %d)", e.What, e.Offset)
}

// Unwrap makes errors.Is find ErrMalformed.
func (e *LinkError) Unwrap() error { return ErrMalformed }

// ParseLinks reads a listing. With an error come the links before it.
func ParseLinks(s string) ([]Link, error) {
	p := &linkParser{s: s}
	var links []Link
	for p.at < len(s) {
		if len(links) == MaxLinks {
			return links, p.wrong("more links than are read")
		}
		l, err := p.link()
		if err != nil {
			return links, err
		}
		links = append(links, l)
		if p.at == len(s) {
			break
		}
		if !p.eat(',') || p.at == len(s) {
			return links, p.wrong("a comma and a link are missing")
		}
	}
	return links, nil
}

type linkParser struct {
	s  string
	at int
}

func (p *linkParser) wrong(what string) error { return &LinkError{what, p.at} }

// eat takes c if it is next.
func (p *linkParser) eat(c byte) bool {
	if p.at < len(p.s) && p.s[p.at] == c {
		p.at++
		return true
	}
	return false
}

func (p *linkParser) link() (l Link, err error) {
	if !p.eat('<') {
		return l, p.wrong("a link begins with <")
	}
	length := strings.IndexByte(p.s[p.at:], '>')
	if length < 0 || length > MaxTarget || strings.ContainsFunc(p.s[p.at:p.at+length], notInTarget) {
		return l, p.wrong("the target of a link is not closed, too long, or no URI")
	}
	l.Target = p.s[p.at : p.at+length]
	p.at += length + 1
	for p.eat(';') {
		if len(l.Attributes) == MaxAttributes {
			return l, p.wrong("a link has more attributes than are read")
		}
		a, err := p.attribute()
		if err != nil {
			return l, err
		}
		l.Attributes = append(l.Attributes, a)
	}
	return l, nil
}

func notInTarget(r rune) bool { return r <= ' ' || r == '<' || r == '"' || r == 0x7f }

func (p *linkParser) attribute() (a Attribute, err error) {
	begun := p.at
	for p.at < len(p.s) && !strings.ContainsRune("=;,\"<> \t\r\n", rune(p.s[p.at])) {
		p.at++
	}
	a.Name = p.s[begun:p.at]
	if a.Name == "" || len(a.Name) > MaxName {
		return a, p.wrong("an attribute has no name, or too long a one")
	}
	if !p.eat('=') {
		a.Plain = true
		return a, nil
	}
	if p.eat('"') {
		a.Value, err = p.quoted()
		return a, err
	}
	begun = p.at
	for p.at < len(p.s) && !strings.ContainsRune(",;\" \t\r\n", rune(p.s[p.at])) {
		p.at++
	}
	if a.Value = p.s[begun:p.at]; a.Value == "" || len(a.Value) > MaxTarget {
		return a, p.wrong("a value is empty or too long")
	}
	return a, nil
}

// quoted reads to the quotation mark at the end.
func (p *linkParser) quoted() (string, error) {
	var v strings.Builder
	for p.at < len(p.s) && v.Len() <= MaxTarget {
		c := p.s[p.at]
		p.at++
		switch {
		case c == '"':
			return v.String(), nil
		case c == '\\' && p.at < len(p.s):
			c = p.s[p.at]
			p.at++
		}
		v.WriteByte(c)
	}
	return "", p.wrong("a quoted value is not closed, or too long")
}

// FormatLinks writes a listing, every value in quotation marks.
func FormatLinks(links []Link) string {
	var s strings.Builder
	for i, l := range links {
		if i > 0 {
			s.WriteByte(',')
		}
		fmt.Fprintf(&s, "<%s>", l.Target)
		for _, a := range l.Attributes {
			s.WriteString(";" + a.Name)
			if !a.Plain {
				s.WriteString(`="` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(a.Value) + `"`)
			}
		}
	}
	return s.String()
}
