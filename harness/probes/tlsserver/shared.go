package tlsserver

// A Book holds each certificate of a device once, for probes that meet
// certificates in other protocols. Its zero value is empty.
type Book struct{ inner book }

// Places notes the certificates of a chain and returns their places. What finds no
// room is left out.
func (b *Book) Places(chain [][]byte) []int { return b.inner.places(chain) }

// Certificates returns all that were noted.
func (b *Book) Certificates() []Certificate { return b.inner.certificates }
