package vm

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
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
	for range batches { // let the reader of folders end
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
		resolved, err := s.t.resolve(name)
		if err == nil {
			fd, err = unix.Openat2(out[0].fd, resolved, &unix.OpenHow{
				Flags: unix.O_RDONLY | unix.O_DIRECTORY | unix.O_CLOEXEC, Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS,
			})
		}
		if err != nil {
			s.unknown("packages", fmt.Sprintf("the file system %s cannot be entered: %s", clean(name), why(err)))
			s.unknown("vulnerabilities", fmt.Sprintf("the file system %s cannot be entered", clean(name)))
			continue
		}
		out = append(out, base{fd: fd, prefix: resolved})
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
	buf    []byte // of a folder's records
	link   []byte // of a link's target
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
	defer unix.Close(fd) //nolint:errcheck // read only
	list, err := r.read(fd)
	if err != nil {
		r.denied = append(r.denied, denial{name, err})
	}
	slices.SortFunc(list, func(a, b child) int { return strings.Compare(a.name, b.name) })
	b := batch{base: r.base, prefix: r.prefix, entries: make([]inventory.Entry, 0, len(list))}
	var below []string
	for _, d := range list {
		full := d.name
		if name != "" {
			full = name + "/" + d.name
		}
		if d.kind == unix.DT_DIR {
			below = append(below, d.name)
			// Its mode matters to nobody here, and a mount point is not to be asked for it.
			b.entries = append(b.entries, inventory.Entry{Path: full, Mode: fs.ModeDir | 0o755})
			continue
		}
		if e, ok := r.entry(fd, d, full); ok {
			b.entries = append(b.entries, e)
			if e.Mode.IsDir() { // of a file system that does not tell types
				below = append(below, d.name)
			}
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

// child is a name in a folder, with its type as the folder gives it (DT_DIR …).
type child struct {
	name string
	kind byte
}

// read lists a folder.
func (r *folders) read(fd int) ([]child, error) {
	if r.buf == nil {
		r.buf = make([]byte, 64<<10)
	}
	var out []child
	for {
		n, err := unix.Getdents(fd, r.buf)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil || n <= 0 {
			return out, err
		}
		out = parseDirents(r.buf[:n], out)
	}
}

// parseDirents reads records of struct linux_dirent64: inode and offset of eight
// bytes each, the record's length in two, the type in one, then the name with a
// zero behind it.
func parseDirents(buf []byte, out []child) []child {
	const header = 19
	for len(buf) > header {
		length := int(binary.NativeEndian.Uint16(buf[16:]))
		if length <= header || length > len(buf) {
			break
		}
		name, _, _ := bytes.Cut(buf[header:length], []byte{0})
		if s := string(name); s != "." && s != ".." && s != "" {
			out = append(out, child{name: s, kind: buf[18]})
		}
		buf = buf[length:]
	}
	return out
}

// entry describes a file, link or device.
func (r *folders) entry(fd int, d child, full string) (inventory.Entry, bool) {
	if strings.HasPrefix(d.name, ".wh.") { // means something in layers of images only
		return inventory.Entry{}, false
	}
	e := inventory.Entry{Path: full}
	switch d.kind {
	case unix.DT_LNK:
		e.Mode = fs.ModeSymlink | 0o777
	case unix.DT_FIFO, unix.DT_SOCK, unix.DT_BLK, unix.DT_CHR:
		e.Mode = fs.ModeIrregular // nothing is read of it
		return e, true
	default:
		var st unix.Stat_t
		if err := unix.Fstatat(fd, d.name, &st, unix.AT_SYMLINK_NOFOLLOW|unix.AT_NO_AUTOMOUNT); err != nil {
			return e, false // it is gone
		}
		e.Mode, e.UID, e.GID, e.Size = mode(st.Mode), int(st.Uid), int(st.Gid), st.Size
	}
	if e.Mode.Type() == fs.ModeSymlink {
		if r.link == nil {
			r.link = make([]byte, 4096)
		}
		n, err := unix.Readlinkat(fd, d.name, r.link)
		if err != nil {
			return e, false
		}
		e.Link = string(r.link[:n])
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
	if !ownRelease(e.Path) {
		e.Size = 0
		return w.layer.Add(w.ctx, e, nil)
	}
	l := &lazyFile{walk: w, name: e.Path, open: func() (handle, error) {
		here := strings.TrimPrefix(strings.TrimPrefix(e.Path, b.prefix), "/")
		fd, err := unix.Openat2(b.base, here, &unix.OpenHow{Flags: unix.O_RDONLY | unix.O_CLOEXEC | unix.O_NONBLOCK | unix.O_NOCTTY, Resolve: within})
		if errors.Is(err, unix.ELOOP) || errors.Is(err, unix.EXDEV) {
			err = syscall.ENOENT // what became a link meanwhile is gone as what it was
		}
		if err != nil {
			return nil, err
		}
		var st unix.Stat_t
		if err := unix.Fstat(fd, &st); err != nil || st.Mode&unix.S_IFMT != unix.S_IFREG {
			_ = unix.Close(fd)
			return nil, errNotRegular
		}
		return &rawFile{fd: fd, size: st.Size}, nil
	}}
	defer l.close()
	return w.layer.Add(w.ctx, e, l)
}

// rawFile is a file without what package os keeps of one: a walk opens thousands.
type rawFile struct {
	fd   int
	size int64
}

// Read implements [io.Reader].
func (f *rawFile) Read(p []byte) (int, error) {
	return f.tell(len(p), func() (int, error) { return unix.Read(f.fd, p) })
}

// ReadAt implements [io.ReaderAt].
func (f *rawFile) ReadAt(p []byte, off int64) (int, error) {
	done := 0
	for done < len(p) {
		n, err := f.tell(len(p)-done, func() (int, error) { return unix.Pread(f.fd, p[done:], off+int64(done)) })
		done += n
		if err != nil {
			return done, err
		}
	}
	return done, nil
}

// Close implements [io.Closer].
func (f *rawFile) Close() error { return unix.Close(f.fd) }

// Size is the length in bytes.
func (f *rawFile) Size() int64 { return f.size }

// tell repeats a call that a signal broke off, and says where the file ends.
func (f *rawFile) tell(want int, read func() (int, error)) (int, error) {
	for {
		n, err := read()
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return 0, err
		case n == 0 && want > 0:
			return 0, io.EOF
		default:
			return n, nil
		}
	}
}
