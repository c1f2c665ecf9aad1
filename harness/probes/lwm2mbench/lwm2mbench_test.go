package lwm2mbench

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/plgd-dev/go-coap/v3/message/codes"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/bench"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
)

func kinds(d Dialogue) (list []Kind) {
	for _, r := range d.Requests {
		list = append(list, r.Kind)
	}
	return list
}

// A client in clear registers, updates, is told that it was forgotten, registers
// again and takes its leave: as with any server.
func TestInClear(t *testing.T) {
	r := newRig(t)
	c := client(t, r.server)
	where := registers(t, c)
	require.Equal(t, codes.NotFound, do(t, c, codes.POST, where, "").Code(), "the first update finds the server restarted")
	where = registers(t, c)
	require.Equal(t, codes.Changed, do(t, c, codes.POST, where, "").Code())
	require.Equal(t, codes.Deleted, do(t, c, codes.DELETE, where, "").Code())
	require.Equal(t, codes.NotFound, do(t, c, codes.GET, "/elsewhere", "").Code())

	got := r.at(t, Server)
	require.Len(t, got.Dialogues, 1)
	d := got.Dialogues[0]
	assert.Equal(t, Clear, d.Channel)
	assert.Equal(t, Handshake{}, d.Handshake)
	assert.Equal(t, []Kind{Register, Update, Register, Update, Deregister, Other}, kinds(d))
	first := d.Requests[0]
	assert.Equal(t, identity, string(first.Endpoint))
	assert.Equal(t, "/rd", string(first.Path))
	assert.Equal(t, Code("2.01"), first.Answer)
	assert.Equal(t, []evidence.Tri{evidence.Yes, evidence.No, evidence.No}, []evidence.Tri{first.Whole, first.Key, first.OSCORE})
	assert.Equal(t, 1, first.Times)
	assert.Contains(t, r.Member(first.Span.Member)[first.Span.Offset:first.Span.Offset+first.Span.Length], objects)
	assert.Equal(t, []int{5, 0}, []int{got.InClear(), got.Inside()})
	assert.Equal(t, got.Dialogues[0].Span.Length, int64(len(r.Member(d.Span.Member))))
}

func TestBootstrapInClear(t *testing.T) {
	r := newRig(t)
	c := client(t, r.bootstrap)
	require.Equal(t, codes.NotFound, do(t, c, codes.GET, "/bspack", "", "ep="+identity).Code())
	require.Equal(t, codes.Changed, do(t, c, codes.POST, "/bs", "", "ep="+identity).Code())
	got := r.at(t, Bootstrap)
	require.Len(t, got.Dialogues, 1)
	assert.Equal(t, []Kind{BootstrapRequest, BootstrapRequest}, kinds(got.Dialogues[0]))
	assert.Equal(t, 2, got.InClear())
}

func TestInsideDTLS(t *testing.T) {
	r := newRig(t)
	c, err := secured(t, r.server, identity, psk)
	require.NoError(t, err)
	where := registers(t, c)
	do(t, c, codes.POST, where, "")
	require.NoError(t, c.Close())
	got := r.at(t, Server)
	require.Len(t, got.Dialogues, 1)
	d := got.Dialogues[0]
	assert.Equal(t, DTLS, d.Channel)
	assert.Equal(t, Handshake{Opened, []byte(identity), evidence.Yes, 0xc0a8}, d.Handshake)
	assert.Equal(t, []Kind{Register, Update}, kinds(d))
	assert.Equal(t, evidence.Unknown, d.Requests[0].Key, "inside DTLS nothing is looked for")
	assert.Equal(t, []int{0, 1}, []int{got.InClear(), got.Inside()})
	assert.Contains(t, r.Member(d.Span.Member), objects)
	assert.NotContains(t, r.Member(d.Below.Member), objects)
	assert.Positive(t, d.Below.Length)
}

// Nobody who does not know the key gets in, and what he tried is on record.
func TestHandshakesThatFail(t *testing.T) {
	for _, tt := range []struct {
		name, user, key string
		change          func(*probe.Input)
		outcome         []Outcome
		known           evidence.Tri
	}{
		{"another_key", identity, "another", nil, []Outcome{Broken, Silent}, evidence.Yes},
		{"another_identity", "nobody", psk, nil, []Outcome{Broken}, evidence.No},
		{"nothing_declared", identity, psk, func(in *probe.Input) { in.Target.Roles[1].Credential = "" }, []Outcome{Broken}, evidence.No},
		{"declared_for_another_service", identity, psk, func(in *probe.Input) { in.Target.Roles[1].Credential = "web" }, []Outcome{Broken}, evidence.No},
	} {
		t.Run(tt.name, func(t *testing.T) {
			change := []func(*probe.Input){}
			if tt.change != nil {
				change = append(change, tt.change)
			}
			r := newRig(t, change...)
			_, err := secured(t, r.server, tt.user, tt.key)
			require.Error(t, err)
			got := r.at(t, Server)
			require.NotEmpty(t, got.Dialogues)
			h := got.Dialogues[0].Handshake
			assert.Contains(t, tt.outcome, h.Outcome)
			assert.Equal(t, tt.user, string(h.Identity))
			assert.Equal(t, tt.known, h.Known)
			assert.Zero(t, h.Suite)
			assert.Zero(t, got.Inside())
		})
	}
}

