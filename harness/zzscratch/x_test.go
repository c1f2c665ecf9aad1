package zz
import ("testing";"time"
"github.com/assay-iot/assay/devices"
"github.com/assay-iot/assay/harness"
"github.com/assay-iot/assay/harness/check"
"github.com/assay-iot/assay/harness/checks"
"github.com/assay-iot/assay/harness/device"
"github.com/assay-iot/assay/harness/evidence"
"github.com/assay-iot/assay/harness/evidence/bundle"
"github.com/assay-iot/assay/harness/probe"
)
func TestX(t *testing.T){
 c := checks.ByID()["mqtt.listeners-equally-protected"]
 for _, name := range []string{"door-lock-hardened","door-lock-insecure","door-lock-password-only","door-lock-v5-forgotten","decoy","flaky","+mqtt_plain_listener", "+mqtt_v5_unprotected","+mqtt_any_password"} {
  t.Run(name, func(t *testing.T){ t.Parallel()
  spec := devices.Spec{Name: name}
  if name[0]=='+' { f,_ := devices.Load(devices.Embedded(),"door-lock-hardened"); ff,_ := f.Faults.With(name[1:],true); spec=devices.Spec{Name:"door-lock-hardened",Faults:&ff} }
  d, err := devices.Start(t.Context(), spec); if err!=nil {t.Fatal(err)}
  defer d.Close()
  dir := t.TempDir()
  path, err := d.Write(dir); if err!=nil {t.Fatal(err)}
  file, err := device.Read(path); if err!=nil {t.Fatal(err)}
  s, err := harness.Order{File:file, Checks: checks.ByID(), Effect: probe.Active, Now: time.Now().UTC(), Clock: harness.SystemClock()}.Prepare(); if err!=nil {t.Fatal(err)}
  s.Plan = harness.Plan([]check.Check{c})
  keys,err := bundle.Keys(dir+"/keys"); if err!=nil {t.Fatal(err)}
  j, err := bundle.Create(dir+"/x.d", bundle.Head{Run:"x",Tool:"x"}, keys.Recipients()); if err!=nil {t.Fatal(err)}
  defer j.Close()
  in, err := s.Collect(t.Context(), j, func(r evidence.Record){ t.Logf("%s %s %s %s %v", r.Probe, r.Status, r.Took, r.Reason, r.Missing)}); if err!=nil {t.Fatal(err)}
  dec, defects := check.Judge(c, nil, in.Log)
  t.Log(dec.Verdict, defects)
  for _, i := range dec.Items { t.Log(i.Verdict, i.Endpoint, i.Why, i.Next) }
  })
 }
}
