package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// sound is the device that new ones are copies of: it has no fault.
const sound = "door-lock-hardened"

// newDevice begins an emulated device as a twin of the sound one, in a family of
// its own.
func newDevice(root, name string) (plan, error) {
	n, err := named("device", name)
	if err != nil {
		return plan{}, err
	}
	dir := "devices/" + name + "/"
	p := plan{create: map[string]string{}, left: []string{
		"Write into " + dir + "device.yaml what its maker declares: as it stands, it is " + sound + " under another name.",
		"Choose its faults from devices/faults.go in " + dir + "faults.yaml, and say in expected.yaml which verdicts they turn.",
		"Write the lesson: " + dir + "lab.md. Then: go test ./devices ./harness/lab, and assay lab check " + name,
	}}
	for _, file := range []string{"device.yaml", "expected.yaml"} {
		b, err := os.ReadFile(filepath.Join(root, "devices", sound, file))
		if err != nil {
			return p, err
		}
		if p.create[dir+file], err = twin(file, string(b), name); err != nil {
			return p, err
		}
	}
	return p, p.fill(n, map[string]string{dir + "faults.yaml": "device_faults.yaml.tmpl", dir + "lab.md": "device_lab.md.tmpl"})
}

// twin gives a file of the sound device another name. The walk over single
// faults is left to the family that it was taken from.
func twin(file, text, name string) (string, error) {
	for _, change := range []struct{ file, old, new string }{
		{"device.yaml", "\n  id: " + sound + "\n", "\n  id: " + name + "\n"},
		{"expected.yaml", "\nfamily: door-lock\n", "\nfamily: " + name + "\n"},
	} {
		if change.file != file {
			continue
		}
		if text = "\n" + text; strings.Count(text, change.old) != 1 {
			return "", fmt.Errorf("devices/%s/%s: %q does not stand there once", sound, file, strings.TrimSpace(change.old))
		}
		text = strings.Replace(text, change.old, change.new, 1)[1:]
	}
	text, _, _ = strings.Cut(text, "\nfaults:\n")
	var kept []string
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "#") { // what it says is of the other family
			kept = append(kept, strings.TrimSuffix(line, "\n"))
		}
	}
	return strings.Join(kept, "\n") + "\n", nil
}
