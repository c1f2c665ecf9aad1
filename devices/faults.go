package devices

import (
	"fmt"
	"reflect"
)

// Faults says how an emulated device misbehaves. The zero value is a sound
// device. Where one fault hides another, the field says so.
type Faults struct {
	// MQTTAnonymous lets clients without credentials in; what they may read and
	// write stays as it is. It hides MQTTV5Unprotected, PostureLostOnRestart
	// and, because nobody needs a password, MQTTDefaultPassword and
	// MQTTAnyPassword.
	MQTTAnonymous bool `yaml:"mqtt_anonymous"`

	// MQTTAnyPassword lets every pair of user and password in, but nobody
	// without one. It hides MQTTDefaultPassword.
	MQTTAnyPassword bool `yaml:"mqtt_any_password"`

	// MQTTDefaultPassword lets "admin" in with the password "admin" as well, on
	// every unit of the model.
	MQTTDefaultPassword bool `yaml:"mqtt_default_password"`

	// MQTTWildcardReadable lets every client that is let in read every topic.
	MQTTWildcardReadable bool `yaml:"mqtt_wildcard_readable"`

	// MQTTCrossPublish lets every client that is let in write to every topic.
	MQTTCrossPublish bool `yaml:"mqtt_cross_publish"`

	// MQTTRetainedPIN keeps the owner's PIN in a retained message.
	MQTTRetainedPIN bool `yaml:"mqtt_retained_pin"`

	// MQTTSysOpen lists client identifiers, users and addresses below $SYS to
	// every client that is let in. Alone it shows them to the holder of any
	// log-in, not to somebody without: that takes MQTTAnonymous too.
	MQTTSysOpen bool `yaml:"mqtt_sys_open"`

	// MQTTPlainListener adds an undeclared listener without TLS.
	MQTTPlainListener bool `yaml:"mqtt_plain_listener"`

	// MQTTV5Unprotected lets clients that speak version 5 in without
	// credentials.
	MQTTV5Unprotected bool `yaml:"mqtt_v5_unprotected"`

	// MQTTIDTakeover lets any client that is let in take over the session of
	// another identity by using its client identifier.
	MQTTIDTakeover bool `yaml:"mqtt_id_takeover"`

	// MQTTDiesOnMalformed ends the broker, until the next restart, at the first
	// malformed packet that begins as MQTT does. It hides everything of the
	// broker that is looked at later.
	MQTTDiesOnMalformed bool `yaml:"mqtt_dies_on_malformed"`

	// HTTPSetupPlain serves the set-up page without TLS too, on an undeclared
	// port.
	HTTPSetupPlain bool `yaml:"http_setup_plain"`

	// OpenTelnet leaves a Telnet log-in on an undeclared port.
	OpenTelnet bool `yaml:"open_telnet"`

	// UndeclaredService leaves an HTTPS server without pages on an undeclared
	// port.
	UndeclaredService bool `yaml:"undeclared_service"`

	// PostureLostOnRestart lets clients without credentials in after a restart.
	PostureLostOnRestart bool `yaml:"posture_lost_on_restart"`

	// CoAPWriteOpen adds an undeclared CoAP port in clear on which everybody may
	// write what can be written, and read nothing.
	CoAPWriteOpen bool `yaml:"coap_write_open"`

	// CoAPObserveOpen adds an undeclared CoAP port in clear on which everybody
	// may observe what can be observed. A plain read is refused.
	CoAPObserveOpen bool `yaml:"coap_observe_open"`

	// CoAPPlainSideDoor adds an undeclared CoAP port in clear on which everybody
	// may read what DTLS protects on the other. It observes nothing there.
	CoAPPlainSideDoor bool `yaml:"coap_plain_side_door"`

	// CoAPLargeListing adds an undeclared CoAP port in clear that answers the
	// question for its resources at length, and no other.
	CoAPLargeListing bool `yaml:"coap_large_listing"`

	// CoAPDiesOnMalformed ends all CoAP servers, until the next restart, at the
	// first malformed datagram that begins as CoAP does. It hides everything of
	// them that is looked at later.
	CoAPDiesOnMalformed bool `yaml:"coap_dies_on_malformed"`

	// LwM2MNoSecRead adds an undeclared port on which a LwM2M server may read
	// all objects without security.
	LwM2MNoSecRead bool `yaml:"lwm2m_nosec_read"`

	// LwM2MNoSecBootstrap asks the bootstrap server for keys without security. The
	// registration that follows is inside DTLS all the same.
	LwM2MNoSecBootstrap bool `yaml:"lwm2m_nosec_bootstrap"`

	// DTLSDefaultPSK lets the identity and the key of a library's examples in as
	// well, on every unit of the model.
	DTLSDefaultPSK bool `yaml:"dtls_default_psk"`

	// DTLSOldVersion accepts DTLS 1.0 too, from clients that know nothing newer.
	DTLSOldVersion bool `yaml:"dtls_old_version"`

	// TLSMaxVersion accepts clients whose newest version is TLS 1.0 or 1.1.
	// TLSStaticRSAOnly hides it.
	TLSMaxVersion bool `yaml:"tls_max_version"`

	// TLSWeakSuites accepts TLS 1.2 with RC4 or triple DES. TLSStaticRSAOnly
	// hides it.
	TLSWeakSuites bool `yaml:"tls_weak_suites"`

	// TLSStaticRSAOnly accepts TLS 1.2 only, and there only suites without
	// forward secrecy.
	TLSStaticRSAOnly bool `yaml:"tls_static_rsa_only"`

	// TLSSelfSigned presents a certificate that signs itself, and that the maker
	// has not pinned.
	TLSSelfSigned bool `yaml:"tls_self_signed"`

	// TLSWrongName presents a certificate for another device.
	TLSWrongName bool `yaml:"tls_wrong_name"`

	// TLSExpiredCertificate presents a certificate whose time is over.
	TLSExpiredCertificate bool `yaml:"tls_expired_certificate"`

	// TLSWeakKey presents a certificate with an RSA key of 1024 bits.
	TLSWeakKey bool `yaml:"tls_weak_key"`

	// CoAPLosesRequests loses every third message that reaches a CoAP server,
	// behind DTLS.
	CoAPLosesRequests bool `yaml:"coap_loses_requests"`

	// CoAPWrongToken alters the token in every third answer to a client.
	CoAPWrongToken bool `yaml:"coap_wrong_token"`

	// CoAPAnswersLate sends every CoAP answer when nobody waits for it any more.
	// It hides the other disturbances of CoAP.
	CoAPAnswersLate bool `yaml:"coap_answers_late"`

	// AcceptAndSilent adds a port that accepts connections and never speaks.
	AcceptAndSilent bool `yaml:"accept_and_silent"`

	// Drip adds a port that speaks HTTP, one byte in two seconds.
	Drip bool `yaml:"drip"`

	// Flood adds a port that sends as fast as the client reads, without end.
	Flood bool `yaml:"flood"`

	// ResetEveryThird resets every third connection to each port.
	ResetEveryThird bool `yaml:"reset_every_third"`

	// ScannerLimited resets every connection for a while once more than a few
	// came within a second.
	ScannerLimited bool `yaml:"scanner_limited"`

	// TLSStall leaves the ClientHello to the set-up page unanswered.
	TLSStall bool `yaml:"tls_stall"`

	// DuplicateIDs gives every packet of the broker the packet identifier 1,
	// whatever it answers.
	DuplicateIDs bool `yaml:"duplicate_ids"`
}

// ParseFaults reads a faults.yaml. An empty file is a sound device.
func ParseFaults(b []byte) (Faults, error) { return parse[Faults](b, "faults") }

// FaultNames lists the faults by their names in faults.yaml, in the order of
// the fields.
func FaultNames() []string {
	var names []string
	for f := range reflect.TypeFor[Faults]().Fields() {
		names = append(names, f.Tag.Get("yaml"))
	}
	return names
}

// Has says whether the named fault is on.
func (f Faults) Has(name string) bool {
	i := faultIndex(name)
	return i >= 0 && reflect.ValueOf(f).Field(i).Bool()
}

// With returns f with the named fault switched on or off and the others as
// they are.
func (f Faults) With(name string, on bool) (Faults, error) {
	i := faultIndex(name)
	if i < 0 {
		return f, fmt.Errorf("there is no fault %q", name)
	}
	reflect.ValueOf(&f).Elem().Field(i).SetBool(on)
	return f, nil
}

func faultIndex(name string) int {
	for i, n := range FaultNames() {
		if n == name {
			return i
		}
	}
	return -1
}
