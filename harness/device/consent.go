package device

import (
	"slices"
	"time"
)

// effects are those of probes, the gentlest first.
var effects = []string{"passive", "active", "intrusive", "disruptive"}

// freeEffects is how many of them need nobody's consent: what any client could
// do to the device.
const freeEffects = 2

// ConsentTo returns who allowed an effect on the device, and what for. It is
// empty for an effect that needs no consent.
func (f *File) ConsentTo(effect string, now time.Time) (string, error) {
	wanted := slices.Index(effects, effect)
	const hint = "have the owner of the device agree, and write it under \"consent\" or give --consent \"WHO, WHY\""
	switch {
	case wanted < 0:
		return "", f.fault("consent", "", "effect %q is none of %q", effect, effects)
	case wanted < freeEffects:
		return "", nil
	case f.Consent == nil:
		return "", f.fault("consent", hint, "nobody consented to %s probes", effect)
	case slices.Index(effects, f.Consent.Effect) < wanted:
		return "", f.fault("consent.effect", hint, "%s consented to no more than %s probes, not to %s ones", f.Consent.Who, f.Consent.Effect, effect)
	case f.Consent.Until.over(now):
		return "", f.fault("consent.until", hint, "the consent of %s ended after %s", f.Consent.Who, f.Consent.Until)
	}
	return f.Consent.Who + ", " + f.Consent.What, nil
}
