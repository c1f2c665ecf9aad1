package devices

import (
	"errors"
	"slices"
	"strings"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

// A hook lets the access rules and the faults decide in the broker.
type hook struct {
	mqtt.HookBase
	broker *broker
}

// ID names the hook.
func (*hook) ID() string { return "device" }

// Provides says which of the methods are ours.
func (*hook) Provides(b byte) bool {
	return slices.Contains([]byte{
		mqtt.OnPacketRead, mqtt.OnConnect, mqtt.OnConnectAuthenticate, mqtt.OnACLCheck,
		mqtt.OnPublish, mqtt.OnWill, mqtt.OnPacketEncode, mqtt.OnSessionEstablished, mqtt.OnDisconnect,
	}, b)
}

// OnPacketRead refuses what the broker itself would take or would answer
// wrongly.
func (h *hook) OnPacketRead(cl *mqtt.Client, pk packets.Packet) (packets.Packet, error) {
	switch {
	case pk.FixedHeader.Type == packets.Subscribe && cl.State.Subscriptions.Len()+len(pk.Filters) > brokerFilters:
		return pk, packets.ErrRejectPacket
	case pk.FixedHeader.Type == packets.Connect && pk.Connect.ClientIdentifier == "":
		return h.withoutID(cl, pk)
	}
	return pk, nil
}

// withoutID refuses an empty client identifier where it is not allowed: in
// version 3.1.1 with a session to keep, and wherever the device is odd.
func (h *hook) withoutID(cl *mqtt.Client, pk packets.Packet) (packets.Packet, error) {
	if h.broker.boot.unit.oddities.EmptyClientIDRefused || pk.ProtocolVersion == 4 && !pk.Connect.Clean {
		answer := []byte{0x20, 2, 0, 2}
		if pk.ProtocolVersion == 5 {
			answer = []byte{0x20, 3, 0, packets.ErrClientIdentifierNotValid.Code, 0}
		}
		_, err := cl.Net.Conn.Write(answer)
		return pk, errors.Join(packets.ErrRejectPacket, err)
	}
	return pk, nil
}

// OnConnect keeps the number of sessions small, and closes the connection of
// those who may not log in if the device answers that way.
func (h *hook) OnConnect(cl *mqtt.Client, pk packets.Packet) error {
	if h.broker.server.Clients.Len() >= brokerSessions {
		return packets.ErrServerBusy
	}
	if h.broker.boot.unit.oddities.ClosesOnBadLogin && !h.OnConnectAuthenticate(cl, pk) {
		return packets.ErrBadUsernameOrPassword
	}
	return nil
}

// OnConnectAuthenticate lets those in who may log in, with a client identifier
// that no other identity uses and a will that they may send.
func (h *hook) OnConnectAuthenticate(cl *mqtt.Client, pk packets.Packet) bool {
	a := h.broker.access
	id, ok := a.who(login{
		given:    pk.Connect.UsernameFlag || pk.Connect.PasswordFlag,
		user:     string(pk.Connect.Username),
		password: string(pk.Connect.Password),
		version:  pk.ProtocolVersion,
	})
	if !ok {
		return false
	}
	if pk.Connect.WillFlag && (!a.mayWrite(id, pk.Connect.WillTopic) || strings.ContainsAny(pk.Connect.WillTopic, "+#")) {
		return false
	}
	held, taken := h.broker.server.Clients.Get(cl.ID)
	return !taken || a.faults.MQTTIDTakeover || string(held.Properties.Username) == id.user
}

// identity says who a client that was let in is.
func (h *hook) identity(cl *mqtt.Client) identity {
	user := string(cl.Properties.Username)
	for _, id := range h.broker.access.identities {
		if id.user == user {
			return id
		}
	}
	return identity{user: user}
}

// OnACLCheck is asked about the filter of a subscription, the topic of each
// message before it is sent, and the topic of each message that comes. In
// version 3.1.1, which has no word for a refused message, OnPublish drops it.
func (h *hook) OnACLCheck(cl *mqtt.Client, topic string, write bool) bool {
	a, id := h.broker.access, h.identity(cl)
	switch {
	case write:
		return cl.Properties.ProtocolVersion < 5 || a.mayWrite(id, topic)
	case strings.ContainsAny(topic, "+#"):
		return a.maySubscribe(id, topic)
	}
	return a.mayRead(id, topic)
}

// OnPublish drops what a client may not write, after acknowledging it, and does
// not let retained messages pile up.
func (h *hook) OnPublish(cl *mqtt.Client, pk packets.Packet) (packets.Packet, error) {
	if !h.broker.access.mayWrite(h.identity(cl), pk.TopicName) {
		return pk, packets.CodeSuccessIgnore
	}
	if h.broker.full() {
		pk.FixedHeader.Retain = false
	}
	return pk, nil
}

// OnWill sees to it that a will does not add to the retained messages.
func (h *hook) OnWill(_ *mqtt.Client, will mqtt.Will) (mqtt.Will, error) {
	will.Retain = will.Retain && !h.broker.full()
	return will, nil
}

func (b *broker) full() bool { return b.server.Topics.Retained.Len() >= brokerRetained }

// onlyID is the packet identifier of everything that DuplicateIDs sends.
const onlyID = 1

// OnPacketEncode sees each packet before it is sent.
func (h *hook) OnPacketEncode(_ *mqtt.Client, pk packets.Packet) packets.Packet {
	if h.broker.boot.unit.faults.DuplicateIDs && pk.PacketID != 0 {
		pk.PacketID = onlyID
	}
	return pk
}

// OnSessionEstablished lists the new client.
func (h *hook) OnSessionEstablished(*mqtt.Client, packets.Packet) { h.list() }

// OnDisconnect takes a client off the list.
func (h *hook) OnDisconnect(*mqtt.Client, error, bool) { h.list() }

// list keeps the clients below $SYS. As a retained message it reaches those who
// subscribe to $SYS by name, and nobody who subscribes to "#".
func (h *hook) list() {
	if h.broker.access.faults.MQTTSysOpen {
		h.broker.retain(clientsTopic, h.broker.clientList())
	}
}
