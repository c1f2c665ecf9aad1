package powercycle

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/internal/mqttdoor"
	"github.com/assay-iot/assay/harness/probes/internal/tlsinside"
	"github.com/assay-iot/assay/harness/probes/services"
	"github.com/assay-iot/assay/harness/transport"
)

// open are the ports of the device that were open when the run began.
func (c *cycle) open() []netip.AddrPort {
	var addrs []netip.AddrPort
	for _, p := range c.ports.Open {
		if !slices.Contains(c.ports.Host, p.Addr) && len(addrs) < probe.MaxOpen {
			addrs = append(addrs, p.Addr)
		}
	}
	return addrs
}

// twice takes two looks.
func (c *cycle) twice(ctx context.Context) ([]Look, error) {
	var list []Look
	for range looks {
		l, err := c.look(ctx)
		if err != nil {
			return list, err
		}
		list = append(list, l)
	}
	return list, nil
}

// look looks at each port.
func (c *cycle) look(ctx context.Context) (Look, error) {
	var l Look
	for _, addr := range c.open() {
		e, err := c.endpoint(ctx, addr)
		if err != nil {
			return l, fmt.Errorf("%s: %w", addr, err)
		}
		l.Endpoints = append(l.Endpoints, e)
	}
	return l, nil
}

func (c *cycle) endpoint(ctx context.Context, addr netip.AddrPort) (Endpoint, error) {
	e := Endpoint{Addr: addr, Accepts: evidence.No}
	i := slices.IndexFunc(c.spoke.Services, func(s services.Service) bool { return s.Addr == addr })
	inTLS := i >= 0 && c.spoke.Services[i].TLS == evidence.Yes
	act, err := c.act(ctx, func(ctx context.Context) (err error) {
		e.Certificate, err = certificate(ctx, c.in.Net, addr, inTLS)
		return err
	})
	if err != nil || act != transport.Answered {
		return e, err
	}
	e.Accepts = evidence.Yes
	if i >= 0 {
		e.Doors, err = c.doors(ctx, c.spoke.Services[i])
	}
	return e, err
}

// certificate connects and, inside TLS, returns the hash of what is presented.
// A handshake that comes to nothing is no error: the port accepts nevertheless.
func certificate(ctx context.Context, d transport.Dialer, addr netip.AddrPort, inTLS bool) (evidence.Digest, error) {
	conn, err := d.Dial(transport.Within(ctx, shake), addr)
	if err != nil || !inTLS {
		return "", closed(conn, err)
	}
	h, err := tlsinside.Open(ctx, d, conn)
	if h.Session == nil {
		return "", err
	}
	var digest evidence.Digest
	if certs := h.Session.State.PeerCertificates; len(certs) > 0 {
		sum := sha256.Sum256(certs[0].Raw)
		digest = evidence.Digest(hex.EncodeToString(sum[:]))
	}
	return digest, h.Session.Close()
}

func closed(conn transport.Conn, err error) error {
	if conn == nil {
		return err
	}
	return errors.Join(err, conn.Close())
}

// doors knocks at the doors of a broker without a log-in and with a random one.
func (c *cycle) doors(ctx context.Context, s services.Service) ([]Door, error) {
	var list []Door
	for _, way := range mqttdoor.Doors(services.Evidence{Services: []services.Service{s}}) {
		d, random := Door{Way: way}, mqttdoor.RandomLogin()
		var err error
		if d.Anonymous, err = mqttdoor.Try(ctx, c.in, way, mqttdoor.Client{}); err != nil {
			return nil, err
		}
		if d.Random, err = mqttdoor.Try(ctx, c.in, way, mqttdoor.Client{Login: &random, Charge: true}); err != nil {
			return nil, err
		}
		list = append(list, d)
	}
	return list, nil
}

