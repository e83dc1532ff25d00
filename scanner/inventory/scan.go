package inventory

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// LayerScan reads one stream of files. It is for one goroutine; several scans may
// run beside each other. Use it once: NewLayer, Add for every entry, Finish.
type LayerScan struct {
	opts    Options
	layer   *Layer
	dpkg    dpkgScan
	locks   lockScan
	owned   map[uint64]struct{} // hashes of files that OS packages of this layer own
	buf     []byte              // reused from file to file
	found   map[string]struct{} // paths that something was found in
	links   map[string][]string // hard links by target, for those paths
	parent  string              // directory of the last entry, already noted
	failed  map[string]int      // files that could not be read, by area
	secrets *secretScanner
	err     error
}

// NewLayer starts a scan.
func NewLayer(o Options) *LayerScan {
	o = o.withDefaults()
	s := &LayerScan{
		opts:   o,
		layer:  &Layer{Version: o.Version(), SecretsSought: o.Secrets, MalwareSought: o.Malware != nil},
		owned:  map[uint64]struct{}{},
		found:  map[string]struct{}{},
		links:  map[string][]string{},
		failed: map[string]int{},
		buf:    make([]byte, 0, 64<<10),
	}
	if o.Secrets {
		s.secrets = newSecretScanner()
	}
	return s
}

// Add reads what it wants of one entry. content may be nil for an entry without
// content, and need not be read to its end. Whiteout entries (".wh.name",
// ".wh..wh..opq") are given in like files.
//
// An error ends the layer: ctx is done, the stream cannot be read, or no temporary
// file can be made. A file that is broken is no error; it is recorded.
func (s *LayerScan) Add(ctx context.Context, e Entry, r io.Reader) error {
	if s.err != nil {
		return s.err
	}
	if err := ctx.Err(); err != nil {
		s.err = err
		return err
	}
	e.Path = cleanPath(e.Path)
	if e.Path == "" {
		return nil
	}
	s.layer.Entries++
	if s.addWhiteout(e.Path) {
		return nil
	}
	s.addParent(path.Dir(e.Path))
	if e.Mode.IsDir() {
		s.layer.Directories.add(e.Path)
		s.addDirectory(e)
		return nil
	}
	s.layer.Files.add(e.Path)
	switch {
	case e.HardLink:
		s.addHardLink(e)
	case e.Mode.Type() == fs.ModeSymlink:
		s.addSymlink(e)
	case e.Mode.IsRegular():
		s.addFileMode(e)
		if r == nil {
			r = strings.NewReader("")
		}
		if err := s.addContent(ctx, e, r); err != nil {
			s.err = fmt.Errorf("read %s: %w", e.Path, err)
			return s.err
		}
	default: // devices, pipes and sockets hold nothing
	}
	return nil
}

