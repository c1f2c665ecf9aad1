package coapdoor

import (
	"context"
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/internal/coapwire"
)

// Core is where servers list their resources (RFC 6690, 4).
const Core = "/.well-known/core"

// formatLinks is the Content-Format of a listing.
const formatLinks = 40

// List reads what a server lists. Links that lead elsewhere are counted, and not
// among those that come back.
func (s *Session) List(ctx context.Context) (Listing, error) {
	x, err := s.Do(ctx, Request{Path: Core})
	l := Listing{Exchange: x}
	if !x.Success() {
		return l, err
	}
	links, parsing := coapwire.ParseLinks(string(x.Payload))
	l.Parsed = tri(parsing == nil && x.Truncated == evidence.No && (x.Format == formatLinks || x.Format == -1))
	for _, link := range links {
		path, here := s.Door.inside(link.Target)
		switch {
		case !here:
			l.Outside++
		case !slices.ContainsFunc(l.Links, func(known Link) bool { return string(known.Path) == path }):
			l.Links = append(l.Links, linkOf(path, link))
		}
	}
	l.LwM2M = l.speaksLwM2M()
	return l, err
}

// linkOf takes down what a link says of its target.
func linkOf(path string, l coapwire.Link) Link {
	get := func(name string) []byte {
		v, _ := l.Get(name)
		return []byte(v)
	}
	_, observable := l.Get("obs")
	return Link{Path: []byte(path), Type: get("rt"), Interface: get("if"), Format: get("ct"), Observable: tri(observable)}
}

// inside returns the path of a target on the server that listed it, and whether
// it is there at all. Nothing is looked up: a name leads elsewhere.
func (d Door) inside(target string) (path string, here bool) {
	u, err := url.Parse(target)
	if err != nil || u.Opaque != "" {
		return "", false
	}
	if u.Host != "" && u.Host != d.Addr.String() && u.Host != d.bare() {
		return "", false
	}
	if u.Scheme != "" && !strings.HasPrefix(u.Scheme, "coap") {
		return "", false
	}
	u = (&url.URL{Path: "/"}).ResolveReference(&url.URL{Path: u.Path, RawPath: u.RawPath, RawQuery: u.RawQuery})
	path = u.EscapedPath()
	if u.RawQuery != "" {
		path += "?" + u.RawQuery
	}
	return path, true
}

// bare is the address without the port, if that is the usual one, as a URI has
// it.
func (d Door) bare() string {
	host, port, err := net.SplitHostPort(d.Addr.String())
	usual := "5683"
	if d.Secure() {
		usual = "5684"
	}
	switch {
	case err != nil || port != usual:
		return d.Addr.String()
	case d.Addr.Addr().Is6():
		return "[" + host + "]"
	}
	return host
}

// formatsLwM2M are the Content-Formats that are LwM2M's alone: TLV, JSON, CBOR.
var formatsLwM2M = []string{"11542", "11543", "11544"}

// speaksLwM2M looks for what LwM2M alone has.
func (l Listing) speaksLwM2M() evidence.Tri {
	for _, k := range l.Links {
		types, formats := strings.Fields(string(k.Type)), strings.Fields(string(k.Format))
		isType := func(t string) bool { return strings.HasPrefix(t, "oma.lwm2m") }
		isFormat := func(f string) bool { return slices.Contains(formatsLwM2M, f) }
		if string(k.Path) == "/bs" || slices.ContainsFunc(types, isType) || slices.ContainsFunc(formats, isFormat) {
			return evidence.Yes
		}
	}
	if l.Parsed == evidence.Yes {
		return evidence.No
	}
	return evidence.Unknown
}
