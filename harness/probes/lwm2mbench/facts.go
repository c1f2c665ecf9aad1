package lwm2mbench

import "github.com/assay-iot/assay/harness/evidence"

// InClear is how many requests of LwM2M came in clear, outside OSCORE too, what
// was sent again left out. It is 0 unless one of them began a bootstrap or a
// registration.
func (r Role) InClear() int {
	n, began := 0, false
	for _, d := range r.Dialogues {
		for _, q := range d.Requests {
			if d.Channel == Clear && q.Kind.OfLwM2M() {
				n, began = n+1, began || q.Kind.Begins()
			}
		}
	}
	if !began {
		return 0
	}
	return n
}

// Bare is how many datagrams came in clear, whatever they were: all that is
// neither inside DTLS nor inside OSCORE.
func (r Role) Bare() int {
	n := 0
	for _, d := range r.Dialogues {
		if d.Channel != Clear {
			continue
		}
		n += d.Malformed + d.More
		for _, q := range d.Requests {
			if q.OSCORE != evidence.Yes {
				n++
			}
		}
	}
	return n
}

// Inside is how many bootstraps and registrations began inside DTLS and were
// answered as a server does that accepts them.
func (r Role) Inside() int {
	n := 0
	for _, d := range r.Dialogues {
		for _, q := range d.Requests {
			if d.Channel == DTLS && q.Accepted() {
				n++
			}
		}
	}
	return n
}

// Accepted reports whether a request that begins something came whole, and was
// answered with success.
func (q Request) Accepted() bool {
	return q.Kind.Begins() && q.Whole == evidence.Yes && (q.Answer == "2.01" || q.Answer == "2.04")
}
