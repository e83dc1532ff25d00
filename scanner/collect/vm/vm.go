// Package vm collects facts about one machine from the inside: the guest that
// postscan runs on, or a mounted or unpacked disk.
//
// Everything is read from files below one root, which tests and --root set; only
// the processor is asked beside (CPUID). One file of this package has one subject
// and fills one part of [facts.VM]; the resource's Places say where each was
// read. Packages come from one walk of the file system that feeds
// [inventory.LayerScan] as a layer of an image does.
//
// It never fails open and never follows a link out of the root. What needs root is
// unknown with that reason; what a disk cannot tell is unknown; what only another
// collector can tell is not assessed. No network is used, but for the metadata
// service where the user asks for it.
package vm

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/facts"
	"github.com/postscan/postscan/scanner/inventory"
)

// Options say what to look at, and how.
type Options struct {
	// Root is the folder that is taken for the root of the file system; empty is "/".
	Root string
	// Disk says that Root is a disk of a machine that does not run: /proc and /sys
	// below it are not believed, and what only a running machine knows is unknown.
	Disk bool
	// Name replaces the machine-id in fingerprints.
	Name string
	// CPU asks the processor; nil is this machine's where Root is "/", else nobody.
	CPU func() CPU
	// NoPackages leaves out the walk of the file system, and with it vulnerabilities.
	NoPackages bool
	// FileSystems are mount points below Root that the walk enters too; it leaves
	// out every other file system.
	FileSystems []string
	// Inventory says how files are read; secrets are never looked for in the walk.
	Inventory inventory.Options
	// Matcher knows vulnerabilities. Without one, NoMatcher says why, and
	// vulnerabilities are unknown.
	Matcher   Matcher
	NoMatcher string
	// Jars identifies Java archives that do not name themselves; may be nil.
	Jars inventory.JarLookup
	// EndOfLife says whether support of a release has ended; nil is not assessed.
	EndOfLife func(d facts.Distribution, now time.Time) (ended, known bool)
	// IMDS asks the metadata service; nil does not.
	IMDS *IMDS
	Now  time.Time
	Log  *slog.Logger // default: none
	// Progress is told how many files the walk has seen; may be nil. It must be quick.
	Progress func(files int)
}

// IMDS is how the metadata service of a cloud is asked.
type IMDS struct {
	// URL is its base; nil is the address that the clouds share.
	URL *url.URL
	// Timeout is for one request; default one second.
	Timeout time.Duration
}

// Matcher finds the known vulnerabilities of packages.
type Matcher interface {
	// Match returns the vulnerabilities. An error that has a method
	// Missing() facts.Missing says that what was returned is right, but not all.
	Match(ctx context.Context, d facts.Distribution, packages []facts.Package) ([]facts.Vulnerability, error)
	// Missing names, by path, what no answer can hold.
	Missing() map[string]facts.Missing
}

// ErrWindows says that the disk holds Windows, which this version does not judge.
var ErrWindows = errors.New("this is a Windows system, which postscan vm does not support: nothing of it was judged")

// Collector collects one machine. It implements [scanner.Collector].
type Collector struct{ opts Options }

