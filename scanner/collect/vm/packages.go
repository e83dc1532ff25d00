package vm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/postscan/postscan/scanner/facts"
	"github.com/postscan/postscan/scanner/inventory"
)

// noPackages is the reason where the walk was not asked for.
const noPackages = "packages were not asked for: the scan ran with --packages=false"

// packages reads the operating system, accounts and packages, and asks for their
// vulnerabilities. The error ends the collection.
func (s *scan) packages(ctx context.Context) error {
	layer := inventory.NewLayer(s.opts.Inventory)
	w := &walk{scan: s, ctx: ctx, layer: layer}
	var err error
	if s.opts.NoPackages {
		err = w.few()
	} else {
		err = w.all()
	}
	if err != nil {
		return err
	}
	found, err := layer.Finish(ctx)
	if err != nil {
		return err
	}
	inv, err := inventory.Merge(ctx, []*inventory.Layer{found}, inventory.Runtime{Path: []string{"/usr/sbin", "/usr/bin", "/sbin", "/bin"}}, s.opts.Jars)
	if err != nil {
		return fmt.Errorf("put together what the file system holds: %w", err)
	}
	s.takeInventory(inv)
	w.lost()
	s.endOfLife()
	return s.vulnerabilities(ctx)
}

// takeInventory takes over what the files say.
func (s *scan) takeInventory(inv *inventory.Inventory) {
	s.doc.Distribution, s.doc.Users = inv.Distribution, inv.Users
	for where, m := range inv.Missing {
		top, _, _ := strings.Cut(where, ".")
		if top == "distribution" || top == "users" || !s.opts.NoPackages && (top == "packages" || top == "vulnerabilities") {
			// A machine has one layer, and nobody needs to know.
			m.Reason = strings.NewReplacer(" (layer 0)", "", "layer 0: ", "").Replace(m.Reason)
			s.gap(where, m)
		}
	}
	s.at("distribution", "etc/os-release")
	s.at("users", "etc/passwd")
	if s.opts.NoPackages {
		s.notAssessed("packages", noPackages)
		s.notAssessed("vulnerabilities", noPackages)
		return
	}
	s.doc.Packages = inv.Packages
	if len(inv.Packages) == 0 {
		s.unknown("packages", "no package was found: neither a package database nor an installed program that names its modules")
		s.unknown("vulnerabilities", "no package was found")
	}
}

// endOfLife asks whether the distribution is still supported.
func (s *scan) endOfLife() {
	d := &s.doc.Distribution
	if _, gone := s.missing["distribution"]; gone {
		return
	}
	if d.Family == "none" || d.Family == "" {
		s.unknown("distribution.end_of_life", "no file names the distribution")
		return
	}
	if s.opts.EndOfLife == nil {
		s.notAssessed("distribution.end_of_life", "no table of support periods is configured")
		return
	}
	ended, known := s.opts.EndOfLife(*d, s.opts.Now)
	d.EndOfLife = ended
	if !known {
		s.unknown("distribution.end_of_life", fmt.Sprintf("no table of support periods has %s %s", clean(d.Family), clean(d.Version)))
	}
}

// vulnerabilities asks the database.
func (s *scan) vulnerabilities(ctx context.Context) error {
	if s.opts.NoPackages {
		return nil
	}
	if s.opts.Matcher == nil {
		s.unknown("vulnerabilities", s.opts.NoMatcher)
		return nil
	}
	found, err := s.opts.Matcher.Match(ctx, s.doc.Distribution, s.doc.Packages)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var incomplete interface{ Missing() facts.Missing }
	switch {
	case err == nil:
	case errors.As(err, &incomplete):
		s.gap("vulnerabilities", incomplete.Missing())
	default:
		s.unknown("vulnerabilities", "matching against the vulnerability database broke off: "+clean(err.Error()))
		return nil
	}
	s.doc.Vulnerabilities = found
	addMissing(s.missing, s.opts.Matcher.Missing())
	return nil
}

