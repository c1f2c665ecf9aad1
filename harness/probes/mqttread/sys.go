package mqttread

import (
	"bytes"
	"net/netip"
	"regexp"
	"slices"
	"strings"
)

// sysPrefix begins the topics in which brokers speak of themselves.
const sysPrefix = "$SYS"

// isSys reports whether a topic is about the broker.
func isSys(topic string) bool { return topic == sysPrefix || strings.HasPrefix(topic, sysPrefix+"/") }

// us is what a broker may say of our own session, and what it may say of itself.
type us struct {
	id     string         // our client identifier
	local  netip.AddrPort // our end of the connection
	device netip.Addr     // its own address, which is no secret
}

var (
	// connected is a line of a log: New client connected from ADDRESS as ID
	// (p2, c1, k60, u'USER').
	connected = regexp.MustCompile(`client connected from \S+ as \S+ \(([^)]*u'[^']+')?`)
	// fields of JSON that tell of a client, with something in them.
	idField   = regexp.MustCompile(`(?i)"client[_-]?id"\s*:\s*"[^"]`)
	userField = regexp.MustCompile(`(?i)"user([_-]?name)?"\s*:\s*"[^"]`)
	peerField = regexp.MustCompile(`(?i)"(ip[_-]?addr(ess)?|peer([_-]?(host|name|addr(ess)?))?|remote([_-]?addr(ess)?)?)"\s*:\s*"[^"]`)
	// number is a counter, a mean or a time, with its unit.
	number = regexp.MustCompile(`^\s*-?[0-9][0-9.,:]*(e[+-]?[0-9]+)?( ?[A-Za-z/%]{1,12})?\s*$`)
	// totals are what follows "clients" in topics of counters.
	totals = []string{"total", "connected", "disconnected", "active", "inactive", "maximum", "expired", "count", "max", "stats"}
)

// about says what a message below $SYS tells.
func about(topic string, payload []byte, u us) []About {
	said := map[About]bool{}
	line := connected.FindSubmatch(payload)
	said[ClientID] = bytes.Contains(payload, []byte(u.id)) || strings.Contains(topic, u.id) ||
		line != nil || idField.Match(payload) || clientInTopic(topic, payload)
	said[UserName] = line != nil && len(line[1]) > 0 || userField.Match(payload)
	version := strings.Contains(strings.ToLower(topic[lastSlash(topic)+1:]), "version")
	said[PeerAddress] = line != nil || peerField.Match(payload) || !version && hasAddress(payload, u)
	switch {
	case version:
		said[Version] = true
	case number.Match(payload):
		said[Counter] = true
	}
	var list []About
	for _, a := range []About{ClientID, UserName, PeerAddress, Version, Counter} {
		if said[a] {
			list = append(list, a)
		}
	}
	if len(list) == 0 {
		list = []About{SomeOther}
	}
	return list
}

// clientInTopic reports whether a topic has a level for each client:
// …/clients/ID/….
func clientInTopic(topic string, payload []byte) bool {
	levels := strings.Split(topic, "/")
	i := slices.Index(levels, "clients")
	if i < 0 || i+2 >= len(levels) {
		return false // nothing below the level of one client
	}
	return !slices.Contains(totals, levels[i+1]) && !number.Match(payload)
}

// hasAddress reports whether a payload holds the address of a client: ours, or
// one that is not the device's own.
func hasAddress(payload []byte, u us) bool {
	for _, word := range bytes.FieldsFunc(payload, notOfAddress) {
		if at, err := netip.ParseAddrPort(string(word)); err == nil {
			if at == u.local || isPeer(at.Addr(), u) {
				return true
			}
			continue
		}
		if a, err := netip.ParseAddr(strings.Trim(string(word), "[].:")); err == nil && isPeer(a, u) {
			return true
		}
	}
	return false
}

func isPeer(a netip.Addr, u us) bool {
	return !a.IsUnspecified() && !a.IsMulticast() && a.Unmap() != u.device.Unmap()
}

// notOfAddress reports whether a character has no place in an address and port.
func notOfAddress(r rune) bool { return !strings.ContainsRune("0123456789abcdefABCDEF.:[]", r) }
