package declaration

import (
	"time"

	"github.com/assay-iot/assay/harness/evidence"
)

// Evidence holds the parts of the device file that checks and profiles ask for.
// Where no device file was given, Given is no and all else is empty.
type Evidence struct {
	Given      evidence.Tri `json:"given"`
	Device     Device       `json:"device"`
	Features   []Answer     `json:"features"`   // ICS features and conditions, by name
	Provisions []Provision  `json:"provisions"` // ICS, by ID
	// Listed says whether the file speaks of services at all. An empty list
	// declares that there is none; no list declares nothing.
	Listed   evidence.Tri `json:"services_listed"`
	Services []Service    `json:"services"` // IXIT SoftServ, in the order of the file
	LwM2M    LwM2M        `json:"lwm2m"`    // empty unless declared
}

// LwM2M says where the device was set to connect as a client of LwM2M.
type LwM2M struct {
	Used            evidence.Tri  `json:"used"`             // whether it is such a client
	BootstrapServer Text          `json:"bootstrap_server"` // such as coaps://192.0.2.1:5684, or empty
	Server          Text          `json:"server"`           // likewise
	EndpointName    Text          `json:"endpoint_name"`
	Credential      Name          `json:"credential"` // whose user is the PSK identity, or empty
	Retry           time.Duration `json:"retry_ns"`   // 0 if the file does not say
}

// Device is the device that the declaration speaks of. What it leaves out is
// empty.
type Device struct {
	ID           Text   `json:"id"`
	Manufacturer Text   `json:"manufacturer"`
	Model        Text   `json:"model"`
	Hardware     Text   `json:"hardware"`
	Firmware     Text   `json:"firmware"`
	Serial       Text   `json:"serial"`
	MAC          Text   `json:"mac"` // lower case, with colons
	Type         Text   `json:"type"`
	Addresses    []Text `json:"addresses"`
}

// Answer says whether a feature exists.
type Answer struct {
	Name      Name         `json:"name"`
	Supported evidence.Tri `json:"supported"`
}

// Provision says whether the manufacturer supports a provision, and whether a
// justification stands beside the answer.
type Provision struct {
	ID        Name         `json:"id"`
	Supported evidence.Tri `json:"supported"`
	Justified evidence.Tri `json:"justified"`
}

// Service is a service that the device offers in the initialised state.
type Service struct {
	ID            Name         `json:"id"`
	Enabled       evidence.Tri `json:"enabled"` // unknown if the file does not say
	TCP           []uint16     `json:"tcp"`
	UDP           []uint16     `json:"udp"`
	Protocol      Name         `json:"protocol"` // as the services probe names it, or empty
	TLS           evidence.Tri `json:"tls"`
	Configuration evidence.Tri `json:"allows_configuration"`
	// ServerNames are the names that its certificate is for.
	ServerNames []Text `json:"server_names"`
	// ClientCertificate says whether it demands one of its clients.
	ClientCertificate evidence.Tri `json:"client_certificate"`
	MQTT              MQTT         `json:"mqtt"` // empty unless declared
	CoAP              CoAP         `json:"coap"` // likewise
}

// CoAP says who may do what on a CoAP server.
type CoAP struct {
	Credential Name         `json:"credential"` // that may read and write all that is listed, or empty
	OSCORE     evidence.Tri `json:"oscore"`
	Resources  []Resource   `json:"resources"`
}

// Resource is one resource of a CoAP server.
type Resource struct {
	Path       Text         `json:"path"`
	Public     evidence.Tri `json:"public"` // whether anybody may read it
	Observable evidence.Tri `json:"observable"`
	TestValues []Text       `json:"test_values"` // that may be written for a test, two or none
}

// MQTT says who may do what on a broker.
type MQTT struct {
	Identities   []Identity `json:"identities"`
	PublicTopics []Text     `json:"public_topics"` // filters
	ReadsAll     Name       `json:"reads_all"`     // credential that may read every topic, or empty
}

// Identity is one user of a broker.
type Identity struct {
	Credential Name   `json:"credential"`
	Topics     []Text `json:"topics"` // filters of its own topics
	Canary     Text   `json:"canary"` // prefix under which test messages do no harm, or empty
}

// Name is the name of a feature, a credential or a protocol, or the ID of a
// provision or a service.
type Name string

// Text is what the manufacturer wrote.
type Text string

// Answers returns the answers by name.
func (e Evidence) Answers() map[string]evidence.Tri {
	m := map[string]evidence.Tri{}
	for _, a := range e.Features {
		m[string(a.Name)] = a.Supported
	}
	return m
}

// Supported returns what the manufacturer says of each provision.
func (e Evidence) Supported() map[string]evidence.Tri {
	m := map[string]evidence.Tri{}
	for _, p := range e.Provisions {
		m[string(p.ID)] = p.Supported
	}
	return m
}
