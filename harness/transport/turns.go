package transport

import "context"

// turns bounds the connections that are open at the same time. A nil value has
// no bound.
type turns chan struct{}

func newTurns(n int) turns {
	if n <= 0 {
		return nil
	}
	return make(turns, n)
}

// take waits for a turn.
func (t turns) take(ctx context.Context) error {
	if t == nil {
		return nil
	}
	select {
	case t <- struct{}{}:
		return nil
	case <-ctx.Done():
		return waited(ctx)
	}
}

// try takes a turn if one is free.
func (t turns) try() bool {
	if t == nil {
		return true
	}
	select {
	case t <- struct{}{}:
		return true
	default:
		return false
	}
}

// give gives a turn back.
func (t turns) give() {
	if t != nil {
		<-t
	}
}
