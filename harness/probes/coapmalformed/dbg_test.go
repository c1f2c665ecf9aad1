package coapmalformed
import ("testing";"fmt";"time"
"github.com/assay-iot/assay/harness/probes/internal/coapdoor"
"github.com/assay-iot/assay/harness/probes/internal/coapdoor/coaptest")
func TestDbg(t *testing.T) {
	_, _, secure := coaptest.LibCoAP(t, "-k", app.Password, "-h", "hint", "-v", "8")
	b := coaptest.New(t, app)
	s, a, err := coapdoor.Open(t.Context(), b.Input, secure, coapdoor.Client{Login:&app, Stay: time.Minute})
	fmt.Println(a.Outcome, err)
	begun := time.Now()
	for i := range 60 {
		x, err := s.Ping(t.Context())
		if !x.There() { fmt.Println(i, time.Since(begun), x.Outcome, x.Tries, x.Strays, x.Bad, err) ; break}
		for range 2 {
		time.Sleep(0)
		o, _, err := coapdoor.Open(t.Context(), b.Input, secure, coapdoor.Client{Login:&app, Stay: time.Minute})
		if o == nil { fmt.Println("no", i, err); continue }
		o.Ping(t.Context())
		o.Close()
		}
	}
	s.Close(); t.Fail()
}
