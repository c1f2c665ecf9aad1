package devices

import (
	"crypto/subtle"
	"slices"

	"github.com/assay-iot/assay/harness/device"
)

// An identity is who a client of the broker is. The zero value is a stranger.
type identity struct {
	user     string
	password string
	own      []string // filters of the topics that it may read and write
	all      bool     // it may read and write every topic
}

// An access says who may do what on a broker.
type access struct {
	identities []identity
	public     []string // filters of the topics that everybody may read
	admin      identity
	faults     Faults
	open       bool // strangers are let in
}

// newAccess reads who may do what from the device file.
func newAccess(u unit, restarted bool) access {
	a := access{faults: u.faults, open: u.faults.MQTTAnonymous || restarted && u.faults.PostureLostOnRestart}
	for _, row := range u.file.IXIT.SoftServ {
		if row.MQTT != nil {
			a.public = append(a.public, row.MQTT.PublicTopics...)
			a.add(u, row.MQTT)
		}
	}
	return a
}

func (a *access) add(u unit, m *device.MQTT) {
	for _, i := range m.Identities {
		if id, ok := u.identity(i.Credential); ok {
			id.own = i.Topics
			a.identities = append(a.identities, id)
		}
	}
	if id, ok := u.identity(m.ReadsAll); ok {
		a.identities = slices.DeleteFunc(a.identities, func(i identity) bool { return i.user == id.user })
		id.all = true
		a.admin = id
		a.identities = append(a.identities, id)
	}
}

// identity returns the holder of a credential, with the password of this unit.
func (u unit) identity(credential string) (identity, bool) {
	c, ok := known(u.file, credential)
	if !ok {
		return identity{}, false
	}
	p, err := password(u.serial, credential)
	return identity{user: c.User, password: p}, err == nil
}

// The pair that MQTTDefaultPassword adds.
const (
	defaultUser     = "admin"
	defaultPassword = "admin"
)

// A login is what a CONNECT brings.
type login struct {
	given    bool // a user or a password
	user     string
	password string
	version  byte // of the protocol: 4 is 3.1.1, 5 is 5
}

// who says who a client is, and whether it is let in.
func (a access) who(l login) (identity, bool) {
	if !l.given {
		return identity{}, a.open || a.faults.MQTTV5Unprotected && l.version == 5
	}
	i := slices.IndexFunc(a.identities, func(i identity) bool { return i.user == l.user })
	switch {
	case i >= 0 && subtle.ConstantTimeCompare([]byte(l.password), []byte(a.identities[i].password)) == 1:
		return a.identities[i], true
	case a.faults.MQTTDefaultPassword && l.user == defaultUser && l.password == defaultPassword:
		return a.admin, true
	case a.faults.MQTTAnyPassword && i >= 0:
		return a.identities[i], true
	}
	return identity{user: l.user}, a.faults.MQTTAnyPassword
}

// mayRead says whether messages of a topic reach the identity.
func (a access) mayRead(id identity, topic string) bool {
	if sys(topic) {
		return a.faults.MQTTSysOpen
	}
	return id.all || a.faults.MQTTWildcardReadable || anyOf(matches, id.own, topic) || anyOf(matches, a.public, topic)
}

// maySubscribe says whether a filter selects anything that the identity may
// read. What it may not read it is not sent.
func (a access) maySubscribe(id identity, filter string) bool {
	switch {
	case sys(filter):
		return a.faults.MQTTSysOpen
	case filter == "" || filter[0] == '$':
		return false
	}
	return id.all || a.faults.MQTTWildcardReadable || anyOf(overlap, id.own, filter) || anyOf(overlap, a.public, filter)
}

// mayWrite says whether the identity may publish to a topic. Nobody writes what
// the broker says of itself.
func (a access) mayWrite(id identity, topic string) bool {
	if topic == "" || topic[0] == '$' {
		return false
	}
	return id.all || a.faults.MQTTCrossPublish || anyOf(matches, id.own, topic)
}

// sys says whether a topic or filter is about the broker itself.
func sys(topic string) bool { return overlap("$SYS/#", topic) }
