package devices

// Oddities says what is unusual about an emulated device and yet allowed. None
// is a fault: whoever fails a device for one of them is wrong. The zero value
// is an ordinary device.
type Oddities struct {
	// RetainedWords keeps a retained message full of words such as "password
	// policy", and no secret.
	RetainedWords bool `yaml:"retained_words"`

	// EmptyClientIDRefused answers an empty client identifier with code 2,
	// before it looks at the credentials.
	EmptyClientIDRefused bool `yaml:"empty_client_id_refused"`

	// ClosesOnBadLogin closes the connection instead of answering a refused
	// CONNECT.
	ClosesOnBadLogin bool `yaml:"closes_on_bad_login"`

	// BansMalformed turns an address away for a moment after it sent a
	// malformed packet.
	BansMalformed bool `yaml:"bans_malformed"`

	// AnswersEveryPath serves the same page, with code 200, for every path.
	AnswersEveryPath bool `yaml:"answers_every_path"`

	// SelfSigned presents a certificate that signs itself; the device file pins
	// it.
	SelfSigned bool `yaml:"self_signed"`

	// OlderTLS offers TLS 1.2 besides 1.3.
	OlderTLS bool `yaml:"older_tls"`

	// TalkativeSSH sends lines of text before the SSH version, as RFC 4253
	// section 4.2 allows.
	TalkativeSSH bool `yaml:"talkative_ssh"`

	// CCM8Only offers one DTLS suite, the one with the short tag that RFC 7252
	// section 9.1.3.1 makes mandatory.
	CCM8Only bool `yaml:"ccm8_only"`

	// CoAPEcho demands proof of the sender's address (RFC 9175) before it lists
	// its resources in clear, which it does at length.
	CoAPEcho bool `yaml:"coap_echo"`

	// CoAPResetsUnknown answers a request for what is not there with a reset.
	CoAPResetsUnknown bool `yaml:"coap_resets_unknown"`

	// NotYetValid presents a certificate that becomes valid in half an hour: the
	// maker's clock was fast.
	NotYetValid bool `yaml:"not_yet_valid"`

	// NeverExpires presents a certificate without an end, as RFC 5280 section
	// 4.1.2.5 allows for devices.
	NeverExpires bool `yaml:"never_expires"`
}

// ParseOddities reads an oddities.yaml. An empty file is an ordinary device.
func ParseOddities(b []byte) (Oddities, error) { return parse[Oddities](b, "oddities") }