// New returns a collector.
func New(o Options) *Collector {
	if o.Root == "" {
		o.Root = "/"
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.CPU == nil && o.Root == "/" && !o.Disk {
		o.CPU = thisCPU
	}
	if o.NoMatcher == "" {
		o.NoMatcher = "no vulnerability database is configured"
	}
	if o.Progress == nil {
		o.Progress = func(int) {}
	}
	o.Inventory.Secrets = false
	if o.Inventory.Log == nil {
		o.Inventory.Log = o.Log
	}
	return &Collector{opts: o}
}

// Collect implements [scanner.Collector]. It sends one target with one resource of
// kind vm, and one of kind node where the machine is a node of Kubernetes.
func (c *Collector) Collect(ctx context.Context, sink scanner.Sink) error {
	o := c.opts
	target := facts.Target{Kind: "vm", Ref: o.Root, Identity: o.Name, Properties: map[string]string{}}
	t, err := openTree(o.Root)
	if err == nil {
		defer t.close()
		err = sound(t, o.Disk)
	}
	if err != nil {
		if target.Identity == "" {
			target.Identity = o.Root
		}
		target.Error = rootError(o.Root, err).Error()
		return sink.Target(target)
	}
	s := newScan(o, t)
	target.Ref = s.hostname()
	if o.Disk {
		target.Ref = filepath.Clean(o.Root)
	}
	machineID := s.machineID()
	switch {
	case target.Identity != "":
	case machineID != "":
		target.Identity = machineID
	default:
		target.Identity = target.Ref
		o.Log.Warn("the machine has no machine-id; findings are told apart by its name, give one with --name", "name", target.Ref)
	}
	if err := s.collect(ctx); err != nil {
		return err
	}
	s.properties(target.Properties)
	if err := sink.Target(target); err != nil {
		return err
	}
	res := s.resource(target.Ref, machineID)
	if err := sink.Resource(ctx, res); err != nil {
		return err
	}
	found, unread := s.findComponents()
	if node := s.node(target.Ref, res, found); node != nil {
		if err := sink.Resource(ctx, node); err != nil {
			return err
		}
	}
	if plane := s.controlPlane(target.Ref, found, unread); plane != nil {
		return sink.Resource(ctx, plane)
	}
	return nil
}

// sound says whether a folder is the root of a system that can be judged.
func sound(t *tree, disk bool) error {
	if t.exists("Windows/System32") || t.exists("WINDOWS/system32") || t.exists("windows/system32") {
		return ErrWindows
	}
	if disk && !t.exists("etc") && !t.exists("usr") {
		return errors.New("it holds neither etc nor usr, so it is not the root of a system; mount the disk there first")
	}
	return nil
}

func rootError(root string, err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	return fmt.Errorf("look at the machine below %s: %w", root, err)
}

// scan is one call of Collect.
type scan struct {
	opts    Options
	t       *tree
	log     *slog.Logger
	live    bool
	doc     *facts.VM
	missing map[string]facts.Missing
	places  map[string]facts.Origin
	aliases []facts.Alias
	units   map[string]string   // enabled units of systemd, and the link that enables them
	running map[string][]string // numbers of processes by the name of the program, 15 bytes of it
}

func newScan(o Options, t *tree) *scan {
	return &scan{
		opts: o, t: t, log: o.Log, live: !o.Disk, doc: &facts.VM{Live: !o.Disk},
		missing: map[string]facts.Missing{}, places: map[string]facts.Origin{},
	}
}

// collect fills the facts. The error ends the collection: ctx is done.
func (s *scan) collect(ctx context.Context) error {
	s.doc.Hostname = s.hostname()
	s.doc.Architecture = s.architecture()
	s.startup()
	for _, fill := range []func(){
		s.machine, s.kernel, s.boot, s.confidential, s.protection, s.sysctls, s.mitigations, s.shares, s.devices,
		s.nested, s.consoles, s.ssh, s.ports, s.disk, s.role,
	} {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		s.guarded(fill)
	}
	if err := s.metadata(ctx); err != nil {
		return err
	}
	if err := s.bootstrap(ctx); err != nil {
		return err
	}
	if err := s.packages(ctx); err != nil {
		return err
	}
	for _, fill := range []func(){s.installedKernel, s.agents, s.updates} { // these look at packages
		s.guarded(fill)
	}
	return nil
}

// guarded keeps a fault of one reader from taking the others with it: what it
// would have filled is unknown.
func (s *scan) guarded(fill func()) {
	before := maps.Clone(s.places)
	defer func() {
		if p := recover(); p != nil {
			s.log.Error("a reader gave up; this is a fault of postscan", "fault", p)
			for _, part := range parts() {
				s.gap(part, facts.Missing{Status: facts.Unknown, Partial: true, Reason: fmt.Sprintf("its reader gave up: %v", p)})
			}
			s.places = before
		}
	}()
	fill()
}

// parts are the fields of facts.VM that a reader may leave unfilled.
func parts() []string {
	return []string{
		"machine", "kernel", "boot", "confidential", "protection", "sysctls", "mitigations", "smt", "shares", "devices",
		"nested", "agents", "consoles", "ssh", "ports", "disk", "role", "updates",
	}
}

// resource is the machine as policies see it.
func (s *scan) resource(target, machineID string) *facts.Resource {
	if machineID != "" {
		s.aliases = append(s.aliases, facts.Alias{Type: "machine-id", Value: machineID})
	}
	s.aliases = append(s.aliases, facts.Alias{Type: "hostname", Value: s.doc.Hostname})
	if s.live {
		if id := s.t.line("sys/class/dmi/id/product_uuid"); id != "" {
			s.aliases = append(s.aliases, facts.Alias{Type: "system-uuid", Value: strings.ToLower(id)})
		}
	}
	if id := s.t.line("var/lib/cloud/data/instance-id"); id != "" {
		s.aliases = append(s.aliases, facts.Alias{Type: "instance-id", Value: id})
	}
	return &facts.Resource{
		Kind: facts.KindVM, ID: s.doc.Hostname, Key: "vm", Target: target,
		Aliases: s.aliases, Missing: s.missing, Places: s.places, Facts: s.doc,
	}
}

// properties describe the machine for readers of the report.
func (s *scan) properties(p map[string]string) {
	for name, value := range map[string]string{
		"hostname": s.doc.Hostname, "kind": s.doc.Machine.Kind, "hypervisor": s.doc.Machine.Hypervisor,
		"container": s.doc.Machine.Container, "cloud": s.doc.Machine.Provider, "kernel": s.doc.Kernel.Release,
		"os": s.doc.Distribution.Name,
	} {
		if value != "" {
			p[name] = value
		}
	}
}

// hostname is the machine's name, "localhost" where nothing tells.
func (s *scan) hostname() string {
	name := ""
	if s.live {
		name = s.t.line("proc/sys/kernel/hostname")
	}
	if name == "" {
		name = s.t.line("etc/hostname")
	}
	if name == "" && s.live && s.opts.Root == "/" {
		name, _ = os.Hostname()
	}
	if name == "" {
		name = "localhost"
	}
	return name
}

// machineID is systemd's or D-Bus's id of the installation; "" where it has none
// that tells it from its copies.
func (s *scan) machineID() string {
	for _, name := range []string{"etc/machine-id", "var/lib/dbus/machine-id"} {
		id := s.t.line(name)
		if len(id) == 32 && strings.Trim(id, "0123456789abcdef") == "" && strings.Trim(id, "0") != "" {
			return id
		}
	}
	return ""
}

// at notes where the fact at a path of the document was read.
func (s *scan) at(path, file string) {
	if strings.HasPrefix(file, "/") || strings.Contains(file, " ") {
		s.places[path] = facts.Origin{File: file}
		return
	}
	s.places[path] = facts.Origin{File: absolute(file)}
}

// gap notes that a fact could not be seen. Of two reasons both are kept.
func (s *scan) gap(path string, m facts.Missing) {
	addMissing(s.missing, map[string]facts.Missing{path: m})
}

// unknown notes a fact that this scan tried to see and could not, or not wholly. A
// check asks for many facts of a machine, so what was seen is judged all the same;
// it fails by values alone that only reading gives: an empty text, an empty list
// and -1 stand for what was not seen.
func (s *scan) unknown(path, reason string) {
	s.gap(path, facts.Missing{Status: facts.Unknown, Reason: reason, Partial: true})
}

// notAssessed notes a fact that nothing here was meant to see.
func (s *scan) notAssessed(path, reason string) {
	s.gap(path, facts.Missing{Status: facts.NotAssessed, Reason: reason, Partial: true})
}

// diskCannot marks what only a running machine knows; it is true for a disk.
func (s *scan) diskCannot(paths ...string) bool {
	if s.live {
		return false
	}
	for _, p := range paths {
		s.unknown(p, "a disk does not tell it; run postscan vm on the running machine")
	}
	return true
}

// text reads a file for the fact at path. Where there is no such file, ok is false;
// where it cannot be read, the fact is unknown as well.
func (s *scan) text(path, file string) (string, bool) {
	data, err := s.t.read(file)
	switch {
	case err == nil:
		return string(data), true
	case absent(err):
		return "", false
	default:
		s.unknown(path, why(err))
		return "", false
	}
}

// addMissing joins entries: of two for one path, the reasons are put together and
// the worse of both counts.
func addMissing(into, more map[string]facts.Missing) {
	for path, m := range more {
		if old, ok := into[path]; ok {
			if !strings.Contains(old.Reason, m.Reason) {
				m.Reason = old.Reason + "; " + m.Reason
			} else {
				m.Reason = old.Reason
			}
			if old.Status == facts.Unknown {
				m.Status = facts.Unknown
			}
			m.Partial = m.Partial && old.Partial
		}
		into[path] = m
	}
}
