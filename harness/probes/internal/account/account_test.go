package account_test

import (
	"errors"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/probe"
	. "github.com/assay-iot/assay/harness/probes/internal/account"
)

var login = probe.Login{ID: "app", User: "app", Password: "secret"}

func TestUse(t *testing.T) {
	const n, y = false, true
	tests := []struct {
		name    string
		begin   Standing
		takes   []Taken
		bars    []Bar
		charged []bool // of those that were tried
		end     Standing
	}{
		{"accepted", Untold, []Taken{In, In, In}, []Bar{Open, Open, Open}, []bool{y, n, n}, Proven},
		{"proven_before", Proven, []Taken{In}, []Bar{Open}, []bool{n}, Proven},
		{"refused", Untold, []Taken{Out, In}, []Bar{Open, RefusedBefore}, []bool{y}, Spoilt},
		{"refused_before", Spoilt, []Taken{In}, []Bar{RefusedBefore}, nil, Spoilt},
		{"unclear", Untold, []Taken{Unclear, Unclear}, []Bar{Open, Open}, []bool{y, y}, Untold},
		{"unclear_after_it_was_proven", Proven, []Taken{Unclear, In, In}, []Bar{Open, Open, Open}, []bool{n, y, n}, Proven},
		{"not_looked_at", Proven, []Taken{Unlooked, In}, []Bar{Open, Open}, []bool{n, n}, Proven},
		{"spent", Untold, []Taken{Spent, In}, []Bar{Open, BudgetSpent}, []bool{y}, Untold},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := New(login, tt.begin)
			var charged []bool
			for i, taken := range tt.takes {
				bar, err := a.Use(func(l *probe.Login, charge bool) (Taken, error) {
					assert.Equal(t, login, *l)
					charged = append(charged, charge)
					return taken, nil
				})
				require.NoError(t, err)
				assert.Equal(t, tt.bars[i], bar, "try %d", i)
			}
			assert.Equal(t, tt.charged, charged)
			assert.Equal(t, tt.end, a.Standing())
		})
	}
}

func TestAnErrorOfOursTeachesNothing(t *testing.T) {
	a, boom := New(login, Proven), errors.New("boom")
	bar, err := a.Use(func(*probe.Login, bool) (Taken, error) { return Out, boom })
	assert.ErrorIs(t, err, boom)
	assert.Equal(t, Open, bar)
	assert.Equal(t, Proven, a.Standing())
	assert.Equal(t, login, a.Login())
	assert.Equal(t, "app", a.ID())
}

// Many tries at once charge a log-in that turns out well once.
func TestTriesWaitForEachOther(t *testing.T) {
	a, charged := New(login, Untold), 0
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			_, err := a.Use(func(_ *probe.Login, charge bool) (Taken, error) {
				if charge {
					charged++
				}
				return In, nil
			})
			assert.NoError(t, err)
		})
	}
	all.Wait()
	assert.Equal(t, 1, charged)
}

func TestFirst(t *testing.T) {
	untold, proven, spoilt := New(login, Untold), New(login, Proven), New(login, Spoilt)
	assert.Same(t, proven, First([]*Account{spoilt, untold, proven}))
	assert.Same(t, untold, First([]*Account{spoilt, untold}))
	assert.Nil(t, First([]*Account{spoilt}))
	assert.Nil(t, First[*Account](nil))
}
