package devices

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/pion/dtls/v3"
	dtlsnet "github.com/pion/dtls/v3/pkg/net"
	coapdtls "github.com/plgd-dev/go-coap/v3/dtls"
	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"
	"github.com/plgd-dev/go-coap/v3/message/pool"
	"github.com/plgd-dev/go-coap/v3/mux"
	"github.com/plgd-dev/go-coap/v3/options"
	"github.com/plgd-dev/go-coap/v3/pkg/runner/periodic"
	coapudp "github.com/plgd-dev/go-coap/v3/udp"

	"github.com/assay-iot/assay/harness/device"
)

const (
	// callAgain is how long the client waits before it tries again to reach a
	// server that did not answer, and callWithin how long an answer may take.
	callAgain  = 250 * time.Millisecond
	callWithin = time.Second
	// bootstraps is how often it asks for a bootstrap from which nothing comes,
	// before it goes on with the account that it has.
	bootstraps = 2
	// reportEvery is how often it updates its registration. A meter in a cellar
	// does so once a day, which no lesson waits for.
	reportEvery = 2 * time.Second
	// lifetime of a registration, in seconds.
	lifetime = 60
)

// lwm2mServers are where the client connects to. The zero value is nowhere.
type lwm2mServers struct{ bootstrap, server device.Server }

// reachable returns the servers of a device file with ports on which somebody
// can listen: several devices run on one machine, and each has servers of its
// own.
func reachable(ctx context.Context, l *device.LwM2M) (s lwm2mServers, err error) {
	if l == nil {
		return s, nil
	}
	if s.bootstrap, err = reachableServer(ctx, l.BootstrapServer); err != nil {
		return s, err
	}
	s.server, err = reachableServer(ctx, l.Server)
	return s, err
}

func reachableServer(ctx context.Context, s device.Server) (device.Server, error) {
	if s == (device.Server{}) {
		return s, nil
	}
	if !s.Addr.Addr().IsLoopback() {
		return s, fmt.Errorf("the server %s is no loopback address, and an insecure device connects nowhere else", s)
	}
	c, err := bindUDP(ctx, netip.AddrPortFrom(s.Addr.Addr(), 0))
	if errors.Is(err, syscall.EADDRNOTAVAIL) {
		c, err = bindUDP(ctx, netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), 0))
	}
	if err != nil {
		return s, fmt.Errorf("looking for a port for %s: %w", s, err)
	}
	s.Addr = c.LocalAddr().(*net.UDPAddr).AddrPort()
	return s, c.Close()
}

// A lwm2mClient bootstraps, registers and reports, for as long as the device is
// on and somebody answers.
type lwm2mClient struct {
	unit    unit
	file    *device.LwM2M
	servers lwm2mServers
	closed  chan struct{}
	done    chan struct{}
}

func newLwM2MClient(u unit, s lwm2mServers) *lwm2mClient {
	return &lwm2mClient{unit: u, file: u.file.IXIT.LwM2M, servers: s, closed: make(chan struct{}), done: make(chan struct{})}
}

func (c *lwm2mClient) begin() error {
	go func() {
		defer close(c.done)
		for {
			// Nobody may be there: then it is tried again.
			if c.bootstraps() == nil {
				_ = c.registers()
			}
			if !c.pause(callAgain) {
				return
			}
		}
	}()
	return nil
}

func (c *lwm2mClient) end() error {
	close(c.closed)
	<-c.done
	return nil
}

// pause reports whether the device is still on after a while.
func (c *lwm2mClient) pause(d time.Duration) bool {
	select {
	case <-c.closed:
		return false
	case <-time.After(d):
		return true
	}
}

var errOff = errors.New("the device is off")

// bootstraps asks for a bootstrap, and waits for what the server writes.
func (c *lwm2mClient) bootstraps() error {
	if c.servers.bootstrap == (device.Server{}) {
		return nil
	}
	secure := c.servers.bootstrap.Scheme == device.InsideDTLS && !c.unit.faults.LwM2MNoSecBootstrap
	for range bootstraps {
		err := c.session(c.servers.bootstrap.Addr, secure, func(s mux.Conn) error {
			_, err := c.call(s, "/bs", "", codes.Changed, "ep="+c.file.EndpointName)
			return err
		})
		if err != nil {
			return err
		}
		if !c.pause(callAgain) {
			return errOff
		}
	}
	return nil
}

