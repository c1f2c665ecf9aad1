package devices

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"
)

func TestMatches(t *testing.T) {
	for _, tt := range []struct {
		filter, topic string
		want          bool
	}{
		{"a/b", "a/b", true}, {"a/b", "a/c", false}, {"a/b", "a", false}, {"a", "a/b", false},
		{"#", "a/b", true}, {"a/#", "a", true}, {"a/#", "a/b/c", true}, {"a/#", "b", false},
		{"+/b", "a/b", true}, {"+", "a/b", false}, {"a/+", "a", false}, {"a/+", "a/", true},
		{"#", "$SYS/x", false}, {"+/x", "$SYS/x", false}, {"$SYS/#", "$SYS/x", true}, {"$SYS/#", "a", false},
	} {
		assert.Equal(t, tt.want, matches(tt.filter, tt.topic), "%q %q", tt.filter, tt.topic)
	}
}

func TestOverlap(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{"door/app/#", "#", true}, {"door/app/#", "+/#", true}, {"door/app/#", "door/+/x", true},
		{"door/app/#", "door/lock/#", false}, {"door/app/#", "door/app", true}, {"door/status", "door/+", true},
		{"door/status", "+", false}, {"door/app/#", "$SYS/#", false}, {"door/app/#", "$share/g/#", false},
	} {
		assert.Equal(t, tt.want, overlap(tt.a, tt.b), "%q %q", tt.a, tt.b)
		assert.Equal(t, tt.want, overlap(tt.b, tt.a), "%q %q", tt.b, tt.a)
	}
}

// Filters that select one topic in common overlap.
func TestOverlapFollowsMatches(t *testing.T) {
	level := rapid.SampledFrom([]string{"a", "b", "+", ""})
	rapid.Check(t, func(t *rapid.T) {
		filter := func(name string) string {
			levels := rapid.SliceOfN(level, 1, 4).Draw(t, name)
			if rapid.Bool().Draw(t, name+" ends in #") {
				levels = append(levels, "#")
			}
			return strings.Join(levels, "/")
		}
		a, b := filter("a"), filter("b")
		topic := strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", ""}), 1, 4).Draw(t, "topic"), "/")
		if matches(a, topic) && matches(b, topic) && !overlap(a, b) {
			t.Fatalf("%q and %q both select %q and do not overlap", a, b, topic)
		}
	})
}

func TestAccess(t *testing.T) {
	app := identity{user: "app", own: []string{"door/app/#"}}
	admin := identity{user: "admin", all: true}
	stranger := identity{}
	a := access{public: []string{"door/status"}}
	assert.True(t, a.mayRead(app, "door/app/x"))
	assert.False(t, a.mayRead(app, "door/lock/x"))
	assert.True(t, a.mayRead(stranger, "door/status"))
	assert.False(t, a.mayWrite(stranger, "door/status"))
	assert.False(t, a.mayWrite(app, "door/status"))
	assert.True(t, a.mayRead(admin, "door/lock/x"))
	assert.False(t, a.mayRead(admin, "$SYS/x"))
	assert.False(t, a.mayWrite(admin, "$SYS/x"))
	assert.False(t, a.mayWrite(admin, ""))
	assert.False(t, a.maySubscribe(admin, "$share/g/#"))
	assert.False(t, a.maySubscribe(app, "door/lock/#"))
	assert.True(t, a.maySubscribe(app, "#"))

	open := access{faults: Faults{MQTTWildcardReadable: true, MQTTCrossPublish: true}}
	assert.True(t, open.mayRead(stranger, "door/lock/x"))
	assert.True(t, open.mayWrite(stranger, "door/lock/x"))
	assert.False(t, open.mayRead(stranger, "$SYS/x"))
	assert.False(t, open.mayWrite(stranger, "$SYS/x"))
	assert.True(t, access{faults: Faults{MQTTSysOpen: true}}.maySubscribe(app, "$SYS/#"))
}
