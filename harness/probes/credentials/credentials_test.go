package credentials

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/defaults"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/internal/mqttdoor"
	"github.com/assay-iot/assay/harness/probes/internal/mqttdoor/doortest"
	"github.com/assay-iot/assay/harness/probes/internal/mqttlab"
	"github.com/assay-iot/assay/internal/peers"
)

// listed are log-ins with a list of default pairs.
type listed struct {
	probe.Logins
	pairs []probe.Login
}

// List returns the pairs.
func (l listed) List(service string) []probe.Login {
	if service != "mqtt" {
		return nil
	}
	return l.pairs
}

// shipped is the list that comes with the program.
func shipped(t *testing.T) []probe.Login {
	t.Helper()
	all, err := defaults.For("mqtt", "")
	require.NoError(t, err)
	var pairs []probe.Login
	for _, p := range all {
		pairs = append(pairs, probe.Login{User: p.User, Password: p.Password})
	}
	return pairs
}

func TestAgainstADoorLock(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		faults   []string
		stopped  map[mqttdoor.Version]Stop
		accepted bool // admin, at both doors
		least    int  // pairs that were answered at each door
	}{
		{"hardened", nil, nil, false, 4},
		{"default_pair", []string{"mqtt_default_password"}, nil, true, 4},
		{"strangers_are_let_in", []string{"mqtt_anonymous"}, both(LetsAllIn), false, 0},
		{"every_pair_is_let_in", []string{"mqtt_any_password"}, both(TakesAnyPair), false, 0},
		{"version_5_forgotten", []string{"mqtt_v5_unprotected"}, map[mqttdoor.Version]Stop{mqttdoor.V5: LetsAllIn}, false, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			lab := mqttlab.Start(t, "door-lock-hardened", tt.faults...)
			lab.Input.Logins = listed{lab.Input.Logins, shipped(t)}
			e, err := run(t.Context(), lab.Input)
			require.NoError(t, err)
			require.Len(t, e.Doors, 2)
			assert.Equal(t, 12, e.Listed)
			for _, d := range e.Doors {
				assert.Equal(t, tt.stopped[d.Way.Version], d.Stopped)
				assert.Equal(t, mqttdoor.Accepted, d.Before.Outcome)
				assert.Equal(t, mqttdoor.Accepted, d.After.Outcome)
				answered := 0
				for _, try := range d.Tries {
					if try.First.Outcome != mqttdoor.NotTried {
						answered++
					}
					if try.User == "admin" && tt.accepted && try.First.Outcome != mqttdoor.NotTried && try.Place == 2 {
						assert.Equal(t, mqttdoor.Accepted, try.First.Outcome)
						assert.Equal(t, mqttdoor.Accepted, try.Again.Outcome)
					}
				}
				assert.GreaterOrEqual(t, answered, tt.least)
			}
			for _, user := range lab.Charged() {
				assert.LessOrEqual(t, count(lab.Charged(), user), 3, "%s", user)
			}
			for _, pair := range shipped(t) {
				if len(pair.Password) > 8 {
					assert.NotContains(t, lab.Transcript(), pair.User+pair.Password)
				}
			}
		})
	}
}

func both(s Stop) map[mqttdoor.Version]Stop {
	return map[mqttdoor.Version]Stop{mqttdoor.V311: s, mqttdoor.V5: s}
}

func count(list []string, s string) int {
	return len(slices.DeleteFunc(slices.Clone(list), func(other string) bool { return other != s }))
}

// pairs makes a list of pairs.
func pairs(users ...string) []probe.Login {
	var list []probe.Login
	for i, u := range users {
		list = append(list, probe.Login{User: u, Password: fmt.Sprintf("%s-password-%d", u, i)})
	}
	return list
}

// withList is a lab around a broker with the declared log-in App and a list.
func withList(t *testing.T, rules doortest.Rules, list []probe.Login) (*mqttlab.Lab, *doortest.Broker) {
	t.Helper()
	if rules.Users == nil {
		rules.Users = map[string]string{}
	}
	rules.Users[mqttlab.App.User] = mqttlab.App.Password
	broker := doortest.NewBroker(t, rules)
	lab := mqttlab.Plain(t, broker.Addr, mqttlab.App)
	lab.Input.Logins = listed{lab.Input.Logins, list}
	return lab, broker
}

