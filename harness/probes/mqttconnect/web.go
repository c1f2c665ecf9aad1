package mqttconnect

import (
	"context"
	"net/netip"
	"slices"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/internal/mqttdoor"
	"github.com/assay-iot/assay/harness/probes/services"
)

// doors returns the doors behind an HTTP listener.
func (w Web) doors() []Way {
	if w.MQTT != evidence.Yes {
		return nil
	}
	return mqttdoor.DoorsAt(w.Addr, w.TLS, w.Paths[len(w.Paths)-1].Path)
}

// behindHTTP looks for MQTT over WebSocket at every HTTP listener.
func (g *guest) behindHTTP(ctx context.Context, found services.Evidence) ([]Web, error) {
	var addrs []netip.AddrPort
	secure := map[netip.AddrPort]evidence.Tri{}
	for _, s := range found.Services {
		if s.Protocol == services.HTTP {
			addrs = append(addrs, s.Addr)
			secure[s.Addr] = s.TLS
		}
	}
	return probe.Each(ctx, addrs, func(at netip.AddrPort) (Web, error) {
		return g.web(ctx, Web{Addr: at, TLS: secure[at], MQTT: evidence.No})
	})
}

// web asks at each path, until one leads to a broker.
func (g *guest) web(ctx context.Context, w Web) (Web, error) {
	for _, path := range mqttdoor.Paths() {
		asked, err := g.ask(ctx, Way{Addr: w.Addr, TLS: w.TLS, Path: path})
		if err != nil {
			return w, err
		}
		w.Paths = append(w.Paths, asked)
		mqtt := evidence.Unknown
		switch {
		case slices.Contains(asked.Upgrades, mqttdoor.Upgraded):
			mqtt, err = g.answers(ctx, mqttdoor.DoorsAt(w.Addr, w.TLS, path))
		case slices.Contains(asked.Upgrades, mqttdoor.NotUpgraded):
			mqtt = evidence.No
		}
		switch {
		case err != nil:
			return w, err
		case mqtt == evidence.Yes:
			w.MQTT = evidence.Yes
			return w, nil
		case mqtt == evidence.Unknown:
			w.MQTT = evidence.Unknown
		}
	}
	return w, nil
}

// ask wishes for WebSocket, and once more unless HTTP answered.
func (g *guest) ask(ctx context.Context, way Way) (Asked, error) {
	asked := Asked{Path: way.Path}
	for range looks {
		how, span, err := mqttdoor.TryUpgrade(ctx, g.in, way)
		if err != nil {
			return asked, err
		}
		asked.Upgrades, asked.Span = append(asked.Upgrades, how), span
		if how == mqttdoor.Upgraded || how == mqttdoor.NotUpgraded {
			break
		}
	}
	return asked, nil
}

// answers reports whether a broker is behind a WebSocket: whether a CONNECT is
// answered by a CONNACK, be it a refusal. A WebSocket of something else says
// something else, or hangs up.
func (g *guest) answers(ctx context.Context, ways []Way) (evidence.Tri, error) {
	known := evidence.No
	for _, way := range ways {
		a, err := mqttdoor.Try(ctx, g.in, way, mqttdoor.Client{})
		switch {
		case err != nil:
			return evidence.Unknown, err
		case a.Answers != "":
			return evidence.Yes, nil
		case a.Outcome != Malformed && a.Outcome != Closed:
			known = evidence.Unknown
		}
	}
	return known, nil
}
