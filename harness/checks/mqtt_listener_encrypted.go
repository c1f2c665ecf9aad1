package checks

import (
	"slices"

	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/mqttconnect"
	"github.com/assay-iot/assay/harness/probes/services"
)

var mqttListenerEncrypted = register(check.Check{
	ID:     "mqtt.listener-encrypted",
	Title:  "Every listener of an MQTT broker is inside TLS, those for WebSocket included",
	Remedy: "Switch plain listeners off, and offer MQTT inside TLS alone",
	Needs:  append([]probe.Any{mqttconnect.Probe}, tcpSurface...),
	Decide: decideListenerEncrypted,
})

func decideListenerEncrypted(in check.In) []check.Item {
	var items []check.Item
	for _, l := range listeners(in.DUT, services.MQTT) {
		items = append(items, encryptedAt(l))
	}
	for _, l := range listeners(in.DUT, services.HTTP) {
		if item := webAt(l); item != nil {
			items = append(items, *item)
		}
	}
	return withSurface(in.DUT, items)
}

// encryptedAt judges by the dialogue alone: a broker on 1883 may be inside TLS,
// and one on 8883 plain. A broker that refuses a client in clear has answered in
// clear.
func encryptedAt(l listener) check.Item {
	at, refs := evidence.TCP(l.Addr), []evidence.Ref{l.ref("protocol"), l.ref("tls"), l.ref("answer")}
	switch {
	case l.Seen < 2:
		return check.Inconclusive(at, msg.T("MQTT was spoken in 1 of 2 dialogues"), msg.T("run again"), refs...)
	case l.TLS == evidence.No:
		return check.Fail(at, msg.T("a CONNECT in clear was answered by a CONNACK, in two dialogues"), refs...)
	case l.TLS == evidence.Yes:
		return check.Pass(at, msg.T("a CONNECT was answered inside TLS, in two dialogues"), refs...)
	}
	return check.Inconclusive(at, msg.T("whether MQTT was spoken inside TLS is not known"), msg.T("run again"), refs...)
}

// webAt returns an item if MQTT is spoken behind an HTTP listener, or if that is
// not known of one in clear.
func webAt(l listener) *check.Item {
	at := evidence.TCP(l.Addr).Subject("websocket")
	web := mqttconnect.Probe.From(l.view).Web
	i := slices.IndexFunc(web, func(w mqttconnect.Web) bool { return w.Addr == l.Addr })
	ref := l.ref("protocol")
	mqtt := evidence.Unknown
	if i >= 0 {
		ref, mqtt = mqttconnect.Probe.At(l.view, "/web/%d/mqtt", i), web[i].MQTT
	}
	var item check.Item
	answers := answersOverWeb(l)
	switch {
	case mqtt == evidence.No, mqtt == evidence.Unknown && l.TLS == evidence.Yes:
		return nil
	case mqtt == evidence.Unknown:
		item = check.Inconclusive(at, msg.T("whether MQTT is spoken over WebSocket behind HTTP in clear was not seen"), msg.T("run again"), ref)
	case l.TLS == evidence.Yes:
		item = check.Pass(at, msg.T("MQTT over WebSocket was spoken inside TLS"), ref, l.ref("tls"))
	case len(answers) < 2:
		item = check.Inconclusive(at, msg.T("a CONNECT over WebSocket in clear was answered once"), msg.T("run again"), append(answers, ref)...)
	default:
		item = check.Fail(at, msg.T("CONNECTs over WebSocket in clear were answered by a CONNACK"), append(answers, ref)...)
	}
	return &item
}

// answersOverWeb cites the CONNACKs that came over WebSocket.
func answersOverWeb(l listener) []evidence.Ref {
	var refs []evidence.Ref
	for _, e := range entries(l.view) {
		if e.Way.Addr != l.Addr || e.Way.Path == "" {
			continue
		}
		for i, a := range e.Anonymous {
			if a.Answers != "" {
				refs = append(refs, mqttconnect.Probe.At(l.view, "/doors/%d/anonymous/%d/outcome", e.place, i))
			}
		}
	}
	return refs
}
