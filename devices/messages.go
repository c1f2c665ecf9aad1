package devices

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
)

// Topics of the device's own messages. The device files declare them.
const (
	statusTopic  = "door/status"
	policyTopic  = "door/help"
	ownerTopic   = "door/lock/owner"
	clientsTopic = "$SYS/broker/clients/list"
)

// retained returns what the device itself keeps on its broker, by topic.
func (b *broker) retained() map[string][]byte {
	u := b.boot.unit
	all := map[string][]byte{
		statusTopic: fmt.Appendf(nil, `{"firmware":%q,"start":%d,"battery":87,"door":"closed"}`, u.file.Device.Firmware, b.boot.number),
	}
	if u.faults.MQTTRetainedPIN {
		all[ownerTopic] = []byte(`{"user":"owner","pin":"7Q4K-92XD-LM5R"}`)
	}
	if u.oddities.RetainedWords {
		all[policyTopic] = []byte(`{"password policy":"at least twelve characters","pin":"set in the app","secret":"none is kept here","token":"see the manual, chapter 4","key":"on the back of the lock"}`)
	}
	return all
}

// clientList names every client with its user and address. The bolt of the lock
// is always there.
func (b *broker) clientList() []byte {
	var list bytes.Buffer
	fmt.Fprintf(&list, "bolt-%s lock %s\n", b.boot.unit.serial, b.boot.unit.addr)
	clients := b.server.Clients.GetAll()
	for _, id := range slices.Sorted(maps.Keys(clients)) {
		c := clients[id]
		if c.Closed() {
			continue
		}
		fmt.Fprintf(&list, "%q %q %s\n", id, c.Properties.Username, c.Net.Remote)
	}
	return list.Bytes()
}
