package cli

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// outFile is a file that appears under its name whole or not at all: it is
// written beside its place and moved there by Commit. What is no plain file (a
// device, a pipe) is written directly.
type outFile struct {
	io.Writer
	file *os.File
	name string // as the user gave it
	path string // where Commit puts it; empty where it is written directly
	done bool
}

// createFile opens name for writing. It finds out at once whether the place
// can be written, before any work is done for it.
func createFile(name string) (*outFile, error) {
	path := followLinks(name)
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return nil, fmt.Errorf("write %s: it is a directory; name a file in it", name)
	case err == nil && !info.Mode().IsRegular():
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return nil, fmt.Errorf("write %s: %w", name, err)
		}
		return &outFile{Writer: f, file: f, name: name}, nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("write %s: %w", name, err)
	}
	temp := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+"."+rand.Text()[:8])
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) // #nosec G302 -- a report is for others to read; the umask decides
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("write %s: there is no folder %s; make it first", name, filepath.Dir(path))
	case err != nil:
		return nil, fmt.Errorf("write %s: %w", name, errorCause(err))
	}
	return &outFile{Writer: f, file: f, name: name, path: path}, nil
}

// createFolder makes a folder for files, where there is none, and finds out whether
// it can be written.
func createFolder(name string) (made bool, err error) {
	if _, err := os.Stat(name); errors.Is(err, fs.ErrNotExist) {
		made = true
	}
	if err := os.MkdirAll(name, 0o755); err != nil { // #nosec G301 -- reports are for others to read; the umask decides
		return false, fmt.Errorf("write %s: %w", name, err)
	}
	probe, err := createFile(filepath.Join(name, "postscan"))
	if err != nil {
		return false, err
	}
	probe.Abort()
	return made, nil
}

// followLinks returns where a link leads, also to a file that is yet to be made:
// a link stays a link.
func followLinks(name string) string {
	for range 40 { // as many as Linux follows
		target, err := os.Readlink(name)
		if err != nil {
			return name
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(name), target)
		}
		name = target
	}
	return name
}

// Commit closes the file and puts it into its place.
func (o *outFile) Commit() error {
	o.done = true
	if err := o.file.Close(); err != nil {
		_ = os.Remove(o.file.Name()) // the error of Close tells more
		return fmt.Errorf("write %s: %w", o.name, err)
	}
	if o.path == "" {
		return nil
	}
	if err := os.Rename(o.file.Name(), o.path); err != nil {
		_ = os.Remove(o.file.Name()) // the error of Rename tells more
		return fmt.Errorf("write %s: %w", o.name, err)
	}
	return nil
}

// Abort removes what was written, unless it is committed.
func (o *outFile) Abort() {
	if o.done {
		return
	}
	o.done = true
	_ = o.file.Close() // nobody will read it
	if o.path != "" {
		_ = os.Remove(o.file.Name()) // a file that is left over is all that can happen
	}
}
