// Command testsummary reads "go test -json" and prints what a person wants to
// know: a line for each package, the output of what failed, the name of each
// test that was skipped with its reason, and the counts. It fails when a test
// failed, when none ran, and under ASSAY_NO_SKIP=1 when one was skipped.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
)

func main() {
	s := newSummary(os.Stdout, os.Getenv("ASSAY_NO_SKIP") == "1")
	if err := s.read(os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, "testsummary: error:", err)
		os.Exit(2)
	}
	if !s.finish() {
		os.Exit(1)
	}
}

// read handles one event a line. A line may be as long as a test's output.
func (s *summary) read(r io.Reader) error {
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			s.line(line)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read: %w", err)
		}
	}
}
