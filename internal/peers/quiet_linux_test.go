package peers

import (
	"testing"
	"time"
)

// Those who need quiet share it; who is loud waits for them.
func TestQuiet(t *testing.T) {
	order := make(chan string, 2)
	t.Run("both", func(t *testing.T) {
		t.Run("quiet", func(t *testing.T) {
			Quiet(t)
			Quiet(t)
			t.Parallel() // the next one begins once this one waits here, and holds the lock
			time.Sleep(50 * time.Millisecond)
			order <- "quiet"
		})
		t.Run("loud", func(t *testing.T) {
			t.Parallel()
			Loud(t)
			order <- "loud"
		})
	})
	if first, second := <-order, <-order; first != "quiet" || second != "loud" {
		t.Errorf("%s came before %s", first, second)
	}
}
