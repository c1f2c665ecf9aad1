package tlsserver

import (
	"crypto/x509"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/services"
)

// A device that takes whatever it is offered, at every port that is looked at,
// and shows other certificates each time, fills no more than one record.
func TestLargestRecord(t *testing.T) {
	t.Parallel()
	var n atomic.Int64
	at := rawServer(t, func(o offer) []byte {
		c := template(fmt.Sprintf("%d.example", n.Add(1)), strings.Repeat("x", 200)+".example")
		c.SerialNumber = new(big.Int).Lsh(big.NewInt(n.Load()), 100)
		c.Subject.Organization = []string{strings.Repeat("o", 2000)}
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
		last := o.suites[len(o.suites)-1]
		if o.version == uint16(TLS13) {
			return chosen(o.version, last)
		}
		return flight(o.version, last, selfMade(t, ecKey(), c).Certificate[0])
	})
	var found []services.Service
	for range probe.MaxOpen {
		found = append(found, over(at))
	}
	e, err := collect(t, found...) // looks at the size too
	require.NoError(t, err)
	data, err := json.Marshal(e.Evidence)
	require.NoError(t, err)
	t.Logf("%d bytes, %d certificates", len(data), len(e.Certificates))
	suites := 0
	for _, l := range e.Listeners {
		assert.Equal(t, TooMany, l.Cut)
		for _, v := range l.Versions {
			suites += len(v.Suites)
			assert.True(t, v.Code == TLS13 || v.Complete != evidence.Yes, "of TLS 1.3 it took all that there is")
		}
	}
	assert.Less(t, suites, mostSuites+mostHellos)
	assert.Len(t, e.Certificates, mostCertificates)
}
