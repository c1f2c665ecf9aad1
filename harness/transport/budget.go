package transport

import (
	"fmt"
	"math"
	"sync/atomic"
)

// A purse holds what is left of a budget.
type purse struct {
	what string
	left atomic.Int64
}

// newPurse returns a purse with n in it; 0 stands for no limit.
func newPurse(what string, n int64) *purse {
	p := &purse{what: what}
	if n <= 0 {
		n = math.MaxInt64
	}
	p.left.Store(n)
	return p
}

// take takes up to want, at least 1, or returns an error.
func (p *purse) take(want int64) (int64, error) {
	for {
		left := p.left.Load()
		got := min(want, left)
		if got <= 0 {
			return 0, fmt.Errorf("%s: %w", p.what, ErrBudget)
		}
		if p.left.CompareAndSwap(left, left-got) {
			return got, nil
		}
	}
}

// put gives back what was not used.
func (p *purse) put(n int64) { p.left.Add(n) }