// registers stays registered until the server is gone.
func (c *lwm2mClient) registers() error {
	at := c.servers.server
	if at == (device.Server{}) {
		return nil
	}
	return c.session(at.Addr, at.Scheme == device.InsideDTLS, func(s mux.Conn) error {
		for where := ""; c.pause(0); {
			var err error
			if where == "" {
				if where, err = c.register(s); err != nil {
					return err
				}
			}
			if !c.pause(reportEvery) {
				break
			}
			r, err := c.call(s, where, "", codes.Changed)
			if r != nil && r.Code() == codes.NotFound {
				where, err = "", nil // the server does not know it any more
			}
			if err != nil {
				return err
			}
		}
		return errOff
	})
}

// objects is what the client says that it has.
const objects = "</1/0>,</3/0>,</3303/0>,</3424/0>"

func (c *lwm2mClient) register(s mux.Conn) (where string, err error) {
	r, err := c.call(s, "/rd", objects, codes.Created, "ep="+c.file.EndpointName, "lt="+strconv.Itoa(lifetime), "lwm2m=1.1", "b=U")
	if err != nil {
		return "", err
	}
	return r.Options().LocationPath()
}

// call makes one request. Where the server answers, and not as hoped, there is an
// answer and an error.
func (c *lwm2mClient) call(s mux.Conn, path, body string, want codes.Code, queries ...string) (*pool.Message, error) {
	ctx, cancel := context.WithTimeout(s.Context(), callWithin)
	defer cancel()
	m := s.AcquireMessage(ctx)
	defer s.ReleaseMessage(m)
	token, err := message.GetToken()
	if err == nil {
		err = m.SetupPost(path, token, message.AppLinkFormat, nil)
	}
	if err != nil {
		return nil, err
	}
	if body != "" {
		m.SetBody(bytes.NewReader([]byte(body)))
	}
	for _, q := range queries {
		m.AddOptionString(message.URIQuery, q)
	}
	r, err := s.Do(m)
	if err == nil && r.Code() != want {
		err = fmt.Errorf("the server answered %s", r.Code())
	}
	return r, err
}

// session connects to a server, which sees the device's own address.
func (c *lwm2mClient) session(to netip.AddrPort, secure bool, talk func(mux.Conn) error) error {
	udp, err := net.DialUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(c.unit.addr, 0)), net.UDPAddrFromAddrPort(to))
	if err != nil {
		return err
	}
	quiet := options.WithErrors(func(error) {})
	tick := options.WithPeriodicRunner(periodic.New(c.closed, coapTick))
	var s mux.Conn
	if secure {
		inside, err := c.shake(udp)
		if err != nil {
			return errors.Join(err, udp.Close())
		}
		s = coapdtls.Client(inside, quiet, tick, options.WithCloseSocket())
	} else {
		s = coapudp.Client(udp, quiet, tick, options.WithCloseSocket())
	}
	gone := c.whenOff(func() { _ = s.Close() }) // it ends either way
	err = talk(s)
	_ = s.Close()
	<-s.Done()
	gone()
	return err
}

// shake shakes hands with the key of this unit.
func (c *lwm2mClient) shake(udp *net.UDPConn) (*dtls.Conn, error) {
	credential, ok := known(c.unit.file, c.file.Credential)
	if !ok {
		return nil, fmt.Errorf("there is no credential %q", c.file.Credential)
	}
	key, err := preShared(c.unit.serial, credential)
	if err != nil {
		return nil, err
	}
	inside, err := dtls.ClientWithOptions(dtlsnet.PacketConnFromConn(udp), udp.RemoteAddr(),
		dtls.WithPSK(func([]byte) ([]byte, error) { return key, nil }), dtls.WithPSKIdentityHint([]byte(credential.User)),
		dtls.WithCipherSuites(dtls.TLS_PSK_WITH_AES_128_CCM_8, dtls.TLS_PSK_WITH_AES_128_GCM_SHA256))
	if err != nil {
		return nil, err
	}
	patience := time.AfterFunc(callWithin, func() { _ = udp.Close() })
	defer patience.Stop()
	gone := c.whenOff(func() { _ = udp.Close() })
	defer gone()
	if err := inside.Handshake(); err != nil {
		return nil, errors.Join(err, inside.Close())
	}
	return inside, nil
}

// whenOff calls f if the device is switched off before the function that it
// returns is called.
func (c *lwm2mClient) whenOff(f func()) (forget func()) {
	over := make(chan struct{})
	var waiting sync.WaitGroup
	waiting.Go(func() {
		select {
		case <-c.closed:
			f()
		case <-over:
		}
	})
	return func() {
		close(over)
		waiting.Wait()
	}
}
