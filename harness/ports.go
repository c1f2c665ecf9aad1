package harness

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/assay-iot/assay/harness/probes/tcpports"
)

// Ports says which TCP ports of a device are looked at.
type Ports struct {
	Name string // as the operator wrote it: "all", "quick" or a list
	List []uint16
}

// quickPorts are the ports above 1023 that --ports quick adds to all below:
// what small devices listen on by the registry of IANA or by habit.
var quickPorts = []uint16{
	1080, 1194, 1433, 1521, 1723, 1883, 1884, 1900, 2000, 2022, 2023, 2049, 2222, 2323, 2375, 2376, 2404, 3000, 3001, 3128,
	3306, 3389, 3478, 3671, 4070, 4433, 4443, 4444, 4786, 4840, 4843, 4911, 5000, 5001, 5004, 5005, 5037, 5060, 5061, 5222,
	5353, 5357, 5432, 5540, 5555, 5601, 5672, 5683, 5684, 5900, 5938, 6000, 6053, 6379, 6666, 6667, 6668, 6669, 7000, 7001,
	7547, 7681, 7777, 8000, 8001, 8002, 8008, 8009, 8010, 8080, 8081, 8082, 8083, 8084, 8086, 8088, 8090, 8123, 8181, 8200,
	8291, 8333, 8443, 8554, 8765, 8800, 8883, 8884, 8888, 8899, 9000, 9001, 9080, 9090, 9100, 9123, 9229, 9443, 9600, 9999,
	10000, 10001, 11111, 12345, 15672, 16992, 20000, 23023, 27017, 30005, 32764, 34567, 37215, 37777, 44818, 47808, 49152,
	49153, 49154, 50000, 52869, 55443, 55555, 61616,
}

// ParsePorts reads a choice of ports: "all", "quick", or a list of ports and
// ranges such as "22,80,8000-8100".
func ParsePorts(s string) (Ports, error) {
	switch s {
	case "all":
		return Ports{s, span(1, tcpports.All)}, nil
	case "quick":
		return Ports{s, append(span(1, 1023), quickPorts...)}, nil
	}
	var list []uint16
	for _, part := range strings.Split(s, ",") {
		ports, err := parseRange(strings.TrimSpace(part))
		if err != nil {
			return Ports{}, fmt.Errorf("ports %q: %w", s, err)
		}
		list = append(list, ports...)
	}
	slices.Sort(list)
	return Ports{s, slices.Compact(list)}, nil
}

// All reports whether every TCP port is looked at.
func (p Ports) All() bool { return len(p.List) == tcpports.All }

func parseRange(s string) ([]uint16, error) {
	low, high, isRange := strings.Cut(s, "-")
	first, err := parsePort(low)
	if err != nil || !isRange {
		return []uint16{first}, err
	}
	last, err := parsePort(high)
	if err != nil {
		return nil, err
	}
	if last < first {
		return nil, fmt.Errorf("range %q ends before it begins", s)
	}
	return span(int(first), int(last)), nil
}

func parsePort(s string) (uint16, error) {
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil || n == 0 {
		return 0, fmt.Errorf("%q is no port between 1 and 65535; write \"all\", \"quick\" or a list such as \"22,80,8000-8100\"", s)
	}
	return uint16(n), nil
}

// span returns the ports from first to last.
func span(first, last int) []uint16 {
	ports := make([]uint16, 0, last-first+1)
	for p := first; p <= last; p++ {
		ports = append(ports, uint16(p))
	}
	return ports
}
