package coapread

import (
	"testing"
	"fmt"
	"time"

	"github.com/assay-iot/assay/harness/probes/internal/coapdoor"
	"github.com/assay-iot/assay/harness/probes/internal/coapdoor/coaptest"
	"github.com/assay-iot/assay/internal/peers"
)

func TestDbg(t *testing.T) {
	device := coaptest.NewDevice(t, coaptest.Rules{Keys: keys, Resources: []coaptest.Resource{{Path: "/s", Silent: true}, {Path: "/x", Payload: "x"}}})
	e, _, err := collect(t, coaptest.New(t, app), said, device.DTLS())
	fmt.Println(err)
	v := e.Visits[1]
		for _, r := range v.Rounds {
			fmt.Println("before", r.Before.Outcome, "after", r.After.Outcome)
			for i, x := range r.Reads {
				fmt.Printf("%s %s times %d controls %d kept %d\n", e.Resources[i].Path, x.Get.Exchange.Outcome, x.Get.Times, x.Get.Controls, x.Get.Kept)
			}
		}
}

func TestDbg2(t *testing.T) {
	cert := peers.NewAuthority(t).Issue(t, "127.0.0.1")
	_, _, dtls := coaptest.LibCoAP(t, "-c", cert.CertFile, "-j", cert.KeyFile, "-n", "-v", "7")
	s, _, err := coapdoor.Open(t.Context(), coaptest.New(t).Input, dtls, coapdoor.Client{Stay: time.Minute})
	fmt.Println(err)
	for _, p := range []string{"/time", "/async", "/time", "/time"} {
		x, err := s.Do(t.Context(), coapdoor.Request{Path: p})
		fmt.Println(p, x.Outcome, x.Code, x.Tries, x.Strays, x.Bad, err)
	}
	s.Close()
	t.Fail()
}
