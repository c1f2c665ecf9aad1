package device

import (
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"time"

	"github.com/assay-iot/assay/harness/msg"
)

// LwM2M says where the device was set to connect as a client of LwM2M. The
// harness plays a server whose address is one of the machine that it runs on.
type LwM2M struct {
	// Used says whether the device is such a client at all. Who names a server
	// need not say it.
	Used            Answered `yaml:"used"`
	BootstrapServer Server   `yaml:"bootstrap_server"`
	Server          Server   `yaml:"server"`
	EndpointName    string   `yaml:"endpoint_name"` // by which the device registers
	// Credential is the ID of a log-in with service lwm2m: its user is the PSK
	// identity that the device shows, its password the key.
	Credential string `yaml:"credential"`
	// Retry is how long the device waits until it tries again to reach a server.
	Retry Interval `yaml:"retry"`
}

// LwM2MService is the service of credentials for LwM2M.
const LwM2MService = "lwm2m"

// The schemes of a Server (RFC 7252, 6.1 and 6.2).
const (
	InClear    = "coap"
	InsideDTLS = "coaps"
)

// defaultPorts are those of the schemes.
var defaultPorts = map[string]uint16{InClear: 5683, InsideDTLS: 5684}

// A Server is where a device connects to, such as coaps://192.168.1.10:5684. The
// zero value is none.
type Server struct {
	Scheme string // InClear or InsideDTLS
	Addr   netip.AddrPort
}

// String writes s as it is read; nothing for the zero value.
func (s Server) String() string {
	if s == (Server{}) {
		return ""
	}
	return s.Scheme + "://" + s.Addr.String()
}

// ParseServer reads what String writes; the port may be left out. A name is not
// taken: who shall answer for it has to be an address.
func ParseServer(text string) (Server, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || text != u.Scheme+"://"+u.Host || defaultPorts[u.Scheme] == 0 {
		return Server{}, fmt.Errorf("%q is no server, such as coaps://192.168.1.10:5684", text)
	}
	addr, err := parseAddr(u.Hostname())
	if err != nil {
		return Server{}, fmt.Errorf("%q does not name an address, as in coaps://192.168.1.10:5684", text)
	}
	port := defaultPorts[u.Scheme]
	if u.Port() != "" {
		n, err := strconv.ParseUint(u.Port(), 10, 16)
		if err != nil || !decimal.MatchString(u.Port()) {
			return Server{}, fmt.Errorf("%q is no port: a number from 1 to 65535", u.Port())
		}
		port = uint16(n)
	}
	return Server{u.Scheme, netip.AddrPortFrom(addr, port)}, nil
}

// An Interval is a length of time, such as "30s" or "5m0s". The zero value is
// none.
type Interval struct{ time.Duration }

// longestInterval is that of a retry: half of the longest that a run waits for a
// device.
const longestInterval = 15 * time.Minute

func (f *File) validateLwM2M() error {
	l := f.IXIT.LwM2M
	if l == nil {
		return nil
	}
	const path = "ixit.lwm2m"
	var none Server
	for _, s := range []struct {
		key string
		Server
	}{{".bootstrap_server", l.BootstrapServer}, {".server", l.Server}} {
		switch {
		case s.Server == none:
		case l.Used == No:
			return f.fault(path+s.key, "leave the server out, or write used: yes", "%q names a server of a client that is not used", path+s.key)
		case !s.Addr.Addr().IsGlobalUnicast() && !s.Addr.Addr().IsLoopback():
			return f.fault(path+s.key, "name one address of the machine that runs the test", "%s stands for more than one machine, or for none", s.Addr.Addr())
		}
	}
	if l.Server != none && l.Server.Addr == l.BootstrapServer.Addr {
		return f.fault(path+".server", "set the device to another port for one of them: by the port they are told apart", "both servers are at %s", l.Server.Addr)
	}
	if l.Retry.Duration > longestInterval {
		return f.fault(path+".retry", "restart the device during the run instead", "a run does not wait longer than %s for a device to try again", longestInterval)
	}
	return f.validateLwM2MCredential(path+".credential", l.Credential)
}

func (f *File) validateLwM2MCredential(path, id string) error {
	if id == "" {
		return nil
	}
	for _, c := range f.Credentials {
		switch {
		case c.ID != id:
		case c.Service != LwM2MService:
			return f.fault(path, "add a credential with service lwm2m", "credential %q is for service %q", id, c.Service)
		default:
			return nil
		}
	}
	return f.knownCredential(path, id, nil)
}

// lintLwM2M asks for what a run needs to play the servers.
func lintLwM2M(l *LwM2M, add addNote) {
	if l == nil || l.Used == No {
		return
	}
	const path = "ixit.lwm2m"
	add(path+".server", l.Server == (Server{}), msg.T("no LwM2M server is named: how the device registers cannot be seen"),
		msg.T("set the device to register at an address of the machine that runs the test, and write it as server: coaps://ADDRESS:PORT"))
	secure := l.Server.Scheme == InsideDTLS || l.BootstrapServer.Scheme == InsideDTLS
	add(path+".credential", secure && l.Credential == "", msg.T("no pre-shared key is given for LwM2M: a handshake of the device cannot be completed"),
		msg.T("add a credential with service lwm2m, its user the PSK identity, and name it in ixit.lwm2m.credential"))
	add(path+".retry", l.Retry.Duration == 0, msg.T("it is not said how long the device waits until it tries again: a run waits for a minute"),
		msg.T("add retry, such as 30s"))
}
