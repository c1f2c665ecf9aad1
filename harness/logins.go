package harness

import (
	"github.com/assay-iot/assay/harness/defaults"
	"github.com/assay-iot/assay/harness/device"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/transport"
)

// logins are the credentials of one unit.
type logins struct {
	given  map[string][]probe.Login // by service
	vendor string
	net    transport.Dialer
}

// readLogins reads all credentials of a device file once, so that a secret that
// cannot be read is an error before the first packet.
func readLogins(f *device.File) (logins, []device.Note, error) {
	l := logins{given: map[string][]probe.Login{}, vendor: f.Device.Manufacturer}
	var notes []device.Note
	for _, c := range f.Credentials {
		if _, done := l.given[c.Service]; done {
			continue
		}
		list, more, err := f.Secrets(c.Service)
		if err != nil {
			return l, nil, err
		}
		for _, login := range list {
			l.given[c.Service] = append(l.given[c.Service], probe.Login{ID: login.ID, User: login.User, Password: login.Password})
		}
		notes = append(notes, more...)
	}
	return l, notes, nil
}

// hide masks every declared secret in all that is written. It is called before
// the first probe: the device's own app may log in while a capture runs.
func (l logins) hide() {
	for _, list := range l.given {
		for _, login := range list {
			l.net.Hide(password, []byte(login.Password))
		}
	}
}

// For returns the declared log-ins of a service.
func (l logins) For(service string) []probe.Login { return l.given[service] }

// List returns the pairs that devices are known to leave the factory with. They
// are published, and not looked for in what a device sends: words such as "test"
// would be masked wherever they stand, also in the names of topics.
func (l logins) List(service string) []probe.Login {
	pairs, err := defaults.For(service, l.vendor)
	if err != nil {
		panic(err) // the list is part of the program: see its tests
	}
	var list []probe.Login
	for _, p := range pairs {
		list = append(list, probe.Login{User: p.User, Password: p.Password})
	}
	return list
}

const password evidence.SecretClass = "password"

// declared names the log-ins of a device file, without their secrets.
func declared(f *device.File) []probe.Credential {
	var list []probe.Credential
	for _, c := range f.Credentials {
		list = append(list, probe.Credential{ID: c.ID, Service: c.Service, User: c.User})
	}
	return list
}
