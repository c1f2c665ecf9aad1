package coapdoor_test

import (
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	var patient []goleak.Option // go-coap cleans up once more, 4 s after it was loaded
	for _, kind := range []string{"udp", "tcp", "dtls"} {
		patient = append(patient, goleak.IgnoreAnyFunction("github.com/plgd-dev/go-coap/v3/"+kind+"/server.init.init.func1.NewCommon[...].func7.1"))
	}
	goleak.VerifyTestMain(m, patient...)
}
