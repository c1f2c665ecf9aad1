package checks

import (
	"time"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/mqttmalformed"
)

// malformedParams are those of every check that a server survives malformed
// input.
type malformedParams struct {
	Packets  int `yaml:"packets"`    // of the list that have to be sent
	RecoverS int `yaml:"recover_s"`  // within which the server has to serve again
	BanWaitS int `yaml:"ban_wait_s"` // after which a ban is over
}

// goneLooks counts the looks in which a server served nobody for as long as
// it may take, tried from a second address or for as long as a ban lasts.
func goneLooks(looks []mqttmalformed.Look, p malformedParams) (n int, first mqttmalformed.Look) {
	outwaited := false
	for _, k := range looks {
		gone := k.First == evidence.No && k.Second != evidence.Yes && k.Witness != evidence.Yes && k.Waited >= time.Duration(p.RecoverS)*time.Second
		if !gone {
			continue
		}
		if n++; n == 1 {
			first = k
		}
		outwaited = outwaited || k.Second == evidence.No || k.Waited >= time.Duration(p.BanWaitS)*time.Second
	}
	if !outwaited {
		return 0, first
	}
	return n, first
}
