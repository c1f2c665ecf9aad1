package identity

import (
	"encoding/json"
	"fmt"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
)

// firstLook names what is journalled, for a run that is carried on later.
const firstLook = "first look"

// name is that of the probe.
const name = "identity"

// remember journals the first look of a run. Where a killed run is carried on,
// it returns the look of that run instead: the device must still be the one
// that the records speak of.
func remember(in probe.Input, first Look) (Look, error) {
	if in.Resume.Evidence == nil {
		return first, note(in, first)
	}
	earlier, err := evidence.Decode[Look](in.Resume.Evidence)
	if err != nil {
		return first, fmt.Errorf("reading the first look of the run: %w", err)
	}
	changed := earlier.differs(first)
	if changed != nil && in.Stop != nil {
		in.Stop(changed)
	}
	return earlier, changed
}

func note(in probe.Input, first Look) error {
	if in.Journal == nil {
		return nil
	}
	data, err := evidence.Encode(first)
	if err != nil {
		return err
	}
	if err := in.Journal.Before(in.Target.Unit, name, firstLook); err != nil {
		return err
	}
	return in.Journal.Done(in.Target.Unit, name, firstLook, json.RawMessage(data))
}
