package mqttwire

import "slices"

// CorpusVersion is that of the list that Malformed returns. It rises with
// every change of a name, an order or a byte.
const CorpusVersion = 1

// MaxMalformed bounds each packet of the list, in bytes: the corpus asks
// whether a broker reads with care, not how much it can take.
const MaxMalformed = 64 << 10

// BadPacket is what no client may send.
type BadPacket struct {
	Name    string  // stable: lower-case letters, digits and hyphens
	Version Version // of the connection that it belongs to
	// AfterConnect says that a good CONNECT of Version is sent and accepted
	// first. Without it, the packet is the first of its connection.
	AfterConnect bool
	// Credentials says that a user name or password is in it, so that a
	// device may count it as a log-in.
	Credentials bool
	Bytes       []byte
}

// Malformed returns the corpus, always the same and in the same order: first
// one of each kind of mistake, then its variants. Nothing in it is retained,
// and all that a careless broker might pass on or keep is under
// "assay/malformed".
func Malformed() []BadPacket {
	return slices.Concat(malformedKinds(), malformedConnects(), malformedOthers())
}

// Parts of the packets. A client of the corpus has a name of its own and
// leaves no session.
const (
	mqttName = "\x00\x04MQTT"
	clientID = "\x00\x0fassay-malformed"
	topic    = "\x00\x0fassay/malformed"
	userName = "\x00\x0fassay-malformed"

	clean311 = mqttName + "\x04\x02\x00\x3c" // level 4, clean session, keep-alive 60 s
	clean5   = mqttName + "\x05\x02\x00\x3c" // level 5, clean start, keep-alive 60 s
)

// under puts a body under a fixed header with the right remaining length.
func under(first byte, body string) []byte {
	return append(appendVarint([]byte{first}, len(body)), body...)
}

// opening is a packet that opens a connection.
func opening(v Version, name string, packet []byte) BadPacket {
	return BadPacket{Name: name, Version: v, Bytes: packet}
}

// login is opening for a packet with a user name or password.
func login(v Version, name string, packet []byte) BadPacket {
	return BadPacket{Name: name, Version: v, Credentials: true, Bytes: packet}
}

// later is a packet that follows a good CONNECT.
func later(v Version, name string, packet []byte) BadPacket {
	return BadPacket{Name: name, Version: v, AfterConnect: true, Bytes: packet}
}
