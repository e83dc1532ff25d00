package vm

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/postscan/postscan/scanner/inventory"
)

// batch is what one folder holds.
type batch struct {
	base    int // descriptor that the paths of the entries begin at
	prefix  string
	entries []inventory.Entry
}

// within keeps a lookup inside of the base folder and of its file system, with no
// link on the way: the kernel itself sees to it. A mount point is an error before
// it is touched, so that a server that does not answer holds nothing up.
const within = unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS | unix.RESOLVE_NO_XDEV

// all walks the file system. One goroutine reads folders while another reads
// files.
func (w *walk) all() error {
	ctx, cancel := context.WithCancelCause(w.ctx)
	defer cancel(nil)
	batches := make(chan batch, 64)
	bases, err := w.bases()
	if err != nil {
		return err
	}
	defer func() {
		for _, b := range bases {
			_ = unix.Close(b.fd)
		}
	}()
	r := &folders{walk: w, ctx: ctx, out: batches}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer close(batches)
		for _, b := range bases {
			r.base, r.prefix = b.fd, b.prefix
			r.folder(".", b.prefix)
		}
	}()
	for b := range batches {
		if err = w.add(b); err != nil {
			cancel(err)
			break
		}
	}
	for range batches { //nolint:revive // let the reader of folders end
	}
	<-done
	for _, d := range r.denied {
		w.deny(d.name, d.err)
	}
	w.others = r.others
	return err
}

type base struct {
	fd     int
	prefix string // path below the root; "" for the root
}

// bases opens the root and the file systems that are walked beside it.
func (w *walk) bases() ([]base, error) {
	s := w.scan
	fd, err := unix.Open(s.opts.Root, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", s.opts.Root, err)
	}
	out := []base{{fd: fd}}
	for _, name := range s.opts.FileSystems {
		real, err := s.t.resolve(name)
		if err == nil {
			fd, err = unix.Openat2(out[0].fd, real, &unix.OpenHow{
				Flags: unix.O_RDONLY | unix.O_DIRECTORY | unix.O_CLOEXEC, Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS,
			})
		}
		if err != nil {
			s.unknown("packages", fmt.Sprintf("the file system %s cannot be entered: %s", clean(name), why(err)))
			s.unknown("vulnerabilities", fmt.Sprintf("the file system %s cannot be entered", clean(name)))
			continue
		}
		out = append(out, base{fd: fd, prefix: real})
	}
	return out, nil
}

// folders reads the folders of one base after the other.
type folders struct {
	walk   *walk
	ctx    context.Context //nolint:containedctx // a walk is one call
	out    chan<- batch
	base   int
	prefix string
	denied []denial
	others []string
}

type denial struct {
	name string
	err  error
}

// folder sends what a folder holds, then what is below it. here is its path from
// the base, name that from the root.
func (r *folders) folder(here, name string) {
	if r.ctx.Err() != nil || name != "" && skipped(name) {
		return
	}
	fd, err := unix.Openat2(r.base, here, &unix.OpenHow{Flags: unix.O_RDONLY | unix.O_DIRECTORY | unix.O_CLOEXEC | unix.O_NONBLOCK, Resolve: within})
	switch {
	case errors.Is(err, unix.EXDEV):
		r.others = append(r.others, name)
		return
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENOTDIR), errors.Is(err, unix.ELOOP):
		return // it is gone, or something else by now
	case err != nil:
		r.denied = append(r.denied, denial{name, err})
		return
	}
	dir := os.NewFile(uintptr(fd), name)
	defer dir.Close() //nolint:errcheck // read only
	list, err := dir.ReadDir(-1)
	if err != nil {
		r.denied = append(r.denied, denial{name, err})
	}
	slices.SortFunc(list, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	b := batch{base: r.base, prefix: r.prefix, entries: make([]inventory.Entry, 0, len(list))}
	var below []string
	for _, d := range list {
		if d.IsDir() {
			below = append(below, d.Name())
			// Its mode matters to nobody here, and a mount point is not to be asked for it.
			b.entries = append(b.entries, inventory.Entry{Path: path.Join(name, d.Name()), Mode: fs.ModeDir | 0o755})
			continue
		}
		if e, ok := r.entry(fd, d.Name(), name); ok {
			b.entries = append(b.entries, e)
		}
	}
	select {
	case r.out <- b:
	case <-r.ctx.Done():
		return
	}
	for _, d := range below {
		r.folder(path.Join(here, d), path.Join(name, d))
	}
}

// entry describes a file, link or device.
func (r *folders) entry(fd int, file, dir string) (inventory.Entry, bool) {
	if strings.HasPrefix(file, ".wh.") { // means something in layers of images only
		return inventory.Entry{}, false
	}
	var st unix.Stat_t
	if err := unix.Fstatat(fd, file, &st, unix.AT_SYMLINK_NOFOLLOW|unix.AT_NO_AUTOMOUNT); err != nil {
		return inventory.Entry{}, false // it is gone
	}
	e := inventory.Entry{Path: path.Join(dir, file), Mode: mode(st.Mode), UID: int(st.Uid), GID: int(st.Gid), Size: st.Size}
	if e.Mode.Type() == fs.ModeSymlink {
		buf := make([]byte, 4096)
		n, err := unix.Readlinkat(fd, file, buf)
		if err != nil {
			return e, false
		}
		e.Link = string(buf[:n])
	}
	return e, true
}

// mode turns the kernel's bits into Go's.
func mode(m uint32) fs.FileMode {
	out := fs.FileMode(m & 0o777)
	switch m & unix.S_IFMT {
	case unix.S_IFDIR:
		out |= fs.ModeDir
	case unix.S_IFLNK:
		out |= fs.ModeSymlink
	case unix.S_IFIFO:
		out |= fs.ModeNamedPipe
	case unix.S_IFSOCK:
		out |= fs.ModeSocket
	case unix.S_IFBLK:
		out |= fs.ModeDevice
	case unix.S_IFCHR:
		out |= fs.ModeDevice | fs.ModeCharDevice
	default:
	}
	if m&unix.S_ISUID != 0 {
		out |= fs.ModeSetuid
	}
	if m&unix.S_ISGID != 0 {
		out |= fs.ModeSetgid
	}
	if m&unix.S_ISVTX != 0 {
		out |= fs.ModeSticky
	}
	return out
}

// add hands what a folder holds to the inventory.
func (w *walk) add(b batch) error {
	for _, e := range b.entries {
		if err := w.addOne(b, e); err != nil {
			return err
		}
	}
	w.files += len(b.entries)
	w.scan.opts.Progress(w.files)
	return w.ctx.Err()
}

func (w *walk) addOne(b batch, e inventory.Entry) error {
	if !e.Mode.IsRegular() {
		return w.layer.Add(w.ctx, e, nil)
	}
	l := &lazyFile{walk: w, name: e.Path, open: func() (*os.File, error) {
		here := strings.TrimPrefix(strings.TrimPrefix(e.Path, b.prefix), "/")
		fd, err := unix.Openat2(b.base, here, &unix.OpenHow{Flags: unix.O_RDONLY | unix.O_CLOEXEC | unix.O_NONBLOCK | unix.O_NOCTTY, Resolve: within})
		if err != nil {
			return nil, syscallError(err)
		}
		return os.NewFile(uintptr(fd), e.Path), nil
	}}
	defer l.close()
	return w.layer.Add(w.ctx, e, l)
}

// syscallError makes what became a link or another file system meanwhile the same
// as gone.
func syscallError(err error) error {
	if errors.Is(err, unix.ELOOP) || errors.Is(err, unix.EXDEV) {
		return syscall.ENOENT
	}
	return err
}
