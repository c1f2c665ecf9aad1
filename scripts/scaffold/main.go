// Command scaffold begins an addition to the tree: files that compile, pass
// their tests, and do something small and honest, to be turned into what is
// wanted.
//
//	go run ./scripts/scaffold check AREA.ASSERTION
//	go run ./scripts/scaffold probe NAME
//	go run ./scripts/scaffold device NAME
//	go run ./scripts/scaffold report NAME
//
// Exit code 2: the name will not do, or is taken; nothing was written.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
)

func main() {
	root := flag.String("root", ".", "the tree")
	flag.Parse()
	if err := scaffold(*root, flag.Args(), os.Stdout.WriteString); err != nil {
		fmt.Fprintln(os.Stderr, "scaffold:", err)
		os.Exit(2)
	}
}

// plan is what an addition consists of, before anything of it is written.
type plan struct {
	create map[string]string // new files, by path below the root
	change map[string]string // files that get a line, by path below the root
	left   []string          // what is left to do, each an instruction
}

// kinds are the additions by the word that asks for them.
var kinds = map[string]func(root, name string) (plan, error){
	"check": newCheck, "probe": newProbe, "device": newDevice, "report": newReport,
}

// scaffold writes one addition and says what it wrote.
func scaffold(root string, args []string, say func(string) (int, error)) error {
	if len(args) != 2 || kinds[args[0]] == nil {
		return errors.New("want one of check, probe, device, report, and a name")
	}
	if args[1] == "" {
		return fmt.Errorf("the %s has no name; make new-check takes ID=…, the others NAME=…", args[0])
	}
	p, err := kinds[args[0]](root, args[1])
	if err == nil {
		err = p.write(root)
	}
	if err != nil {
		return err
	}
	for _, path := range p.paths() {
		if _, err := say("wrote " + path + "\n"); err != nil {
			return err
		}
	}
	_, err = say("\nWhat is left:\n- " + strings.Join(p.left, "\n- ") + "\n")
	return err
}

// paths are all files of the plan, in order.
func (p plan) paths() []string {
	var all []string
	for _, files := range []map[string]string{p.create, p.change} {
		for path := range files {
			all = append(all, path)
		}
	}
	slices.Sort(all)
	return all
}
