package dtlswire

import (
	"bytes"
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"

	"github.com/assay-iot/assay/harness/probes/internal/tlswire"
)

// ParseHelloVerifyRequest reads the body of a HelloVerifyRequest and returns its
// cookie. The version in it says nothing: RFC 6347, 4.2.1.
func ParseHelloVerifyRequest(body []byte) ([]byte, error) {
	var version uint16
	var cookie cryptobyte.String
	in := cryptobyte.String(body)
	if !in.ReadUint16(&version) || !in.ReadUint8LengthPrefixed(&cookie) || !in.Empty() || version>>8 != 0xfe {
		return nil, fmt.Errorf("a request for a cookie of %d bytes", len(body))
	}
	return bytes.Clone(cookie), nil
}

// A Choice is what a server chose.
type Choice struct {
	tlswire.ServerHello
	// Version is the one that was chosen, wherever it stands.
	Version Version
	// Type is that of the server's certificate.
	Type CertificateType
	// Cookie is that of a HelloRetryRequest, nil for none.
	Cookie []byte
}

// ParseServerHello reads the body of a ServerHello or HelloRetryRequest.
func ParseServerHello(body []byte) (Choice, error) {
	hello, err := tlswire.ParseServerHello(body)
	c := Choice{ServerHello: hello, Version: Version(hello.Version)}
	if err != nil {
		return c, err
	}
	if c.Version>>8 != 0xfe {
		return c, fmt.Errorf("a server hello of version %s", c.Version)
	}
	err = c.own(body)
	return c, err
}

// own reads the extensions that TLS over a stream has no use for. That they are
// well formed is known by now.
func (c *Choice) own(body []byte) error {
	var session, list cryptobyte.String
	in := cryptobyte.String(body)
	in.Skip(2 + 32)
	if !in.ReadUint8LengthPrefixed(&session) || !in.Skip(2+1) || !in.ReadUint16LengthPrefixed(&list) {
		return nil // no extensions
	}
	for !list.Empty() {
		var number uint16
		var ext cryptobyte.String
		if !list.ReadUint16(&number) || !list.ReadUint16LengthPrefixed(&ext) || !c.extension(number, ext) {
			return errors.New("an extension of a server hello")
		}
	}
	return nil
}

func (c *Choice) extension(number uint16, body cryptobyte.String) bool {
	switch number {
	case extServerType:
		return body.ReadUint8((*uint8)(&c.Type)) && body.Empty()
	case extCookie:
		var cookie cryptobyte.String
		ok := body.ReadUint16LengthPrefixed(&cookie) && body.Empty()
		c.Cookie = bytes.Clone(cookie)
		return ok
	}
	return true
}
