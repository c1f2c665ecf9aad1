package harness

import (
	"github.com/assay-iot/assay/harness/device"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/lwm2mbench"
)

// roles are the servers that a device file says the device was set to connect
// to. Whether they are addresses of this machine shows when they are played.
func roles(f *device.File) []probe.Role {
	l := f.IXIT.LwM2M
	if l == nil {
		return nil
	}
	var list []probe.Role
	add := func(name string, s device.Server) {
		if s != (device.Server{}) {
			list = append(list, probe.Role{Name: name, URI: s.String(), Addr: s.Addr, Credential: l.Credential, Retry: l.Retry.Duration})
		}
	}
	add(lwm2mbench.Bootstrap, l.BootstrapServer)
	add(lwm2mbench.Server, l.Server)
	return list
}
