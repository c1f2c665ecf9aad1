package lwm2mbench

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/internal/secretpattern"
)

// keyClass is what a pre-shared key is masked as.
const keyClass evidence.SecretClass = "psk"

// A looker looks for secrets in what came in clear. The zero value looks for
// nothing.
type looker struct {
	hide func(evidence.SecretClass, []byte) evidence.Secret
	keys [][]byte // the declared key, as it may be written
}

// newLooker hides every form of the key before anything is written down.
func newLooker(hide func(evidence.SecretClass, []byte) evidence.Secret, key []byte) looker {
	l := looker{hide: hide}
	if len(key) == 0 {
		return l
	}
	digits := []byte(hex.EncodeToString(key))
	for _, form := range [][]byte{key, digits, bytes.ToUpper(digits), []byte(base64.StdEncoding.EncodeToString(key))} {
		hide(keyClass, form)
		l.keys = append(l.keys, form)
	}
	return l
}

// in looks into one datagram, as it is.
func (l looker) in(datagram []byte) (key evidence.Tri, secrets []evidence.Secret) {
	if l.hide == nil {
		return evidence.Unknown, nil
	}
	if len(l.keys) > 0 {
		key = evidence.No
	}
	for _, k := range l.keys {
		if bytes.Contains(datagram, k) {
			key = evidence.Yes
		}
	}
	for _, f := range secretpattern.Find(nil, datagram) {
		secrets = append(secrets, l.hide(f.Class, datagram[f.From:f.To]))
	}
	return key, secrets
}
