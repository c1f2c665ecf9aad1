package secretpattern

import (
	"bytes"
	"strings"
)

// An assignment is a name and a value: in JSON, in JSON inside a string of
// JSON, in YAML and configuration files, in a query, in an element of XML. It is
// searched for by hand: a regular expression takes a hundred times as long.
type assignment struct{ nameFrom, nameTo, from, to int }

const (
	maxName  = 64   // bytes
	maxValue = 8192 // bytes
	maxSpace = 8    // between a name, what assigns, and the value
)

// assignments returns all of a text, in order. No byte of a value belongs to
// another one.
func assignments(text []byte) []assignment {
	var list []assignment
	for i := 0; i < len(text); i++ {
		if text[i] != ':' && text[i] != '=' && text[i] != '>' {
			continue
		}
		a := assignment{}
		if a.nameFrom, a.nameTo = nameBefore(text, i); a.nameFrom == a.nameTo {
			continue
		}
		end := 0
		if a.from, a.to, end = valueAfter(text, i+1); a.from < a.to {
			list = append(list, a)
		}
		i = max(i, end-1)
	}
	return list
}

// nameBefore returns where the name lies that ends before i; both are the same
// if there is none. The end of an element is no name.
func nameBefore(text []byte, i int) (from, to int) {
	to = i
	for to > 0 && i-to < maxSpace && isSpace(text[to-1]) {
		to--
	}
	for to > 0 && strings.IndexByte(`"'\`, text[to-1]) >= 0 {
		to--
	}
	from = to
	for from > 0 && to-from < maxName && isOfName(text[from-1]) {
		from--
	}
	closes := from > 0 && text[from-1] == '/' && text[i] == '>'
	for from < to && !isLetter(text[from]) {
		from++
	}
	if closes {
		return to, to
	}
	return from, to
}

// valueAfter returns where the value lies that begins at i, or equal ends, and
// how far it looked.
func valueAfter(text []byte, i int) (from, to, end int) {
	for n := 0; n < maxSpace && i < len(text) && isSpace(text[i]); n++ {
		i++
	}
	part := text[i:min(len(text), i+maxValue)]
	quote, stop := "", endOfWord
	switch {
	case bytes.HasPrefix(part, []byte(`\"`)):
		quote, stop = `\"`, func(b []byte) int { return bytes.IndexAny(b, `\"`) }
	case bytes.HasPrefix(part, []byte(`"`)):
		quote, stop = `"`, endOfString
	case bytes.HasPrefix(part, []byte(`'`)):
		quote, stop = `'`, func(b []byte) int { return bytes.IndexAny(b, "'\r\n") }
	}
	from = i + len(quote)
	for _, scheme := range []string{"Bearer ", "Basic "} { // of a header of HTTP
		if bytes.HasPrefix(text[from:], []byte(scheme)) {
			from += len(scheme)
		}
	}
	value := text[from:min(len(text), from+maxValue)]
	length := stop(value)
	switch {
	case length < 0 && quote == "" && len(value) < maxValue:
		length = len(value) // the text ends
	case length < 0 && len(value) == maxValue: // too long, and not looked at again
		return from, from, from + maxValue
	case length < 0:
		return from, from, from
	}
	return from, from + length, from + length
}

// endOfString finds the quotation mark that no backslash precedes.
func endOfString(b []byte) int {
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return -1
}

// endOfWord finds what ends a value without quotation marks.
func endOfWord(b []byte) int { return bytes.IndexAny(b, " \t\r\n\"'\\<>&;,(){}[]") }

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }

func isOfName(c byte) bool {
	return isLetter(c) || '0' <= c && c <= '9' || c == '_' || c == '.' || c == '-' || c == ' '
}