// An account is tried three times at the most, whatever the list holds of it,
// and the tries are spread over the doors.
func TestAnAccountBearsThreeTries(t *testing.T) {
	t.Parallel()
	list := pairs("admin", "admin", "admin", "admin", "root")
	lab, _ := withList(t, doortest.Rules{}, list)
	e, err := run(t.Context(), lab.Input)
	require.NoError(t, err)
	assert.Equal(t, 3, count(lab.Charged(), "admin"))
	assert.Equal(t, 2, count(lab.Charged(), "root"))
	assert.Equal(t, 1, count(lab.Charged(), "app"))
	for _, d := range e.Doors {
		require.Len(t, d.Tries, len(list))
		assert.Equal(t, mqttdoor.Refused, d.Tries[0].First.Outcome)
		assert.Equal(t, mqttdoor.BudgetSpent, d.Tries[3].First.Reason)
		assert.Equal(t, mqttdoor.Refused, d.Tries[4].First.Outcome)
		assert.Equal(t, 5, d.Tries[4].Place)
	}
	lab.Within(t, bound)
}

func TestNoMoreThanTwelvePairs(t *testing.T) {
	t.Parallel()
	var users []string
	for i := range 20 {
		users = append(users, fmt.Sprint("user", i))
	}
	lab, _ := withList(t, doortest.Rules{}, pairs(users...))
	e, err := run(t.Context(), lab.Input)
	require.NoError(t, err)
	assert.Equal(t, 20, e.Listed)
	assert.Len(t, e.Doors[0].Tries, maxPairs)
	assert.NotContains(t, lab.Charged(), "user12")
	lab.Within(t, bound)
}

// What is hung up on counts as refused only between good controls, which the
// evidence has.
func TestABrokerThatHangsUp(t *testing.T) {
	t.Parallel()
	lab, _ := withList(t, doortest.Rules{HangsUp: true}, pairs("admin", "root"))
	e, err := run(t.Context(), lab.Input)
	require.NoError(t, err)
	for _, d := range e.Doors {
		assert.Equal(t, GoneThrough, d.Stopped)
		assert.Equal(t, mqttdoor.Closed, d.Random[0].Outcome)
		assert.Equal(t, mqttdoor.Closed, d.Tries[1].First.Outcome)
		assert.Zero(t, d.Tries[1].Lost)
		assert.Equal(t, mqttdoor.Accepted, d.Before.Outcome)
		assert.Equal(t, mqttdoor.Accepted, d.After.Outcome)
	}
}

// A pair that is let in is tried again, and its password, which is published,
// does not spoil what the device sends.
func TestAnAcceptedPairIsTriedAgain(t *testing.T) {
	t.Parallel()
	list := []probe.Login{{User: "root", Password: "other"}, {User: "admin", Password: "test"}}
	lab, _ := withList(t, doortest.Rules{Users: map[string]string{"admin": "test"}}, list)
	e, err := run(t.Context(), lab.Input)
	require.NoError(t, err)
	for _, d := range e.Doors {
		assert.Equal(t, mqttdoor.Accepted, d.Tries[1].First.Outcome)
		assert.Equal(t, mqttdoor.Accepted, d.Tries[1].Again.Outcome)
		assert.Equal(t, mqttdoor.NotNeeded, d.Tries[0].Again.Reason)
	}
	assert.NotContains(t, lab.Transcript(), "test")
	topic := []byte("door/selftest")
	lab.Input.Mask(topic)
	assert.Equal(t, "door/selftest", string(topic))
}