// A device that comes in clear once and then inside DTLS is waited for no longer
// than it may take to try again.
func TestPatience(t *testing.T) {
	for _, tt := range []struct {
		name   string
		device func(*testing.T, *rig)
		waits  bool
	}{
		{"silent", func(*testing.T, *rig) {}, true},
		{"once_in_clear", func(t *testing.T, r *rig) { registers(t, client(t, r.server)) }, true},
		{"twice_in_clear", func(t *testing.T, r *rig) {
			c := client(t, r.server)
			registers(t, c)
			registers(t, c)
		}, false},
		{"inside", func(t *testing.T, r *rig) {
			c, err := secured(t, r.server, identity, psk)
			require.NoError(t, err)
			registers(t, c)
		}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			const retry = 400 * time.Millisecond
			r := newRig(t, func(in *probe.Input) {
				in.Target.Roles = in.Target.Roles[1:]
				in.Target.Roles[0].Retry = retry
			})
			tt.device(t, r)
			begun := time.Now()
			_, err := r.ended(t)
			require.NoError(t, err)
			assert.Equal(t, tt.waits, time.Since(begun) >= retries*retry)
		})
	}
}

// A device that comes while it is waited for is heard.
func TestComesLate(t *testing.T) {
	r := newRig(t, func(in *probe.Input) {
		in.Target.Roles = in.Target.Roles[1:]
		in.Target.Roles[0].Retry = 5 * time.Second
	})
	done := make(chan Evidence)
	go func() {
		e, _ := r.stop(t.Context())
		done <- e
	}()
	<-time.After(100 * time.Millisecond)
	c, err := secured(t, r.server, identity, psk)
	require.NoError(t, err)
	registers(t, c)
	e := <-done
	r.stop = func(context.Context) (Evidence, error) { return e, nil }
	assert.Equal(t, 1, e.Roles[0].Inside())
}

func TestNothingDeclared(t *testing.T) {
	stop, err := watch(t.Context(), probe.Input{})
	require.NoError(t, err)
	e, err := stop(t.Context())
	require.NoError(t, err)
	assert.Empty(t, e.Roles)
	_, err = watch(t.Context(), probe.Input{Target: probe.Target{Roles: []probe.Role{{Name: Server}}}})
	assert.ErrorIs(t, err, errNoBench)
	assert.Equal(t, probe.Bound{Time: putAway}, bound(probe.Target{}))
	b := bound(probe.Target{Roles: []probe.Role{{Retry: time.Second}, {}}})
	assert.Equal(t, probe.Bound{Time: putAway + retries*usualRetry, Connections: 2 * mostPeers}, b)
}

// An address that is not ours cannot be played: that is said, and is no evidence
// about the device.
func TestAddressesThatAreNotOurs(t *testing.T) {
	far := netip.MustParseAddrPort("192.0.2.9:5684")
	r := newRig(t, func(in *probe.Input) { in.Target.Roles[0].Addr = far })
	e, err := r.ended(t)
	partial, ok := errors.AsType[*probe.Partial](err)
	require.True(t, ok, "%v", err)
	assert.Equal(t, []string{Bootstrap}, partial.Missing)
	assert.ErrorIs(t, err, bench.ErrNotOurs)
	assert.Equal(t, []evidence.Tri{evidence.No, evidence.Yes}, []evidence.Tri{e.Roles[0].Listened, e.Roles[1].Listened})

	in := r.Input
	in.Target.Roles = in.Target.Roles[:1]
	_, err = watch(t.Context(), in)
	assert.ErrorIs(t, err, bench.ErrNotOurs)
}

// The end of the run is never the device's doing.
func TestTheRunIsCutShort(t *testing.T) {
	r := newRig(t)
	_, err := r.ended(t)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	stop, err := watch(ctx, r.Input)
	require.NoError(t, err)
	registers(t, client(t, r.server))
	cancel()
	e, err := stop(t.Context())
	assert.ErrorIs(t, err, context.Canceled)
	assert.Equal(t, 1, e.Roles[1].InClear(), "what was seen is kept")
}

func TestEvidenceType(t *testing.T) {
	require.NoError(t, evidence.CheckType(Probe.Info().Evidence))
	r := newRig(t)
	registers(t, client(t, r.server))
	e, err := r.ended(t)
	require.NoError(t, err)
	data, err := evidence.Encode(e)
	require.NoError(t, err)
	_, err = evidence.Decode[Evidence](data)
	require.NoError(t, err)
}
