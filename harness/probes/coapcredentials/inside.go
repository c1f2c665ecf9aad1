package coapcredentials

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"time"

	"github.com/assay-iot/assay/harness/probes/internal/coapwire"
	"github.com/assay-iot/assay/harness/probes/internal/dtlsdoor"
	"github.com/assay-iot/assay/harness/transport"
)

const (
	// insideWait is how long an answer inside is waited for: RFC 7252, 4.8, sends
	// again after two to three seconds.
	insideWait = 2 * time.Second
	// messageMost is the longest message that is read.
	messageMost = 16 << 10
)

// prove sends a ping and, if that is not answered, a request for the list of
// resources, which every server may refuse but not ignore.
func prove(ctx context.Context, s *dtlsdoor.Session) (Proof, error) {
	random := make([]byte, 8)
	rand.Read(random) // never fails
	id, token := binary.BigEndian.Uint16(random), random[4:]
	ping := coapwire.Message{Type: coapwire.Confirmable, ID: id}
	pong := func(m coapwire.Message) bool { return m.Type == coapwire.Reset && m.ID == id }
	if found, err := ask(ctx, s, ping, pong); found || err != nil {
		return kind(found, Pong), err
	}
	list := coapwire.Message{
		Type: coapwire.Confirmable, Code: coapwire.GET, ID: id + 1, Token: token,
		Options: coapwire.PathOptions("/.well-known/core"),
	}
	found, err := ask(ctx, s, list, func(m coapwire.Message) bool {
		return m.Code.Response() && bytes.Equal(m.Token, token) || m.Type == coapwire.Reset && m.ID == id+1
	})
	return kind(found, Response), err
}

func kind(found bool, p Proof) Proof {
	if found {
		return p
	}
	return None
}

// ask sends m once and waits for what answers it. What belongs to nothing is
// passed over, and the end of the session is no answer.
func ask(ctx context.Context, s *dtlsdoor.Session, m coapwire.Message, answers func(coapwire.Message) bool) (bool, error) {
	b, err := m.Encode()
	if err != nil {
		return false, err
	}
	if err := s.SetReadDeadline(time.Now().Add(insideWait)); err != nil {
		return false, ours(ctx, err)
	}
	if _, err := s.Write(b); err != nil {
		return false, ours(ctx, err)
	}
	buffer := make([]byte, messageMost)
	for {
		n, err := s.Read(buffer)
		if err != nil {
			return false, ours(ctx, err)
		}
		if got, err := coapwire.Decode(buffer[:n]); err == nil && answers(got) {
			return true, nil
		}
	}
}

// ours returns the part of an error inside a session that is not the device's
// doing.
func ours(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, transport.ErrBudget):
		return err
	}
	return nil
}
