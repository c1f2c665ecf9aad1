package draft

import (
	"fmt"
	"slices"

	"github.com/assay-iot/assay/harness/evidence"
)

// services lists what answered. Whether it is meant to be there is left open: a
// draft that declared it would find every open port to be as declared.
func (d Draft) services(p *page) {
	for _, how := range d.Seen.Search {
		p.remark("", seen, how)
	}
	for _, what := range d.Seen.Gaps {
		p.remark("", unseen, what)
	}
	if len(d.Seen.Services) == 0 {
		noService(p)
		return
	}
	p.line("ixit:")
	p.line("  soft_serv:")
	for _, s := range d.Seen.Services {
		p.service(*s)
	}
}

// noService asks for services where none answered.
func noService(p *page) {
	p.remark("", theirs, "which services the device offers; soft_serv: [] declares that there is none")
	p.asleep(func(p *page) {
		p.line("ixit:")
		p.line("  soft_serv:")
		for _, line := range slices.Concat([]string{"- id:", "  tcp: []", "  protocol:", "  tls:"}, statements) {
			p.line("    %s", line)
		}
	})
}

func (p *page) service(s Service) {
	for _, what := range s.Notes {
		p.remark("    ", seen, what)
	}
	p.line("    - id: %s", s.id())
	p.line("      %s: [%d]", s.Network, s.Port)
	if s.Protocol == "" {
		p.remark("      ", unseen, "what it speaks")
		p.line("      # protocol:")
	} else {
		p.line("      protocol: %s", s.Protocol)
	}
	switch inside := tls(s.TLS); {
	case inside != "":
		p.line("      tls: %s", inside)
	case s.Network == TCP:
		p.remark("      ", unseen, "whether it is inside TLS, yes or no")
		p.line("      # tls:")
	}
	p.ask(s)
}

// statements are what only the manufacturer knows of a service; encrypted, broker
// and server what more there is to know of one inside TLS, of one that speaks
// MQTT, and of one that speaks CoAP.
var (
	statements = []string{"  status:", "  description:", "  justification:", "  allows_configuration:", "  authentication_mechanism: []"}
	encrypted  = []string{"  server_names: []", "  client_certificate:"}
	broker     = []string{
		"  mqtt:", "    identities:", "      - {credential: first, topics: [], canary: }", "      - {credential: second, topics: [], canary: }",
		"    public_topics: []", "    reads_all:",
	}
	server = []string{"  coap:", "    credential: first", "    oscore:", "    resources:"}
)

// ask asks for what was not to be seen of a service.
func (p *page) ask(s Service) {
	p.questions("whether it is enabled or disabled once the device is set up, what for, and who may use it", statements)
	if s.TLS == evidence.Yes {
		p.questions("the names that its certificate is for, and whether it demands one of its clients", encrypted)
	}
	switch s.Protocol {
	case "mqtt":
		p.questions("log-ins (see credentials), the topics of each, and a prefix on which no device acts", broker)
	case "coap":
		p.questions("the log-in (see credentials), and which resources anybody may read", slices.Concat(server, s.resources()))
	}
}

// resources asks who may read each resource that was found.
func (s Service) resources() []string {
	if len(s.Resources) == 0 {
		return []string{"      - {path: , public: }"}
	}
	var lines []string
	for _, path := range s.Resources {
		lines = append(lines, "      - {path: "+path+", public: }")
	}
	return lines
}

// questions writes keys of a service that say nothing yet.
func (p *page) questions(what string, keys []string) {
	const indent = "      "
	p.remark(indent, theirs, what)
	for _, line := range keys {
		p.line("%s# %s", indent, line[2:])
	}
}

// id is a name that no two services share.
func (s Service) id() string {
	what := s.Protocol
	if what == "" {
		what = "port"
	}
	if s.Network == UDP {
		what += "-udp"
	}
	return fmt.Sprintf("%s-%d", what, s.Port)
}
