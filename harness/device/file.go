// Package device reads the device file: what the manufacturer declares, what
// the operator may do, and where credentials lie. It is strict: an unknown key
// is an error with its line.
package device

import (
	"net/netip"
	"time"

	"github.com/assay-iot/assay/harness/evidence"
)

// A File is one device file. What it leaves out is not known.
type File struct {
	Device      Device       `yaml:"device"`
	Scope       []Scope      `yaml:"scope"`
	Consent     *Consent     `yaml:"consent"`
	ICS         ICS          `yaml:"ics"`
	IXIT        IXIT         `yaml:"ixit"`
	Trust       Trust        `yaml:"trust"`
	Credentials []Credential `yaml:"credentials"`
	Firmware    []string     `yaml:"firmware"` // image files, relative to the device file
	Captures    []string     `yaml:"captures"` // capture files, relative to the device file
	Units       []UnitRef    `yaml:"units"`
	Answers     []Answer     `yaml:"answers"`

	name  string         // of the file, for messages
	dir   string         // of the file; paths in it are relative to this
	lines map[string]int // of what the file holds, by path, such as "device.addresses[0]"
}

// Device says which device it is.
type Device struct {
	ID           string       `yaml:"id"`
	Manufacturer string       `yaml:"manufacturer"`
	Model        string       `yaml:"model"`
	Hardware     string       `yaml:"hardware"`
	Firmware     string       `yaml:"firmware"` // version
	Serial       string       `yaml:"serial"`
	MAC          string       `yaml:"mac"`
	Type         string       `yaml:"type"`
	Addresses    []netip.Addr `yaml:"addresses"`
	// HostPorts are TCP ports of the machine that runs an emulated device,
	// open before the device was started; on loopback addresses only.
	HostPorts []uint16 `yaml:"host_ports"`
	// HostUDPPorts are UDP ports of the same kind.
	HostUDPPorts []uint16 `yaml:"host_udp_ports"`
}

// A Scope entry allows testing an address or a range of them. A public one
// needs to say who allowed it and until when.
type Scope struct {
	Address      string `yaml:"address"` // an address or a prefix
	AuthorisedBy string `yaml:"authorised_by"`
	Until        Date   `yaml:"until"`
}

// Consent says who allows what may be done to the device.
type Consent struct {
	Who         string `yaml:"who"`
	What        string `yaml:"what"`
	Until       Date   `yaml:"until"`
	Effect      string `yaml:"effect"`      // the most, as probe.Effect names it
	Sacrificial bool   `yaml:"sacrificial"` // may be lost
	Recovery    string `yaml:"recovery"`    // how to bring it back
}

// A Date is a day, YYYY-MM-DD, in UTC. The zero value is no date.
type Date struct{ time.Time }

// Answered is yes, no or, if empty, not answered.
type Answered string

// The two answers.
const (
	Yes Answered = "yes"
	No  Answered = "no"
)

// Tri returns a as evidence states it.
func (a Answered) Tri() evidence.Tri {
	switch a {
	case Yes:
		return evidence.Yes
	case No:
		return evidence.No
	}
	return evidence.Unknown
}

// ICS is the implementation conformance statement.
type ICS struct {
	Features   map[string]Answered  `yaml:"features"`   // features and conditions, by name
	Provisions map[string]Provision `yaml:"provisions"` // by the number of the requirement
}

// A Provision says whether a requirement is met, and why not.
type Provision struct {
	Support       Answered `yaml:"support"`
	Justification string   `yaml:"justification"`
}

// IXIT is the implementation extra information for testing, by the tables of
// ETSI TS 103 701. Of these a run reads what is here.
type IXIT struct {
	// SoftServ is nil if the file does not speak of services. An empty list
	// says that the device offers none.
	SoftServ []Service `yaml:"soft_serv"`
	// LwM2M is nil if the file does not speak of it.
	LwM2M *LwM2M `yaml:"lwm2m"`
}

// A Service is a row of IXIT SoftServ: a service that the device offers. All
// from TCP on is ours: what a tester needs to find it.
type Service struct {
	ID            string   `yaml:"id"`
	Description   string   `yaml:"description"`
	Status        string   `yaml:"status"` // "enabled" or "disabled" in the initialised state
	Justification string   `yaml:"justification"`
	AllowsConfig  Answered `yaml:"allows_configuration"`
	AuthMech      []string `yaml:"authentication_mechanism"`
	TCP           []uint16 `yaml:"tcp"`
	UDP           []uint16 `yaml:"udp"`
	Protocol      string   `yaml:"protocol"` // as the services probe names it, such as "mqtt"
	TLS           Answered `yaml:"tls"`
	// ServerNames are the DNS names or addresses that its certificate is for.
	ServerNames []string `yaml:"server_names"`
	// ClientCert says whether it demands a certificate of its clients.
	ClientCert Answered `yaml:"client_certificate"`
	MQTT       *MQTT    `yaml:"mqtt"`
	CoAP       *CoAP    `yaml:"coap"`
}

// MQTT says who may do what on a broker of the device.
type MQTT struct {
	Identities   []MQTTIdentity `yaml:"identities"`
	PublicTopics []string       `yaml:"public_topics"` // filters that anybody may read
	ReadsAll     string         `yaml:"reads_all"`     // credential that may read every topic
}

// MQTTIdentity is one user of a broker.
type MQTTIdentity struct {
	Credential string   `yaml:"credential"` // ID of a credential
	Topics     []string `yaml:"topics"`     // filters of the topics that are this identity's own
	// Canary is a topic prefix of its own under which test messages do no
	// harm: no device acts on them.
	Canary string `yaml:"canary"`
}

// Trust holds what the manufacturer says may be trusted.
type Trust struct {
	Anchors []string `yaml:"anchors"` // PEM files, relative to the device file
	Pins    []string `yaml:"pins"`    // SHA-256 of certificates, lower-case hexadecimal
	TestCA  string   `yaml:"test_ca"` // PEM file with certificate and key
}

// A Credential says where a log-in is kept. The secret itself never stands in
// the device file.
type Credential struct {
	ID       string `yaml:"id"`
	Service  string `yaml:"service"` // protocol, such as "mqtt"
	User     string `yaml:"user"`
	Password Source `yaml:"password"`
	// Encoding says how the secret is written: as it is if empty, or "hex",
	// which pre-shared keys need that are no text.
	Encoding string `yaml:"encoding"`
}

// A Source is a file or an environment variable that holds a secret; exactly
// one is set.
type Source struct {
	File string `yaml:"file"` // relative to the device file
	Env  string `yaml:"env"`
}

// A UnitRef names another unit of the same model.
type UnitRef struct {
	Name      string       `yaml:"name"`
	Addresses []netip.Addr `yaml:"addresses"`
	File      string       `yaml:"file"` // its own device file, or empty
}

// An Answer is what a person saw when asked.
type Answer struct {
	Question    string       `yaml:"question"`
	Answer      Answered     `yaml:"answer"`
	Note        string       `yaml:"note"`
	Who         string       `yaml:"who"`
	When        Date         `yaml:"when"`
	Attachments []Attachment `yaml:"attachments"`
}

// An Attachment is a document or picture that an answer rests on.
type Attachment struct {
	File   string `yaml:"file"`
	SHA256 string `yaml:"sha256"`
}
