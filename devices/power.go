package devices

import (
	"context"
	"fmt"
)

// Power switches the device on or off, as a person would by its plug. What is
// switched already stays as it is.
func (d *Device) Power(ctx context.Context, on bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.ended:
		return fmt.Errorf("device %q is closed", d.Folder.Name)
	case on && d.now == nil:
		return d.on(ctx)
	case !on && d.now != nil:
		return d.off()
	}
	return nil
}
