package cli

import (
	"bufio"
	"context"
	"fmt"

	"github.com/assay-iot/assay/harness/probe"
)

// operator is the person at the terminal, nil if nobody is there to act.
func (a *app) operator() probe.Operator {
	if !a.Progress {
		return nil
	}
	return &person{a: a, in: bufio.NewReader(a.In)}
}

// person asks somebody to do by hand what no program can do.
type person struct {
	a  *app
	in *bufio.Reader
}

// Power asks for the device's power to be switched, and waits until it is done.
func (p *person) Power(ctx context.Context, on bool) error {
	if p.a.line != nil {
		defer p.a.line.hold()()
	}
	what := "Cut the power of the device"
	if on {
		what = "Give the device its power back"
	}
	fmt.Fprintf(p.a.notes(), "%s, then press Enter: ", what)
	done := make(chan error, 1)
	go func() {
		_, err := p.in.ReadString('\n')
		done <- err
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
