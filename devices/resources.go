package devices

import (
	"fmt"
	"math"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/assay-iot/assay/harness/device"
)

// Resources of which the emulator knows more than that they are declared.
const (
	listingPath     = "/.well-known/core"
	temperaturePath = "/temperature"
	volumePath      = "/3424/0/1" // cumulated volume of a LwM2M water meter
	emptyPath       = "/empty"    // is there, and holds nothing
)

// resources is what a device holds behind CoAP, in one boot.
type resources struct {
	boot *boot

	mu  sync.Mutex
	set map[string]string // by path, what was written
}

func newResources(b *boot) *resources { return &resources{boot: b, set: map[string]string{}} }

// written is what may be written: a number, as all that can be set here is.
var written = regexp.MustCompile(`^-?[0-9]{1,6}(\.[0-9]{1,3})?$`)

// read returns what a resource holds.
func (r *resources) read(path string) (string, bool) {
	r.mu.Lock()
	set, ok := r.set[path]
	r.mu.Unlock()
	if ok {
		return set, true
	}
	d := r.boot.unit.file.Device
	now := time.Since(r.boot.began)
	switch path {
	case temperaturePath, "/3303/0/5700":
		// It goes up and down as in a heated room, and never stays.
		return fmt.Sprintf("%.2f", 21+math.Abs(float64(int(now.Seconds())%20)-9.5)/10), true
	case volumePath:
		return fmt.Sprintf("%.3f", 1284.5+math.Floor(now.Seconds())/1000), true
	case "/setpoint":
		return "20.0", true
	case "/1/0/1": // lifetime of the registration, in seconds
		return "86400", true
	case "/3/0/0":
		return d.Manufacturer, true
	case "/model", "/3/0/1":
		return d.Model, true
	case "/3/0/2":
		return r.boot.unit.serial, true
	case "/firmware", "/3/0/3":
		return d.Firmware, true
	case emptyPath:
		return "", true
	}
	return "", false
}

// write keeps a value, and says whether it is one.
func (r *resources) write(path, value string) bool {
	if !written.MatchString(value) {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.set[path] = value
	return true
}

// listing returns the links of a server, RFC 6690, with titles as long as a
// catalogue's if it is large. Either goes into one datagram.
func (r *resources) listing(row *device.CoAP, large bool) string {
	var links []string
	for _, res := range row.Resources {
		link := "<" + res.Path + ">"
		if res.Observable == device.Yes {
			link += ";obs"
		}
		if large {
			link += fmt.Sprintf(";title=%q", strings.Repeat("as the installer's manual says, chapter by chapter; ", largeListing/50/len(row.Resources)))
		}
		links = append(links, link)
	}
	return strings.Join(links, ",")
}

// largeListing is about how many bytes a large listing has.
const largeListing = 900