// Finish ends the scan and returns what was found.
func (s *LayerScan) Finish(ctx context.Context) (*Layer, error) {
	if s.err != nil {
		return nil, s.err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.finishDpkg()
	s.finishLocks()
	s.dropOwned()
	s.countProblems()
	s.cleanText()
	s.keepLinks()
	s.layer.sort()
	s.err = errors.New("the layer scan is finished, start another")
	return s.layer, nil
}

const (
	whiteoutPrefix = ".wh."
	opaqueName     = ".wh..wh..opq"
)

func (s *LayerScan) addWhiteout(p string) bool {
	dir, name := path.Split(p)
	dir = strings.TrimSuffix(dir, "/")
	switch {
	case name == opaqueName:
		s.layer.OpaqueDirs = append(s.layer.OpaqueDirs, dir)
	case strings.HasPrefix(name, whiteoutPrefix):
		s.layer.Whiteouts = append(s.layer.Whiteouts, path.Join(dir, name[len(whiteoutPrefix):]))
	default:
		return false
	}
	return true
}

// addParent notes directories that have no entry of their own: a file at
// "a/b" makes "a" a directory.
func (s *LayerScan) addParent(dir string) {
	if dir == s.parent {
		return
	}
	s.parent = dir
	for ; dir != "."; dir = path.Dir(dir) {
		s.layer.Parents.add(dir)
	}
}

// cleanPath makes a path relative without ".." and "."; the root is "". Bytes that
// are no text are written as "\xNN", so that a path survives being kept as JSON.
func cleanPath(p string) string {
	p = path.Clean("/" + p)[1:]
	if isPlain(p) {
		return p
	}
	var b strings.Builder
	for i := 0; i < len(p); {
		r, n := utf8.DecodeRuneInString(p[i:])
		if r == utf8.RuneError && n == 1 || unicode.IsControl(r) {
			for _, c := range []byte(p[i : i+n]) {
				fmt.Fprintf(&b, `\x%02x`, c)
			}
		} else {
			b.WriteString(p[i : i+n])
		}
		i += n
	}
	return b.String()
}

// cleanText makes everything that came out of files plain text.
func (s *LayerScan) cleanText() {
	l := s.layer
	for i := range l.Databases {
		l.Databases[i].Packages = cleanPackages(l.Databases[i].Packages)
	}
	for i := range l.Applications {
		l.Applications[i].Packages = cleanPackages(l.Applications[i].Packages)
	}
	for i := range l.Archives {
		l.Archives[i].clean()
	}
	for i := range l.Builds {
		b := &l.Builds[i]
		b.NVR, b.Arch = plain(b.NVR), plain(b.Arch)
		for k := range b.ContentSets {
			b.ContentSets[k] = plain(b.ContentSets[k])
		}
	}
	for i := range l.Problems {
		l.Problems[i].Reason = oneLine(l.Problems[i].Reason)
	}
}

// addContent reads a regular file as far as any reader wants it.
func (s *LayerScan) addContent(ctx context.Context, e Entry, r io.Reader) error {
	w := s.wants(e)
	if w.none() {
		return nil
	}
	c := &content{r: r, buf: s.buf[:0]}
	defer func() {
		if cap(c.buf) <= 2*memorySize {
			s.buf = c.buf[:0]
		}
	}()
	if w.hash {
		c.sum = sha256.New()
	}
	if err := c.fill(headSize); err != nil {
		return err
	}
	w.narrow(e.Path, c.buf)
	if w.text != nil {
		data, err := c.whole(textSize)
		if err == nil {
			err = guard(func() error { return w.text(e.Path, data) })
		}
		if err := s.settle(e.Path, w.area, err); err != nil {
			return err
		}
	}
	if w.script {
		if err := c.fill(scriptSize); err != nil {
			return err
		}
		s.addScript(e.Path, c.buf[:min(len(c.buf), scriptSize)])
	}
	var sp *spooled
	if w.random != nil {
		var err error
		sp, err = c.spool(s.opts.SpoolDir, s.opts.MaxFile)
		if err == nil {
			defer sp.Close()
			err = guard(func() error { return w.random(ctx, e.Path, sp) })
		} else if w.secrets {
			w.secrets = false // its start is gone
			s.problem(e.Path, "secrets", err.Error())
		}
		if err := s.settle(e.Path, w.area, err); err != nil {
			return err
		}
	}
	if w.secrets {
		err := guard(func() error { return s.scanSecrets(ctx, e.Path, c, sp) })
		if err := s.settle(e.Path, "secrets", err); err != nil {
			return err
		}
	}
	if c.sum != nil {
		sum, err := c.digest()
		if err != nil {
			return err
		}
		s.addDigest(e.Path, sum)
	}
	return ctx.Err()
}

// settle returns the errors that end the layer and records the others.
func (s *LayerScan) settle(p, area string, err error) error {
	var re readError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &re):
		return re.err
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	}
	s.problem(p, area, err.Error())
	return nil
}

// maxProblems bounds the files of one area that are named.
const maxProblems = 200

func (s *LayerScan) problem(p, area, reason string) {
	s.opts.Log.Debug("file not read", "path", p, "area", area, "reason", reason)
	s.failed[area]++
	if s.failed[area] <= maxProblems {
		s.layer.Problems = append(s.layer.Problems, problem{Path: p, Area: area, Reason: reason})
	}
}

// countProblems says how many more files could not be read than are named.
func (s *LayerScan) countProblems() {
	for area, n := range s.failed {
		if n > maxProblems {
			s.layer.Problems = append(s.layer.Problems, problem{Area: area, Reason: fmt.Sprintf("%d more files could not be read", n-maxProblems)})
		}
	}
}

// guard turns a panic of a parser into an error about its file.
func guard(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("its parser gave up: %v", p)
		}
	}()
	return f()
}

// note remembers that something was found in the file, so that its other names
// are kept.
func (s *LayerScan) note(p string) { s.found[p] = struct{}{} }

func (s *LayerScan) addHardLink(e Entry) {
	target := cleanPath(e.Link)
	if _, ok := s.found[target]; ok {
		s.links[target] = append(s.links[target], e.Path)
	}
	s.addFileMode(e)
}

func (s *LayerScan) keepLinks() {
	if len(s.links) > 0 {
		s.layer.HardLinks = s.links
	}
}

// dropOwned removes language packages that an OS package of the same layer
// installed: the OS's advisories describe them, under the OS's version.
func (s *LayerScan) dropOwned() {
	s.layer.Archives = slices.DeleteFunc(s.layer.Archives, func(a archive) bool { return s.isOwned(a.Path) })
	for i := range s.layer.Applications {
		// A bill of materials names files of its own.
		a := &s.layer.Applications[i]
		a.Packages = slices.DeleteFunc(a.Packages, func(p pkg) bool { return p.Path != "" && s.isOwned(p.Path) })
	}
	s.layer.Applications = slices.DeleteFunc(s.layer.Applications, func(a application) bool {
		return len(a.Packages) == 0 || s.isOwned(a.Path)
	})
}

func (s *LayerScan) isOwned(p string) bool {
	switch p {
	// Distroless images keep no list of Python 2.7's own files.
	case "usr/lib/python2.7/argparse.egg-info", "usr/lib/python2.7/lib-dynload/Python-2.7.egg-info",
		"usr/lib/python2.7/wsgiref.egg-info":
		return true
	}
	_, ok := s.owned[hashPath(p)]
	return ok
}

func (s *LayerScan) own(p string) {
	if p = strings.TrimPrefix(p, "/"); p != "" {
		s.owned[hashPath(p)] = struct{}{}
	}
}
