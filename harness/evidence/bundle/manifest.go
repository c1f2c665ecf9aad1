package bundle

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"

	"github.com/assay-iot/assay/harness/evidence"
)

// schema is what this program writes. Whatever a later one writes, it reads
// this for ever.
const schema = "assay-bundle/1"

// maxManifest bounds the manifest, in bytes: enough for MaxMembers.
const maxManifest = 16 << 20

// manifest says what a bundle holds. It is what is signed.
type manifest struct {
	Schema     string                `json:"schema"`
	Run        string                `json:"run"`
	Tool       string                `json:"tool"`
	Records    int                   `json:"records"`
	Signer     string                `json:"signer"`     // Ed25519 public key in base64, empty if unsigned
	Recipients []string              `json:"recipients"` // who can read sealed.age
	Members    []evidence.Attachment `json:"members"`    // all but the manifest and the signature
}

func (m manifest) encode() []byte {
	b, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		panic(err) // strings and numbers alone
	}
	return append(b, '\n')
}

// parseManifest reads what encode writes, and nothing else.
func parseManifest(data []byte) (manifest, error) {
	var m manifest
	var version struct{ Schema string }
	if err := json.Unmarshal(data, &version); err != nil {
		return m, err
	}
	if version.Schema != schema {
		return m, fmt.Errorf("its schema is %q, and this program reads %q", version.Schema, schema)
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return m, err
	}
	if !bytes.Equal(m.encode(), data) {
		return m, errors.New("it is not in the form that assay writes")
	}
	return m, m.check()
}

var sha256Hex = regexp.MustCompile(`^[0-9a-f]{64}$`)

func (m manifest) check() error {
	if err := checkRunID(m.Run); err != nil {
		return err
	}
	if _, err := m.key(); err != nil {
		return err
	}
	required := map[evidence.Member]bool{RunName: true, recordsName: true, sealedName: true}
	var last evidence.Member
	for _, a := range m.Members {
		if r := rank(a.Member); r < 0 || r == manifestRank || r == signatureRank || last != "" && inOrder(last, a.Member) >= 0 {
			return fmt.Errorf("member %q has no place after %q", a.Member, last)
		}
		if a.Length < 0 || a.Length > MaxBundle || !sha256Hex.MatchString(string(a.SHA256)) {
			return fmt.Errorf("member %q has no length or no hash", a.Member)
		}
		last = a.Member
		delete(required, a.Member)
	}
	for _, name := range sortedNames(required) {
		return fmt.Errorf("member %q is missing", name)
	}
	return nil
}

// key returns the signer's public key, nil if the bundle is unsigned.
func (m manifest) key() ([]byte, error) {
	if m.Signer == "" {
		return nil, nil
	}
	key, err := base64.StdEncoding.Strict().DecodeString(m.Signer)
	if err != nil || len(key) != publicKeyLen {
		return nil, fmt.Errorf("its signer %q is no Ed25519 key", m.Signer)
	}
	return key, nil
}

// byName returns the members by their names.
func (m manifest) byName() map[evidence.Member]evidence.Attachment {
	members := map[evidence.Member]evidence.Attachment{}
	for a := range slices.Values(m.Members) {
		members[a.Member] = a
	}
	return members
}