// answering returns which of the addresses answer at all, accepting or not.
func (c *cycle) answering(ctx context.Context, addrs []netip.AddrPort, counts func(transport.Act) bool) ([]netip.AddrPort, error) {
	var list []netip.AddrPort
	for _, addr := range addrs {
		act, err := c.act(ctx, func(ctx context.Context) error {
			conn, err := c.in.Net.Dial(ctx, addr)
			return closed(conn, err)
		})
		if err != nil {
			return nil, err
		}
		if counts(act) {
			list = append(list, addr)
		}
	}
	return list, nil
}

func accepts(a transport.Act) bool { return a == transport.Answered }

// quiet waits until no port accepts a connection, in two looks.
func (c *cycle) quiet(ctx context.Context) error {
	begun := time.Now()
	for c.e.Off = (Off{}); c.e.Off.Quiet < looks; {
		left, err := c.answering(ctx, c.open(), accepts)
		if err != nil {
			return err
		}
		c.e.Off.Answered, c.e.Off.Waited = left, time.Since(begun)
		if len(left) == 0 {
			c.e.Off.Quiet++
			continue
		}
		c.e.Off.Quiet = 0
		if c.e.Off.Waited > quietWithin {
			return fmt.Errorf("%d ports still answer %s after the power was cut", len(left), quietWithin)
		}
		if err := pause(ctx, pollEvery); err != nil {
			return err
		}
	}
	return nil
}

// back waits until every port accepts again that did so in both looks before.
func (c *cycle) back(ctx context.Context) error {
	begun, gone := time.Now(), c.accepted()
	for {
		there, err := c.answering(ctx, gone, accepts)
		if err != nil {
			return err
		}
		gone = slices.DeleteFunc(gone, func(a netip.AddrPort) bool { return slices.Contains(there, a) })
		c.e.Back.Waited = time.Since(begun)
		switch {
		case len(gone) == 0:
			c.e.Back.All, c.e.Back.Gone = evidence.Yes, nil
			return nil
		case c.e.Back.Waited > backWithin:
			return c.notBack(ctx, gone)
		}
		if err := pause(ctx, pollEvery); err != nil {
			return err
		}
	}
}

// notBack looks once more at the ports that did not come back.
func (c *cycle) notBack(ctx context.Context, gone []netip.AddrPort) error {
	there, err := c.answering(ctx, gone, accepts)
	if err != nil {
		return err
	}
	gone = slices.DeleteFunc(gone, func(a netip.AddrPort) bool { return slices.Contains(there, a) })
	c.e.Back.All, c.e.Back.Gone = evidence.Yes, gone
	if len(gone) == 0 {
		return nil
	}
	c.e.Back.All = evidence.No
	return fmt.Errorf("%d ports did not accept a connection again within %s", len(gone), backWithin)
}

// accepted are the ports that accepted in both looks before.
func (c *cycle) accepted() []netip.AddrPort {
	seen := map[netip.AddrPort]int{}
	var list []netip.AddrPort
	for _, l := range c.e.Before {
		for _, e := range l.Endpoints {
			if e.Accepts != evidence.Yes {
				continue
			}
			if seen[e.Addr]++; seen[e.Addr] == looks {
				list = append(list, e.Addr)
			}
		}
	}
	return list
}

// opened looks twice at the ports that did not accept when the run began.
func (c *cycle) opened(ctx context.Context) ([]Opened, int, error) {
	known := slices.Concat(c.ports.OpenAddrs(), c.ports.Host, c.in.Target.Exclude)
	rest := slices.DeleteFunc(c.in.Target.Endpoints(), func(a netip.AddrPort) bool { return slices.Contains(known, a) })
	seen := make([]int, len(rest))
	var ours error
	for range looks {
		transport.Knock(ctx, c.in.Net, rest, patience, func(i int, err error) {
			act, err := transport.Did(ctx, err)
			switch {
			case err != nil && ours == nil:
				ours = fmt.Errorf("%s: %w", rest[i], err)
			case act == transport.Answered:
				seen[i]++
			}
		})
		if ours != nil {
			return nil, 0, ours
		}
	}
	var list []Opened
	for i, n := range seen {
		if n > 0 {
			list = append(list, Opened{rest[i], n})
		}
	}
	return list, len(c.in.Target.Ports), nil
}
