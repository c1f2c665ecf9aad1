package peers

import (
	"testing"
	"time"
)

// Those on one side share it, and may take it twice; the others wait for them.
func TestQuiet(t *testing.T) {
	for _, tt := range []struct {
		name          string
		first, second func(testing.TB)
	}{{"quiet_first", Quiet, Loud}, {"loud_first", Loud, Quiet}} {
		t.Run(tt.name, func(t *testing.T) {
			order := make(chan int, 2)
			t.Run("both", func(t *testing.T) {
				t.Run("first", func(t *testing.T) {
					tt.first(t)
					t.Parallel() // the next one begins once this one waits here, and holds the lock
					time.Sleep(50 * time.Millisecond)
					tt.first(t) // while the other one waits
					order <- 1
				})
				t.Run("second", func(t *testing.T) {
					t.Parallel()
					tt.second(t)
					order <- 2
				})
			})
			if a, b := <-order, <-order; a != 1 || b != 2 {
				t.Errorf("%d came before %d", a, b)
			}
		})
	}
}