// bootstrap looks for credentials in what cloud-init keeps.
func (s *scan) bootstrap(ctx context.Context) error {
	files := s.bootstrapFiles()
	if len(files) == 0 {
		return nil
	}
	o := s.opts.Inventory
	o.Secrets, o.Malware = true, nil
	layer := inventory.NewLayer(o)
	for _, name := range files {
		info, err := s.t.root.Lstat(name)
		if err != nil {
			continue
		}
		data, err := s.t.readUpTo(name, 1<<20)
		if err != nil {
			s.unknown("bootstrap", why(err))
			continue
		}
		e := inventory.Entry{Path: name, Mode: info.Mode(), Size: int64(len(data))}
		if err := layer.Add(ctx, e, strings.NewReader(string(data))); err != nil {
			return err
		}
		s.doc.Bootstrap = append(s.doc.Bootstrap, facts.BootstrapFile{Path: absolute(clean(name)), Mode: octal(info.Mode()), Readable: s.anybodyReads(name)})
	}
	found, err := layer.Finish(ctx)
	if err != nil {
		return err
	}
	inv, err := inventory.Merge(ctx, []*inventory.Layer{found}, inventory.Runtime{}, nil)
	if err != nil {
		return fmt.Errorf("look for credentials in the files of cloud-init: %w", err)
	}
	for i := range s.doc.Bootstrap {
		b := &s.doc.Bootstrap[i]
		for _, secret := range inv.Secrets {
			if absolute(secret.Path) == b.Path && !slices.Contains(b.Secrets, secret.Rule) {
				b.Secrets = append(b.Secrets, secret.Rule)
			}
		}
		slices.Sort(b.Secrets)
	}
	if m, ok := inv.Missing["secrets"]; ok {
		s.unknown("bootstrap", strings.NewReplacer(" (layer 0)", "", "layer 0: ", "").Replace(m.Reason))
	}
	return nil
}

// walk is one pass over the file system.
type walk struct {
	scan    *scan
	ctx     context.Context //nolint:containedctx // a walk is one call
	layer   *inventory.LayerScan
	files   int
	denied  []string // what could not be read, and why; the first few
	denials int
	others  []string // folders where another file system begins
}

// deny notes what could not be read.
func (w *walk) deny(name string, err error) {
	w.denials++
	if len(w.denied) < 3 {
		w.denied = append(w.denied, why(pathError(name, err)))
	}
}

// smallFiles tell the distribution and the accounts without a walk.
func smallFiles() []string {
	return []string{
		"etc/os-release", "usr/lib/os-release", "etc/debian_version", "etc/alpine-release", "etc/lsb-release", "etc/redhat-release", "etc/centos-release",
		"etc/system-release", "usr/lib/system-release", "etc/rocky-release", "etc/fedora-release", "etc/oracle-release", "etc/SuSE-release",
		"etc/alma-release", "etc/almalinux-release", "var/lib/ubuntu-advantage/status.json", "etc/photon-release", "etc/mariner-release", "etc/azurelinux-release",
		"etc/passwd", "etc/shadow", "etc/group",
	}
}

// few reads the small files alone.
func (w *walk) few() error {
	for _, name := range smallFiles() {
		data, err := w.scan.t.read(name)
		if err != nil {
			if !absent(err) {
				w.deny(name, errors.Unwrap(err))
			}
			continue
		}
		if err := w.layer.Add(w.ctx, inventory.Entry{Path: name, Mode: 0o644, Size: int64(len(data))}, strings.NewReader(string(data))); err != nil {
			return err
		}
	}
	return nil
}

// lost says what the walk did not see.
func (w *walk) lost() {
	s := w.scan
	if w.denials > 0 {
		reason := fmt.Sprintf("%d files and folders cannot be read, among them %s", w.denials, strings.Join(w.denied, "; "))
		if w.denials <= len(w.denied) {
			reason = strings.Join(w.denied, "; ")
		}
		if !s.opts.NoPackages {
			s.unknown("packages", reason)
			s.unknown("vulnerabilities", "not every package is known: "+reason)
		}
	}
	for _, name := range []string{"etc/passwd", "etc/shadow"} {
		if _, err := s.t.read(name); err != nil && !absent(err) {
			s.unknown("users", why(err))
		}
	}
	if !s.opts.NoPackages {
		w.otherFileSystems()
	}
}

// holdsSystem says whether a folder may hold packages of the machine.
func holdsSystem(name string) bool {
	top, _, _ := strings.Cut(strings.Trim(name, "/"), "/")
	switch top {
	case "usr", "var", "opt", "srv", "home", "root", "lib", "lib64", "bin", "sbin", "nix", "app":
		return !skipped(name)
	default:
		return false
	}
}

