package devices

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"

	"github.com/assay-iot/assay/harness/device"
)

//go:embed */*.yaml */lab.md
var embedded embed.FS

// A Folder is the description of an emulated device: what its maker declares,
// how it behaves and what it must be told.
type Folder struct {
	Name     string       // of the folder, such as "door-lock-insecure"
	File     *device.File // device.yaml, with the ports that the device wants
	Faults   Faults       // faults.yaml
	Oddities Oddities     // oddities.yaml, if there is one
	Expected Expected     // expected.yaml
	Lab      string       // lab.md, the lesson

	text []byte // device.yaml as it stands
}

// Embedded returns the folders that come with the program.
func Embedded() fs.FS { return embedded }

// All returns the devices that come with the program, by name.
func All() ([]Folder, error) { return List(embedded) }

// List returns the devices of every folder of files that holds a device.yaml,
// by name.
func List(files fs.FS) ([]Folder, error) {
	found, err := fs.Glob(files, "*/device.yaml")
	if err != nil {
		return nil, fmt.Errorf("looking for devices: %w", err)
	}
	var all []Folder
	for _, file := range found {
		f, err := Load(files, path.Dir(file))
		if err != nil {
			return nil, err
		}
		all = append(all, f)
	}
	return all, nil
}

// Load reads one device from the folder of that name.
func Load(files fs.FS, name string) (Folder, error) {
	f := Folder{Name: name}
	err := errors.Join(
		f.read(files, "device.yaml", func(b []byte) (err error) {
			f.text = b
			f.File, err = device.Parse(path.Join(name, "device.yaml"), b, name)
			return err
		}),
		f.read(files, "faults.yaml", func(b []byte) (err error) {
			f.Faults, err = ParseFaults(b)
			return err
		}),
		f.read(files, "expected.yaml", func(b []byte) (err error) {
			f.Expected, err = ParseExpected(b)
			return err
		}),
		f.read(files, "lab.md", func(b []byte) error {
			f.Lab = string(b)
			return nil
		}),
		f.optional(files, "oddities.yaml", func(b []byte) (err error) {
			f.Oddities, err = ParseOddities(b)
			return err
		}))
	if err != nil {
		return Folder{}, fmt.Errorf("device %q: %w", name, err)
	}
	return f, nil
}

func (f *Folder) read(files fs.FS, name string, take func([]byte) error) error {
	b, err := fs.ReadFile(files, path.Join(f.Name, name))
	if err != nil {
		return err
	}
	return take(b)
}

func (f *Folder) optional(files fs.FS, name string, take func([]byte) error) error {
	if err := f.read(files, name, take); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
