package bundle

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/assay-iot/assay/harness/evidence"
)

// A line of the journal. On disk its sum follows as a last field: the SHA-256
// of the sum of the line before and of this line's text up to there. So each
// line vouches for all before it.
type line struct {
	Seq  int             `json:"seq"` // from 1
	Kind string          `json:"kind"`
	Data json.RawMessage `json:"data"`
}

const (
	sumField = `,"sum":"`
	lineEnd  = `"}`
	tailLen  = len(sumField) + 2*sha256.Size + len(lineEnd)

	// maxLine bounds a line of the journal and of the records: the largest
	// record, its hash, and the open members that it points into.
	maxLine = evidence.MaxRecord + 1<<20
)

// chain is where a journal ends: how many lines it has, and the last one's sum.
type chain struct {
	seq int
	sum string
}

// encode writes the line that follows c, with the newline that finishes it.
func (c chain) encode(kind string, data json.RawMessage) ([]byte, chain, error) {
	body, err := json.Marshal(line{c.seq + 1, kind, data})
	if err != nil {
		return nil, c, err
	}
	body = body[:len(body)-1]
	next := chain{c.seq + 1, sumOf(c.sum, body)}
	text := slices.Concat(body, []byte(sumField+next.sum+lineEnd+"\n"))
	if len(text) > maxLine {
		return nil, c, fmt.Errorf("a line of %d bytes, and %d is the most", len(text), maxLine)
	}
	return text, next, nil
}

// decode reads the line that follows c, without its newline.
func (c chain) decode(text []byte) (line, chain, error) {
	var l line
	cut := len(text) - tailLen
	if cut < 0 {
		return l, c, errors.New("it is no line of a journal")
	}
	next := chain{c.seq + 1, sumOf(c.sum, text[:cut])}
	if string(text[cut:]) != sumField+next.sum+lineEnd {
		return l, c, errors.New("its sum does not fit it and the lines before it")
	}
	if err := strict(append(bytes.Clone(text[:cut]), '}'), &l); err != nil {
		return l, c, err
	}
	if l.Seq != next.seq {
		return l, c, fmt.Errorf("its number is %d, want %d", l.Seq, next.seq)
	}
	return l, next, nil
}

func sumOf(before string, body []byte) string {
	h := sha256.New()
	h.Write([]byte(before))
	h.Write(body)
	return hex.EncodeToString(h.Sum(nil))
}

// strict reads one JSON value that has no field beyond those of v.
func strict(data []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the value")
	}
	return nil
}

var errLong = errors.New("it is longer than any line may be")

// readLine returns the next line without its newline. What follows the last
// newline comes with io.ErrUnexpectedEOF, and nothing at all with io.EOF.
func readLine(r *bufio.Reader, limit int) ([]byte, error) {
	var text []byte
	for {
		part, err := r.ReadSlice('\n')
		if text = append(text, part...); len(text) > limit {
			return nil, errLong
		}
		switch {
		case err == nil:
			return text[:len(text)-1], nil
		case errors.Is(err, io.EOF) && len(text) > 0:
			return text, io.ErrUnexpectedEOF
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		}
	}
}

// digest is the SHA-256 of b.
func digest(b []byte) evidence.Digest {
	sum := sha256.Sum256(b)
	return evidence.Digest(hex.EncodeToString(sum[:]))
}
