//go:build !linux

package vm

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/postscan/postscan/scanner/inventory"
)

// all walks an unpacked or mounted disk on a system that is not Linux. Links are
// not followed; the other file systems of the disk are not entered.
func (w *walk) all() error {
	root := w.scan.opts.Root
	var home uint64
	if info, err := os.Lstat(root); err == nil {
		home, _ = device(info)
	}
	return filepath.WalkDir(root, func(full string, d fs.DirEntry, err error) error {
		rel, relErr := filepath.Rel(root, full)
		if relErr != nil {
			return relErr
		}
		name := filepath.ToSlash(rel)
		if err != nil {
			w.deny(name, err)
			return nil
		}
		if w.ctx.Err() != nil {
			return w.ctx.Err()
		}
		if name == "." || strings.HasPrefix(d.Name(), ".wh.") {
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return nil //nolint:nilerr // it is gone
		}
		if d.IsDir() {
			if dev, known := device(info); skipped(name) || known && dev != home {
				if known && dev != home {
					w.others = append(w.others, name)
				}
				return filepath.SkipDir
			}
		}
		e := inventory.Entry{Path: name, Mode: info.Mode(), Size: info.Size()}
		e.UID, e.GID, _ = owner(info)
		if e.Mode.Type() == fs.ModeSymlink {
			e.Link, _ = os.Readlink(full)
		}
		w.files++
		w.scan.opts.Progress(w.files)
		if !e.Mode.IsRegular() {
			return w.layer.Add(w.ctx, e, nil)
		}
		if !ownRelease(name) {
			e.Size = 0
			return w.layer.Add(w.ctx, e, nil)
		}
		l := &lazyFile{walk: w, name: name, open: func() (handle, error) {
			f, err := w.scan.t.open(name)
			if err != nil {
				return nil, err
			}
			return &sizedFile{File: f, size: info.Size()}, nil
		}}
		defer l.close()
		return w.layer.Add(w.ctx, e, l)
	})
}

// sizedFile is a file with the length that it had when it was found.
type sizedFile struct {
	*os.File
	size int64
}

// Size is the length in bytes.
func (f *sizedFile) Size() int64 { return f.size }
