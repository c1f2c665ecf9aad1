package bundle

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"
)

const (
	publicKeyLen = ed25519.PublicKeySize
	payloadType  = "application/vnd.assay.manifest+json"
)

// A Signer signs bundles.
type Signer struct {
	key    ed25519.PrivateKey
	public ed25519.PublicKey
}

// NewSigner returns a signer that uses key.
func NewSigner(key ed25519.PrivateKey) *Signer {
	public, _ := key.Public().(ed25519.PublicKey) // it is, says its documentation
	return &Signer{key, public}
}

// Public returns the key that verifies what s signs.
func (s *Signer) Public() ed25519.PublicKey { return s.public }

// Fingerprint is the SHA-256 of a public key, in lower-case hexadecimal.
func Fingerprint(key ed25519.PublicKey) string { return string(digest(key)) }

// ShortFingerprint is the beginning of the fingerprint, for people to compare.
// What is trusted is always the whole key.
func ShortFingerprint(key ed25519.PublicKey) string {
	f := Fingerprint(key)
	return f[:4] + "-" + f[4:8] + "-" + f[8:12] + "-" + f[12:16]
}

// sign returns the signature member: a DSSE envelope around the manifest.
func (s *Signer) sign(manifest []byte) []byte {
	sig := ed25519.Sign(s.key, dsse.PAE(payloadType, manifest))
	return envelope(manifest, s.Public(), sig)
}

// envelope writes a DSSE envelope in the one form that is read.
func envelope(manifest []byte, key ed25519.PublicKey, sig []byte) []byte {
	b, err := json.Marshal(dsse.Envelope{
		PayloadType: payloadType,
		Payload:     base64.StdEncoding.EncodeToString(manifest),
		Signatures:  []dsse.Signature{{KeyID: Fingerprint(key), Sig: base64.StdEncoding.EncodeToString(sig)}},
	})
	if err != nil {
		panic(err) // strings alone
	}
	return append(b, '\n')
}

// envelopeLen is how long the envelope around a manifest is.
func envelopeLen(manifest []byte) int {
	return len(envelope(manifest, make([]byte, publicKeyLen), make([]byte, ed25519.SignatureSize)))
}

// verifyEnvelope reports whether data is the envelope with key's signature
// around manifest.
func verifyEnvelope(data, manifest []byte, key ed25519.PublicKey) error {
	var e dsse.Envelope
	if err := json.Unmarshal(data, &e); err != nil {
		return err
	}
	if len(e.Signatures) != 1 {
		return fmt.Errorf("it holds %d signatures, want 1", len(e.Signatures))
	}
	sig, err := base64.StdEncoding.DecodeString(e.Signatures[0].Sig)
	if err != nil {
		return err
	}
	if !bytes.Equal(envelope(manifest, key, sig), data) {
		return errors.New("it is not the signer's envelope around the manifest")
	}
	if !ed25519.Verify(key, dsse.PAE(payloadType, manifest), sig) {
		return errors.New("the signature is wrong")
	}
	return nil
}
