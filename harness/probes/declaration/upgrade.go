package declaration

import (
	"encoding/json"
	"fmt"

	"github.com/assay-iot/assay/harness/evidence"
)

// evidence1 is version 1, which knew neither names nor CoAP nor LwM2M.
type evidence1 struct {
	Given      evidence.Tri `json:"given"`
	Device     Device       `json:"device"`
	Features   []Answer     `json:"features"`
	Provisions []Provision  `json:"provisions"`
	Listed     evidence.Tri `json:"services_listed"`
	Services   []service1   `json:"services"`
}

type service1 struct {
	ID            Name         `json:"id"`
	Enabled       evidence.Tri `json:"enabled"`
	TCP           []uint16     `json:"tcp"`
	UDP           []uint16     `json:"udp"`
	Protocol      Name         `json:"protocol"`
	TLS           evidence.Tri `json:"tls"`
	Configuration evidence.Tri `json:"allows_configuration"`
	MQTT          MQTT         `json:"mqtt"`
}

// upgrade fills in that nothing was said of what version 1 had no place for.
func upgrade(version int, data json.RawMessage) (json.RawMessage, error) {
	if version != 1 {
		return nil, fmt.Errorf("there was no version %d", version)
	}
	old, err := evidence.Decode[evidence1](data)
	if err != nil {
		return nil, err
	}
	return evidence.Encode(Evidence{
		Given: old.Given, Device: old.Device, Features: old.Features, Provisions: old.Provisions, Listed: old.Listed,
		Services: each(old.Services, func(s service1) Service {
			return Service{
				ID: s.ID, Enabled: s.Enabled, TCP: s.TCP, UDP: s.UDP, Protocol: s.Protocol,
				TLS: s.TLS, Configuration: s.Configuration, MQTT: s.MQTT,
			}
		}),
	})
}