// A broker that locks what is tried too often is left alone as soon as it says
// so, or no longer lets in who is welcome.
func TestSignsOfALockOut(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		after   int // answers, from which on the broker locks
		answer  string
		stopped Stop
		tried   int // at least, of 8 pairs
	}{
		"banned":       {6, "\x20\x03\x00\x8a\x00", Locks, 1},
		"too_fast":     {6, "\x20\x03\x00\x9f\x00", Locks, 1},
		"quota":        {6, "\x20\x03\x00\x97\x00", Locks, 1},
		"says_nothing": {6, "", ControlLost, 4},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lab := mqttlab.Plain(t, locking5(t, tt.after, tt.answer), mqttlab.App)
			lab.Input.Logins = listed{lab.Input.Logins, pairs("a", "b", "c", "d", "e", "f", "g", "h")}
			e, err := run(t.Context(), lab.Input)
			require.NoError(t, err)
			five := e.Doors[1]
			assert.Equal(t, tt.stopped, five.Stopped, "%+v", five)
			assert.GreaterOrEqual(t, len(five.Tries), tt.tried)
			assert.Less(t, len(five.Tries), 8)
		})
	}
}

// locking5 speaks version 5: it lets App in and refuses all others, until it has
// given so many answers; then it answers everybody alike. Version 3.1.1 it does
// not know.
func locking5(t *testing.T, after int, locked string) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var answers atomic.Int64
	var running sync.WaitGroup
	answer := func(c net.Conn) {
		defer c.Close()
		c.SetDeadline(time.Now().Add(10 * time.Second))
		b := make([]byte, 4096)
		n, _ := c.Read(b)
		switch {
		case n < 9 || b[8] != 5: // the protocol level
			io.WriteString(c, "\x20\x02\x00\x01")
		case int(answers.Add(1)) > after:
			io.WriteString(c, locked)
		case strings.Contains(string(b[:n]), mqttlab.App.Password):
			io.WriteString(c, "\x20\x03\x00\x00\x00")
			io.Copy(io.Discard, c)
		default:
			io.WriteString(c, "\x20\x03\x00\x86\x00")
		}
	}
	running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() { answer(c) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		running.Wait()
	})
	return netip.MustParseAddrPort(l.Addr().String())
}

func TestHostilePeers(t *testing.T) {
	t.Parallel()
	for name, peer := range map[string]func(*testing.T) netip.AddrPort{
		"silent": func(t *testing.T) netip.AddrPort { return peers.Tarpit(t) },
		"reset":  func(t *testing.T) netip.AddrPort { return peers.Reset(t) },
		"flood":  func(t *testing.T) netip.AddrPort { return peers.Flood(t, "\x20\x02") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lab := mqttlab.Plain(t, peer(t), mqttlab.App)
			lab.Input.Logins = listed{lab.Input.Logins, pairs("a", "b")}
			e, err := run(t.Context(), lab.Input)
			require.NoError(t, err)
			for _, d := range e.Doors {
				for _, try := range d.Tries {
					assert.NotEqual(t, mqttdoor.Accepted, try.First.Outcome)
					assert.NotEqual(t, mqttdoor.Refused, try.First.Outcome)
				}
			}
			for _, user := range []string{"a", "b", "app"} {
				assert.LessOrEqual(t, count(lab.Charged(), user), 3)
			}
			lab.Within(t, bound)
		})
	}
}

func TestOurOwnTroubleLeavesTheDoorOut(t *testing.T) {
	t.Parallel()
	lab, _ := withList(t, doortest.Rules{}, pairs("a"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	e, err := run(ctx, lab.Input)
	partial, ok := errors.AsType[*probe.Partial](err)
	require.True(t, ok, "%v", err)
	assert.Len(t, partial.Missing, 2)
	assert.Empty(t, e.Doors)
}

func TestSlowRefusals(t *testing.T) {
	v := &visit{}
	for _, took := range []time.Duration{time.Second, 5 * time.Second, time.Second, 5 * time.Second} {
		v.time(took)
	}
	assert.Equal(t, 1, v.slow, "not in a row")
	v.time(6 * time.Second)
	assert.Equal(t, inARow, v.slow)
	quick := &visit{}
	for range 5 {
		quick.time(100 * time.Millisecond)
	}
	quick.time(2 * time.Second)
	assert.Zero(t, quick.slow, "too short to be on purpose")
}
