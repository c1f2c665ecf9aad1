package devices

import (
	"crypto/tls"
	"crypto/x509"
	"net/netip"
	"slices"
	"time"

	"github.com/assay-iot/assay/harness/device"
)

// tlsConfig says how the unit speaks TLS. Version 1.3 leaves nothing to choose;
// the faults add what it left behind.
func (u unit) tlsConfig() *tls.Config {
	c := &tls.Config{Certificates: []tls.Certificate{u.cert}, MinVersion: tls.VersionTLS13}
	if u.oddities.OlderTLS {
		c.MinVersion = tls.VersionTLS12
	}
	if u.faults.TLSWeakSuites {
		c.MinVersion = tls.VersionTLS12
		c.CipherSuites = weakSuites
	}
	if u.faults.TLSMaxVersion {
		c.MinVersion = tls.VersionTLS10
	}
	if u.faults.TLSStaticRSAOnly {
		c.MinVersion, c.MaxVersion = tls.VersionTLS12, tls.VersionTLS12
		c.CipherSuites = staticSuites
	}
	return c
}

// Suites of the faults. What the library would not choose by itself it does
// when told so.
var (
	weakSuites = []uint16{
		tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
		tls.TLS_ECDHE_ECDSA_WITH_RC4_128_SHA, tls.TLS_ECDHE_RSA_WITH_RC4_128_SHA, tls.TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA,
	}
	staticSuites = []uint16{tls.TLS_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_RSA_WITH_AES_256_GCM_SHA384}
)

// RSA keys of the faults.
const (
	weakBits  = 1024
	soundBits = 2048
)

// wrongName is the name of another device.
const wrongName = "washing-machine.example"

// soundPapers are those that the maker gives a unit.
func (u unit) soundPapers(now time.Time) papers {
	p := papers{model: u.file.Device.Model, addrs: []netip.Addr{u.addr}, selfSigned: u.oddities.SelfSigned}
	for _, row := range u.file.IXIT.SoftServ {
		if row.TLS == device.Yes && len(row.TCP) > 0 {
			p.names = append(p.names, row.ServerNames...)
		}
	}
	slices.Sort(p.names)
	p.names = slices.DeleteFunc(slices.Compact(p.names), func(name string) bool {
		_, err := netip.ParseAddr(name)
		return err == nil
	})
	if u.oddities.NotYetValid {
		p.from = now.Add(ahead).Truncate(time.Second)
	}
	if u.oddities.NeverExpires {
		p.until = never
	}
	return p
}

// ahead is by how much the clock of the maker was fast.
const ahead = 30 * time.Minute

// never is how RFC 5280 section 4.1.2.5 writes that a certificate has no end.
var never = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)

// papers are those that the unit presents.
func (u unit) papers(now time.Time) papers {
	p, f := u.soundPapers(now), u.faults
	p.selfSigned = p.selfSigned || f.TLSSelfSigned
	if f.TLSWrongName {
		p.names, p.addrs = []string{wrongName}, nil
	}
	if f.TLSExpiredCertificate {
		p.until = time.Date(2025, 7, 1, 0, 0, 0, 0, time.UTC)
	}
	if f.TLSStaticRSAOnly {
		p.rsaBits = soundBits
	}
	if f.TLSWeakKey {
		p.rsaBits = weakBits
	}
	return p
}

// certified gives the unit its certificate. What the maker pins is the sound
// one, also where the unit presents another.
func (u unit) certified(now time.Time) (unit, error) {
	sound, err := certificate(u.serial, u.soundPapers(now))
	if err != nil {
		return u, err
	}
	u.pinned = sound.Leaf
	u.cert, err = certificate(u.serial, u.papers(now))
	return u, err
}

// leaf returns the certificate that the unit presents.
func (u unit) leaf() *x509.Certificate { return u.cert.Leaf }
