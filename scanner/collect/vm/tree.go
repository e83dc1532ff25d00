package vm

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"
)

const (
	// maxText is the longest file of settings that is read, in bytes.
	maxText = 4 << 20
	// maxEntries bounds the entries of one folder of settings.
	maxEntries = 20000
	// maxLinks bounds the symbolic links on the way to one file, as Linux does.
	maxLinks = 40
)

var (
	errNotRegular = errors.New("it is no regular file")
	errTooLong    = errors.New("it is longer than a file of its kind can be")
	errLinks      = errors.New("its symbolic links lead in a circle")
)

// tree reads files below one folder as if it were the root of the file system:
// an absolute symbolic link begins at that folder, and ".." stops there. Only
// regular files are ever opened; a FIFO or a device is an error, and never waited for.
type tree struct {
	root *os.Root
	dir  string
}

func openTree(dir string) (*tree, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return &tree{root: root, dir: dir}, nil
}

func (t *tree) close() { _ = t.root.Close() } // it was only read

// resolve follows the symbolic links of a path inside the tree and returns the
// path without any, relative to the root.
func (t *tree) resolve(name string) (string, error) {
	parts := split(name)
	var resolved []string
	for links := 0; len(parts) > 0; {
		part := parts[0]
		parts = parts[1:]
		if part == ".." {
			resolved = resolved[:max(len(resolved)-1, 0)]
			continue
		}
		here := path.Join(append(slices.Clone(resolved), part)...)
		info, err := t.root.Lstat(here)
		if err != nil {
			return "", pathError(name, err)
		}
		if info.Mode().Type() != fs.ModeSymlink {
			resolved = append(resolved, part)
			continue
		}
		if links++; links > maxLinks {
			return "", pathError(name, errLinks)
		}
		target, err := t.root.Readlink(here)
		if err != nil {
			return "", pathError(name, err)
		}
		if strings.HasPrefix(target, "/") {
			resolved = nil
		}
		parts = append(split(target), parts...)
	}
	if len(resolved) == 0 {
		return ".", nil
	}
	return path.Join(resolved...), nil
}

func split(name string) []string {
	return slices.DeleteFunc(strings.Split(name, "/"), func(s string) bool { return s == "" || s == "." })
}

// pathError names the file as the machine knows it, not as the tree's folder does.
func pathError(name string, err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	return &fs.PathError{Op: "read", Path: absolute(name), Err: err}
}

// absolute is the path as on the machine itself.
func absolute(name string) string { return path.Clean("/" + name) }

// read returns the content of a regular file of at most maxText bytes.
func (t *tree) read(name string) ([]byte, error) { return t.readUpTo(name, maxText) }

func (t *tree) readUpTo(name string, limit int64) ([]byte, error) {
	f, err := t.open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // read only
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, pathError(name, err)
	}
	if int64(len(data)) > limit {
		return nil, pathError(name, errTooLong)
	}
	return data, nil
}

// ofKernel is true for what the kernel itself shows: its links stay inside, and no
// device or FIFO is among it, so that it can be opened without a look before.
func ofKernel(name string) bool {
	return strings.HasPrefix(name, "proc/") || strings.HasPrefix(name, "sys/")
}

// open opens a regular file.
func (t *tree) open(name string) (*os.File, error) {
	if ofKernel(name) {
		f, err := t.root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
		if err == nil {
			if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
				return f, nil
			}
			_ = f.Close()
			return nil, pathError(name, errNotRegular)
		}
		if absent(err) {
			return nil, pathError(name, err)
		}
	}
	resolved, err := t.resolve(name)
	if err != nil {
		return nil, err
	}
	info, err := t.root.Lstat(resolved)
	if err != nil {
		return nil, pathError(name, err)
	}
	if !info.Mode().IsRegular() {
		return nil, pathError(name, errNotRegular)
	}
	// Should something else stand there by now, opening it does not wait.
	f, err := t.root.OpenFile(resolved, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, pathError(name, err)
	}
	if info, err = f.Stat(); err != nil || !info.Mode().IsRegular() {
		_ = f.Close()
		return nil, pathError(name, errNotRegular)
	}
	return f, nil
}

// stat describes what stands at the end of the links.
func (t *tree) stat(name string) (fs.FileInfo, error) {
	if ofKernel(name) {
		if info, err := t.root.Stat(name); err == nil || absent(err) {
			return info, err
		}
	}
	resolved, err := t.resolve(name)
	if err != nil {
		return nil, err
	}
	info, err := t.root.Lstat(resolved)
	if err != nil {
		return nil, pathError(name, err)
	}
	return info, nil
}

func (t *tree) exists(name string) bool {
	_, err := t.stat(name)
	return err == nil
}

// readlink returns the target of a link as it is written, "" for anything else.
func (t *tree) readlink(name string) string {
	if ofKernel(name) {
		if target, err := t.root.Readlink(name); err == nil {
			return target
		}
	}
	dir, err := t.resolve(path.Dir(name))
	if err != nil {
		return ""
	}
	target, err := t.root.Readlink(path.Join(dir, path.Base(name)))
	if err != nil {
		return ""
	}
	return target
}

// list returns the names in a folder, sorted. Of one that holds more than
// maxEntries the first ones that the system names.
func (t *tree) list(name string) ([]string, error) {
	resolved, info, err := name, fs.FileInfo(nil), error(nil)
	if ofKernel(name) {
		info, err = t.root.Stat(name)
	}
	if info == nil && (err == nil || !absent(err)) {
		if resolved, err = t.resolve(name); err != nil {
			return nil, err
		}
		info, err = t.root.Lstat(resolved)
	}
	if err != nil {
		return nil, pathError(name, err)
	}
	if !info.IsDir() {
		return nil, pathError(name, errors.New("it is no folder"))
	}
	dir, err := t.root.OpenFile(resolved, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, pathError(name, err)
	}
	defer dir.Close() //nolint:errcheck // read only
	names, err := dir.Readdirnames(maxEntries)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, pathError(name, err)
	}
	slices.Sort(names)
	return names, nil
}

// below lists the files of a folder by a test of their names, as paths.
func (t *tree) below(dir string, want func(name string) bool) []string {
	names, err := t.list(dir)
	if err != nil {
		return nil
	}
	var out []string
	for _, name := range names {
		if want(name) {
			out = append(out, path.Join(dir, name))
		}
	}
	return out
}

// line returns the content of a small file without the space around it; "" where
// there is none, or it cannot be read.
func (t *tree) line(name string) string {
	data, err := t.readUpTo(name, 1<<16)
	if err != nil {
		return ""
	}
	return clean(string(data))
}

// clean is one line of plain text: no control characters, no more than a screen.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	s = strings.TrimSpace(s)
	if len(s) > 1000 {
		s = strings.ToValidUTF8(s[:1000], "")
	}
	return s
}

// why is the reason of an error in words that end with what to do.
func why(err error) string {
	var pe *fs.PathError
	switch {
	case !errors.As(err, &pe):
		return clean(err.Error())
	case errors.Is(err, fs.ErrPermission):
		return fmt.Sprintf("%s: permission denied; run postscan as root", clean(pe.Path))
	default:
		return fmt.Sprintf("%s: %s", clean(pe.Path), clean(pe.Err.Error()))
	}
}

// absent says that there is no such file, nor a folder that could hold it.
func absent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}
