package bundle

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
)

// disk is one directory. Tests put one in its place of which each operation
// fails once.
type disk interface {
	OpenFile(name string, flag int, perm fs.FileMode) (file, error)
	Mkdir(name string, perm fs.FileMode) error
	Remove(name string) error
	Rename(from, to string) error
	FS() fs.FS
	Close() error
}

// file is what the package needs of *os.File.
type file interface {
	io.ReadWriteCloser
	io.Seeker
	Fd() uintptr
	Stat() (fs.FileInfo, error)
	Sync() error
	Truncate(size int64) error
}

// rootDisk is a real directory that no name leads out of.
type rootDisk struct{ *os.Root }

func (d rootDisk) OpenFile(name string, flag int, perm fs.FileMode) (file, error) {
	f, err := d.Root.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return f, nil
}

func openDisk(dir string) (disk, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return rootDisk{root}, nil
}

// Evidence is for its owner only.
const (
	filePerm = 0o600
	dirPerm  = 0o700
)

// create makes a new file and, the first time, the folder that it belongs in.
func create(d disk, name string) (file, error) {
	if dir := path.Dir(name); dir != "." {
		err := d.Mkdir(dir, dirPerm)
		if err == nil {
			err = syncName(d, dir)
		}
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
	}
	return d.OpenFile(name, os.O_RDWR|os.O_APPEND|os.O_CREATE|os.O_EXCL, filePerm)
}

// syncName makes the name of a file durable: a file whose folder is not on disk
// is lost with the power, however well it was written itself.
func syncName(d disk, name string) error {
	f, err := d.OpenFile(path.Dir(name), os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	return closeAfter(f, f.Sync())
}

func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return closeAfter(f, f.Sync())
}

// closeAfter closes c and returns err or, if that is nil, what went wrong in
// closing.
func closeAfter(c io.Closer, err error) error {
	if cerr := c.Close(); err == nil {
		err = cerr
	}
	return err
}
