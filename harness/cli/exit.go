package cli

import (
	"fmt"
	"slices"

	"github.com/assay-iot/assay/harness/result"
	"github.com/assay-iot/assay/harness/verdict"
)

// exitCode ends the program without a word more: all has been said.
type exitCode int

// The exit codes are a contract: scripts rely on them.
const (
	exitPassed       exitCode = 0   // every mandatory requirement passed or does not apply
	exitFailed       exitCode = 1   // one failed
	exitCannot       exitCode = 2   // could not run
	exitInconclusive exitCode = 3   // none failed, at least one is inconclusive
	exitDefect       exitCode = 4   // a mistake in this program
	exitInterrupted  exitCode = 130 // by the operator; what was collected is kept
)

// Error says what the code means.
func (c exitCode) Error() string { return fmt.Sprintf("exit code %d", int(c)) }

// worstFirst is the order in which codes win where several profiles disagree.
var worstFirst = []exitCode{exitDefect, exitCannot, exitFailed, exitInconclusive, exitPassed}

// codeOf is the exit code of a result. With failOnly, what is inconclusive does
// not count against the device.
func codeOf(r result.Result, failOnly bool) exitCode {
	codes := []exitCode{}
	if len(r.Defects) > 0 {
		codes = append(codes, exitDefect)
	}
	for _, v := range r.Verdicts {
		codes = append(codes, codeOfVerdict(v.Verdict))
	}
	for _, code := range worstFirst {
		if slices.Contains(codes, code) {
			if code == exitInconclusive && failOnly {
				return exitPassed
			}
			return code
		}
	}
	return exitInconclusive
}

func codeOfVerdict(v verdict.Verdict) exitCode {
	switch v {
	case verdict.Pass, verdict.NotApplicable:
		return exitPassed
	case verdict.Fail:
		return exitFailed
	case verdict.Inconclusive:
		return exitInconclusive
	}
	return exitDefect
}

// asExit ends the program with code, silently.
func asExit(code exitCode) error {
	if code == exitPassed {
		return nil
	}
	return code
}
