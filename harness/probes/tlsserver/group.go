package tlsserver

import (
	"context"
	"slices"
	"strings"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/internal/tlswire"
)

const (
	// mostGroups is one hello for each group, one more that is turned away, its
	// repetition, and one that finds out how groups are to be asked for.
	mostGroups = 45 + 3
	// hybrids are asked for this often at most, each.
	hybridTries = 3
)

// hybrids are the groups that join a curve with ML-KEM.
var hybrids = []Code{X25519MLKEM768, SecP256r1MLKEM768, SecP384r1MLKEM1024}

// groups lists the groups by elimination: in TLS 1.3 if the server takes it,
// else in the newest older version in which it takes elliptic curves.
func (k *look) groups(ctx context.Context) error {
	v := k.newest(TLS13)
	if v == nil {
		return nil
	}
	offer := codes(v.Suites)
	if v.Code < TLS13 {
		offer = codes(slices.DeleteFunc(slices.Clone(v.Suites), func(s Suite) bool {
			return !strings.HasPrefix(string(s.KeyExchange), "ECDHE")
		}))
	}
	if len(offer) == 0 {
		return nil
	}
	k.Groups = Groups{Version: v.Code, Complete: evidence.No}
	return k.eliminateGroups(ctx, v.Code, offer)
}

// eliminateGroups offers what is left until it is turned away. In TLS 1.3 no key
// share is sent, so that the server names the group that it wants; a server that
// takes no such hello is sent key shares.
func (k *look) eliminateGroups(ctx context.Context, version Code, suites []uint16) error {
	left := groupsFor(version)
	var shares []tlswire.Share
	repeated := false
	for sent := 0; len(left) > 0 && sent < mostGroups; sent++ {
		h := k.hello(version, suites)
		h.Groups, h.Shares = left, among(shares, left)
		got, err := k.ask(ctx, h, true)
		if err != nil {
			return err
		}
		if got.Outcome == Accepted && slices.Contains(left, uint16(got.Group)) {
			k.Groups.Taken = append(k.Groups.Taken, Group{got.Group, Name(tlswire.GroupName(uint16(got.Group))), got.Span})
			left = slices.DeleteFunc(left, func(c uint16) bool { return c == uint16(got.Group) })
			continue
		}
		k.Groups.Ends = append(k.Groups.Ends, got.Try)
		if len(k.Groups.Taken) > 0 && got.Outcome == Alerted || repeated {
			k.Groups.Complete = tri(got.Refused())
			return nil
		}
		repeated, shares = true, k.shares
	}
	k.Groups.Complete = tri(len(left) == 0)
	return nil
}

// among returns the shares for groups that are left.
func among(shares []tlswire.Share, left []uint16) []tlswire.Share {
	return slices.DeleteFunc(slices.Clone(shares), func(s tlswire.Share) bool { return !slices.Contains(left, s.Group) })
}

// hybrid offers each hybrid group alone.
func (k *look) hybrid(ctx context.Context) error {
	for _, g := range hybrids {
		share, err := tlswire.NewShare(uint16(g))
		if err != nil {
			return err
		}
		h := k.hello(TLS13, suitesFor(TLS13))
		h.Groups, h.Shares = []uint16{share.Group}, []tlswire.Share{share}
		o := Offer{Code: g, Name: Name(tlswire.GroupName(share.Group))}
		for len(o.Tries) < hybridTries && !o.settled() {
			got, err := k.ask(ctx, h, false)
			if err != nil {
				return err
			}
			o.Tries = append(o.Tries, got.Try)
		}
		k.Hybrids = append(k.Hybrids, o)
	}
	return nil
}

// settled reports whether the group was taken, or two tries agree.
func (o Offer) settled() bool {
	seen := map[bool]int{}
	for _, t := range o.Tries {
		if t.Outcome == Accepted {
			return true
		}
		seen[t.Refused()]++
	}
	return seen[true] >= 2 || seen[false] >= 2
}