// otherFileSystems marks packages as incomplete where another file system of this
// machine's own disks was left out. Pseudo file systems and those of other
// machines hold none of its packages.
func (w *walk) otherFileSystems() {
	s := w.scan
	types := w.mountTypes()
	var left []string
	for _, name := range w.others {
		if fstype := types[absolute(name)]; holdsSystem(name) && (fstype == "" || ownDisk(fstype)) {
			left = append(left, absolute(name))
		}
	}
	if s.opts.Disk { // what fstab would mount there
		if data, err := s.t.read("etc/fstab"); err == nil {
			for _, m := range parseFstab(string(data)) {
				if holdsSystem(m.point) && m.point != "/" && ownDisk(m.fstype) && !slices.Contains(s.opts.FileSystems, m.point) {
					if names, err := s.t.list(m.point); err == nil && len(names) == 0 || absent(err) {
						left = append(left, m.point)
					}
				}
			}
		}
	}
	if len(left) == 0 {
		return
	}
	slices.Sort(left)
	left = slices.Compact(left)
	reason := fmt.Sprintf("another file system was not entered: %s; give it with --file-system", clean(strings.Join(left, ", ")))
	s.unknown("packages", reason)
	s.unknown("vulnerabilities", "not every package is known: "+reason)
}

// mountTypes are the types of the mounts below the root, by their path in it.
func (w *walk) mountTypes() map[string]string {
	out := map[string]string{}
	data, err := os.ReadFile("/proc/self/mountinfo") // of this system, not of the tree that is looked at
	if err != nil {
		return out
	}
	root := path.Clean(w.scan.opts.Root)
	for _, m := range parseMountInfo(string(data)) {
		below, ok := strings.CutPrefix(m.point, strings.TrimSuffix(root, "/")+"/")
		if ok {
			out[absolute(below)] = m.fstype
		}
	}
	return out
}

// ownDisk is true for file systems that lie on a disk of the machine. An image of a
// system, as immutable ones mount it at /usr, and what is laid over it are among them.
func ownDisk(fstype string) bool {
	switch fstype {
	case "ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "jfs", "reiserfs", "bcachefs", "auto", "overlay", "squashfs", "erofs":
		return true
	default:
		return false
	}
}

// skipped are folders that hold nothing of the machine's own: what the kernel
// shows, what is gone after a start, and the images of engines, which postscan
// engine and postscan image scan as what they are.
func skipped(name string) bool {
	switch name {
	case "proc", "sys", "dev", "run", "lost+found":
		return true
	case "var/lib/docker", "var/lib/containers/storage", "var/lib/kubelet/pods", "var/lib/rancher/k3s/agent/containerd", "var/lib/rancher/rke2/agent/containerd",
		"var/lib/crio", "var/lib/lxd", "var/lib/lxc", "var/lib/machines", "var/snap/docker/common/var-lib-docker":
		return true
	}
	if strings.HasPrefix(name, "var/lib/containerd/io.containerd.") {
		return true
	}
	return strings.HasSuffix(name, "/.local/share/containers/storage") || strings.HasSuffix(name, "/.local/share/docker")
}

// ownRelease says whether a file that tells a distribution tells the machine's: one
// in a folder of somebody's sources or an unpacked image does not.
func ownRelease(name string) bool {
	if !strings.Contains(path.Base(name), "os-release") {
		return true
	}
	dir := path.Dir(name)
	return dir == "etc" || dir == "usr/lib"
}

// lazyFile opens its file when somebody reads it. What cannot be read reads as
// empty and is noted by the walk: the others go on.
type lazyFile struct {
	walk *walk
	name string
	open func() (handle, error)
	file handle
	gone bool
}

// handle is an open regular file.
type handle interface {
	io.Reader
	io.ReaderAt
	io.Closer
	Size() int64
}

func (l *lazyFile) ready() bool {
	if l.file != nil || l.gone {
		return !l.gone
	}
	f, err := l.open()
	if err == nil {
		l.file = f
		return true
	}
	l.gone = true
	if !absent(err) { // it was removed meanwhile: the machine runs
		l.walk.deny(l.name, err)
	}
	return false
}

// Read implements [io.Reader].
func (l *lazyFile) Read(p []byte) (int, error) {
	if !l.ready() {
		return 0, io.EOF
	}
	n, err := l.file.Read(p)
	return n, l.told(err)
}

// ReadAt implements [io.ReaderAt].
func (l *lazyFile) ReadAt(p []byte, off int64) (int, error) {
	if !l.ready() {
		return 0, io.EOF
	}
	n, err := l.file.ReadAt(p, off)
	return n, l.told(err)
}

// Size implements [inventory.RandomAccess].
func (l *lazyFile) Size() int64 {
	if !l.ready() {
		return 0
	}
	return l.file.Size()
}

func (l *lazyFile) told(err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		return err
	}
	l.walk.deny(l.name, err)
	return io.EOF
}

func (l *lazyFile) close() {
	if l.file != nil {
		_ = l.file.Close() // it was only read
	}
}
