package answers

import (
	"time"

	"github.com/assay-iot/assay/harness/evidence"
)

// Evidence holds the answers in the order of the device file.
type Evidence struct {
	Answers []Answer `json:"answers"`
}

// Answer is what one person said, named and dated.
type Answer struct {
	Question    Question          `json:"question"` // such as "etsi-en-303-645-v3.1.3:5.2-1"
	Answer      evidence.Tri      `json:"answer"`
	Note        Text              `json:"note"`
	Who         Person            `json:"who"`
	When        time.Time         `json:"when"`        // day, UTC
	Attachments []evidence.Digest `json:"attachments"` // SHA-256 of what the answer rests on
}

// Question is the name of a question.
type Question string

// Person is a name as the operator wrote it.
type Person string

// Text is what a person wrote.
type Text string

// Find returns the place of the answer to q, or -1.
func (e Evidence) Find(q Question) int {
	for i, a := range e.Answers {
		if a.Question == q {
			return i
		}
	}
	return -1
}
