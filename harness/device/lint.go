package device

import (
	"cmp"
	"slices"

	"github.com/assay-iot/assay/harness/msg"
)

// A Note is something that the device file leaves out, or keeps badly. It
// stops no run.
type Note struct {
	Line int      // from 1, 0 if there is no file
	What msg.Text // what is missing, and what a run loses by it
	Next msg.Text // what to do
}

// Lint returns what a run will miss in f, by line.
func (f *File) Lint() []Note {
	var notes []Note
	add := func(path string, missing bool, what, next msg.Text) {
		if missing {
			notes = append(notes, Note{f.line(path), what, next})
		}
	}
	f.lintDevice(add)
	f.lintStatements(add)
	for i, s := range f.IXIT.SoftServ {
		lintService(entry("ixit.soft_serv", i), s, add)
	}
	lintLwM2M(f.IXIT.LwM2M, add)
	slices.SortStableFunc(notes, func(a, b Note) int { return cmp.Compare(a.Line, b.Line) })
	return notes
}

type addNote func(path string, missing bool, what, next msg.Text)

func (f *File) lintDevice(add addNote) {
	d := f.Device
	for _, field := range []struct{ path, value string }{
		{"device.manufacturer", d.Manufacturer}, {"device.model", d.Model},
		{"device.firmware", d.Firmware}, {"device.serial", d.Serial},
	} {
		add(field.path, field.value == "", msg.T("{field} is missing: a report cannot say what exactly was tested", "field", field.path),
			msg.T("copy it from the label or the user interface"))
	}
	add("device.addresses", len(d.Addresses) == 0, msg.T("the device has no address: nothing can be tested over a network"),
		msg.T("add device.addresses"))
}

func (f *File) lintStatements(add addNote) {
	add("ics.features", len(f.ICS.Features) == 0, msg.T("no feature is answered: whether a conditional requirement applies stays open"),
		msg.T("answer the features that the profile asks for under ics.features"))
	add("ics.provisions", len(f.ICS.Provisions) == 0, msg.T("no provision is answered: nothing says what the manufacturer claims"),
		msg.T("state support and justification under ics.provisions"))
	add("ixit.soft_serv", f.IXIT.SoftServ == nil, msg.T("no service is declared: an open port cannot be held against a list"),
		msg.T("list the services under ixit.soft_serv, or write [] if there is none"))
	add("trust.anchors", len(f.Trust.Anchors)+len(f.Trust.Pins) == 0, msg.T("no trust anchor and no pin is given: certificates of the device cannot be called trusted"),
		msg.T("add them under trust"))
	add("consent", f.Consent == nil, msg.T("nobody consented to intrusive probes: they will not run except on loopback"),
		msg.T("add consent, or give --consent with --effect"))
}

func lintService(path string, s Service, add addNote) {
	add(path+".status", s.Status == "", msg.T("service {service} does not say whether it is enabled: its ports count neither as declared nor as closed", "service", s.ID),
		msg.T("add the status, enabled or disabled"))
	if s.Status == "disabled" {
		return
	}
	ports := len(s.TCP) + len(s.UDP)
	add(path+".tcp", ports == 0, msg.T("service {service} names no port", "service", s.ID), msg.T("add tcp or udp"))
	add(path+".protocol", ports > 0 && s.Protocol == "", msg.T("service {service} names no protocol: what answers there cannot be compared", "service", s.ID),
		msg.T("add the protocol, such as mqtt"))
	add(path+".tls", len(s.TCP) > 0 && s.TLS == "", msg.T("service {service} does not say whether it uses TLS", "service", s.ID),
		msg.T("add tls, yes or no"))
	if s.Protocol == "mqtt" {
		lintMQTT(path+".mqtt", s, add)
	}
	if s.Protocol == "coap" {
		lintCoAP(path+".coap", s, add)
	}
}

// lintMQTT asks for what only two identities can show: that one of them cannot
// read what belongs to the other.
func lintMQTT(path string, s Service, add addNote) {
	var m MQTT
	if s.MQTT != nil {
		m = *s.MQTT
	}
	add(path, len(m.Identities) < 2, msg.T("MQTT service {service} names fewer than two identities: access of one to the topics of the other cannot be tested", "service", s.ID),
		msg.T("add two identities with credentials of their own"))
	for i, id := range m.Identities {
		add(entry(path+".identities", i)+".canary", id.Canary == "", msg.T("identity {identity} has no canary topic: nothing can be published for it", "identity", id.Credential),
			msg.T("add a topic prefix on which no device acts"))
	}
}
