//go:build !linux

package peers

import "testing"

// Quiet does nothing where no peers are to be had.
func Quiet(testing.TB) {}

// Loud does nothing either.
func Loud(testing.TB) {}
