package peers

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
)

// spy is a test that is watched: it ends as a test would and tells how.
type spy struct {
	testing.TB
	how string // "", "skip" or "fatal"
	why string
}

func (s *spy) Skipf(format string, args ...any)  { s.end("skip", format, args...) }
func (s *spy) Fatalf(format string, args ...any) { s.end("fatal", format, args...) }

func (s *spy) end(how, format string, args ...any) {
	s.how, s.why = how, fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// watch runs do in a goroutine of its own, as a test would be run.
func watch(t *testing.T, do func(testing.TB)) *spy {
	t.Helper()
	s := &spy{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		do(s)
	}()
	<-done
	return s
}

func TestNeed(t *testing.T) {
	tests := []struct {
		name, env string
		ok        bool
		how       string
	}{
		{"there", "", true, ""},
		{"there_in_ci", "1", true, ""},
		{"lacking", "", false, "skip"},
		{"lacking_in_ci", "1", false, "fatal"},
		{"other_value", "0", false, "skip"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv(noSkip, tt.env)
			reached := false
			s := watch(t, func(tb testing.TB) {
				Need(tb, tt.ok, "it needs a thing")
				reached = true
			})
			if s.how != tt.how || reached != tt.ok {
				t.Errorf("ended with %q, went on %t, want %q and %t", s.how, reached, tt.how, tt.ok)
			}
			if !tt.ok && (!strings.Contains(s.why, t.Name()) || !strings.Contains(s.why, "it needs a thing")) {
				t.Errorf("said %q, want the test and what it lacks", s.why)
			}
		})
	}
}

func TestNeedRoot(t *testing.T) {
	t.Setenv(noSkip, "")
	s := watch(t, NeedRoot)
	if want := map[bool]string{true: "", false: "skip"}[os.Geteuid() == 0]; s.how != want {
		t.Errorf("as user %d it ended with %q, want %q", os.Geteuid(), s.how, want)
	}
}
