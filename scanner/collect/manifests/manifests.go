// Package manifests collects facts from Kubernetes manifests on file: YAML and
// JSON, Lists, Helm charts, Kustomize folders and standard input.
//
// Every object keeps the line of each of its fields, so that a finding points
// at the very field. What Helm or Kustomize renders keeps the template or
// resource that it came from and its line in the rendered output. Rendering
// reads local files only: no remote base, no plugin, no lookup in a cluster.
//
// All paths are read into one set and joined there, so that a network policy in
// one folder counts for a workload in another. A file that cannot be read is an
// error of that file; the rest goes on.
package manifests

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/collect/kube"
	"github.com/postscan/postscan/scanner/facts"
)

// Options are what the collector needs to know.
type Options struct {
	// Paths are files, folders, charts (.tgz) or "-" for Stdin.
	Paths []string
	// Stdin is read for "-".
	Stdin io.Reader
	// Name replaces the identity of the targets in fingerprints; empty keeps
	// each path's place within its repository.
	Name string
	// Values are files of values for Helm charts, later ones win.
	Values []string
	// Namespace is that of objects that name none; "default" where empty.
	Namespace string
	// Minor is the minor version of Kubernetes that the manifests are for; 0
	// where nobody says. Helm charts are then rendered for the newest version known.
	Minor int
	// Detect finds credentials in literal values; nil makes them not assessed.
	Detect kube.Detector
	// MaxFile bounds one file in bytes; 32 MiB where 0.
	MaxFile int64
	// Parallel is the number of resources judged at once; the number of CPUs where 0.
	Parallel int
	Now      time.Time
	Log      *slog.Logger
}

// Collector implements [scanner.Collector].
type Collector struct{ opts Options }

// New returns a collector of the given paths.
func New(o Options) *Collector {
	o.MaxFile = cmp.Or(o.MaxFile, 32<<20)
	o.Parallel = cmp.Or(o.Parallel, runtime.GOMAXPROCS(0))
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Collector{opts: o}
}

// input is one path that the user named, with what was found below it.
type input struct {
	ref      string
	root     string // of the repository that the path is in, absolute; "" where there is none
	objects  []object
	files    int
	rendered []string // "helm chart shop", "kustomization overlays/prod"
	skipped  map[string]int
	failed   []fileError
}

// fileError is a file that could not be read.
type fileError struct {
	file string
	err  error
}

// Collect implements [scanner.Collector].
func (c *Collector) Collect(ctx context.Context, sink scanner.Sink) error {
	inputs := make([]*input, 0, len(c.opts.Paths))
	seen := map[string]bool{}
	for _, p := range c.opts.Paths {
		if err := ctx.Err(); err != nil {
			return err
		}
		if seen[p] {
			continue
		}
		seen[p] = true
		inputs = append(inputs, c.read(ctx, p))
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	set := kube.New(kube.Options{
		Namespace: c.opts.Namespace, Minor: c.opts.Minor, Now: c.opts.Now, Detect: c.opts.Detect, Log: c.opts.Log,
	})
	for _, in := range inputs {
		if err := c.announce(sink, in); err != nil {
			return err
		}
	}
	add(set, inputs)
	return kube.Send(ctx, set, sink, c.opts.Parallel)
}

// announce sends the targets: one for each path, and one for each file that
// could not be read.
func (c *Collector) announce(sink scanner.Sink, in *input) error {
	t := facts.Target{Kind: "manifests", Ref: in.ref, Identity: cmp.Or(c.opts.Name, identity(in.ref)), Properties: map[string]string{
		"files": strconv.Itoa(in.files), "objects": strconv.Itoa(len(in.objects)),
	}}
	if len(in.rendered) > 0 {
		t.Properties["rendered"] = strings.Join(in.rendered, ", ")
	}
	if len(in.skipped) > 0 {
		total := 0
		var kinds []string
		for _, k := range slices.Sorted(maps.Keys(in.skipped)) {
			total += in.skipped[k]
			kinds = append(kinds, fmt.Sprintf("%s (%d)", k, in.skipped[k]))
		}
		t.Properties["skipped_objects"], t.Properties["skipped_kinds"] = strconv.Itoa(total), strings.Join(kinds, ", ")
		c.opts.Log.Info("objects of kinds that no check looks at were skipped", "path", in.ref, "count", total, "kinds", strings.Join(kinds, ", "))
	}
	switch {
	case len(in.failed) == 1 && len(in.objects) == 0:
		t.Error = in.failed[0].err.Error()
		in.failed = nil
	case len(in.objects) == 0 && len(in.failed) == 0:
		t.Error = fmt.Sprintf("no Kubernetes manifests found in %q; name a YAML or JSON file, a chart, or a folder that holds some", in.ref)
	}
	if err := sink.Target(t); err != nil {
		return err
	}
	for _, f := range in.failed {
		c.opts.Log.Warn("a file could not be read", "file", f.file, "error", f.err)
		if err := sink.Target(facts.Target{Kind: "manifests", Ref: f.file, Identity: cmp.Or(c.opts.Name, identity(f.file)), Properties: map[string]string{}, Error: f.err.Error()}); err != nil {
			return err
		}
	}
	return nil
}

// add puts all objects into the set, owners before what they own.
func add(set *kube.Set, inputs []*input) {
	type placed struct {
		object
		target string
	}
	var all []placed
	for _, in := range inputs {
		for _, o := range in.objects {
			all = append(all, placed{o, in.ref})
		}
	}
	slices.SortStableFunc(all, func(a, b placed) int { return cmp.Compare(kube.Rank(a.kind), kube.Rank(b.kind)) })
	for i := range all {
		all[i].place.Target = all[i].target
		set.Add(all[i].value, all[i].place)
		all[i].value = nil
	}
}

// read reads one path.
func (c *Collector) read(ctx context.Context, path string) *input {
	in := &input{ref: path, skipped: map[string]int{}}
	if path == "-" {
		data, err := readAll(c.opts.Stdin, c.opts.MaxFile)
		if err != nil {
			in.fail("-", fmt.Errorf("read standard input: %w", err))
			return in
		}
		in.ref = "stdin"
		in.files++
		in.parse(facts.Origin{File: "stdin"}, data, 0)
		return in
	}
	in.root = repository(path)
	info, err := os.Stat(path)
	switch {
	case err != nil:
		in.fail(path, plainError(err))
	case info.IsDir():
		c.readFolder(ctx, in, path)
	case isArchive(path):
		c.renderChart(ctx, in, path)
	default:
		c.readFile(in, path)
	}
	return in
}

// fail books a file that could not be read.
func (in *input) fail(file string, err error) {
	in.failed = append(in.failed, fileError{filepath.ToSlash(file), errors.New(inOneLine(err.Error()))})
}

// inOneLine bounds the text of an error: a template that calls itself makes one
// of many thousand words.
func inOneLine(text string) string {
	const most = 600
	text = strings.ReplaceAll(strings.TrimSpace(text), "\n", "; ")
	text = strings.Join(strings.Fields(text), " ")
	if len(text) <= 2*most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + " … " + strings.ToValidUTF8(text[len(text)-most:], "")
}

// plainError says what is wrong with a path that cannot be opened.
func plainError(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return fmt.Errorf("open %s: %w", filepath.ToSlash(p.Path), p.Err)
	}
	return err
}

// readFile reads a file of YAML or JSON.
func (c *Collector) readFile(in *input, path string) {
	f, err := os.Open(path)
	if err != nil {
		in.fail(path, plainError(err))
		return
	}
	defer func() { _ = f.Close() }() // it was only read
	data, err := readAll(f, c.opts.MaxFile)
	if err != nil {
		in.fail(path, fmt.Errorf("read %s: %w", filepath.ToSlash(path), err))
		return
	}
	in.files++
	in.parse(facts.Origin{File: filepath.ToSlash(path)}, data, 0)
}

// parse takes the objects of a text in; an error is one of the file.
func (in *input) parse(origin facts.Origin, data []byte, firstLine int) {
	objects, err := parseText(data)
	shown := in.shown(origin.File)
	for i := range objects {
		o := &objects[i]
		o.place.File, o.place.Rendered = shown, origin.Rendered
		o.place.Line += firstLine
		for k := range o.place.Lines {
			o.place.Lines[k] += firstLine
		}
		if o.value == nil {
			in.skipped[o.kind]++
			continue
		}
		in.objects = append(in.objects, *o)
	}
	if err != nil {
		in.fail(origin.File, fmt.Errorf("read %s: %w", origin.File, err))
	}
}

// readAll reads up to limit bytes and refuses more.
func readAll(r io.Reader, limit int64) ([]byte, error) {
	if r == nil {
		return nil, errors.New("there is none")
	}
	var b bytes.Buffer
	n, err := io.Copy(&b, io.LimitReader(r, limit+1))
	if err != nil {
		return nil, err
	}
	if n > limit {
		return nil, fmt.Errorf("it is larger than %d MiB", limit>>20)
	}
	return b.Bytes(), nil
}

// shown is the path of a file as people know it: from the root of its
// repository where it has one, so that it means the same on every machine, else
// as it was given.
func (in *input) shown(file string) string {
	if in.root == "" {
		return file
	}
	abs, err := filepath.Abs(filepath.FromSlash(file))
	if err != nil {
		return file
	}
	rel, err := filepath.Rel(in.root, abs)
	if err != nil || rel == ".." || strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		return file
	}
	return filepath.ToSlash(rel)
}

// repository is the root of the Git repository that a path is in, absolute; ""
// where it is in none.
func repository(path string) string {
	abs, err := filepath.Abs(path)
	if err != nil {
		return ""
	}
	for dir := abs; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, ".git")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			return ""
		}
	}
}

// identity is the path within its repository, so that fingerprints do not
// depend on where the repository was checked out.
func identity(ref string) string {
	if ref == "stdin" || ref == "-" {
		return "manifests:" + ref
	}
	in := input{root: repository(ref)}
	return "manifests:" + in.shown(filepath.ToSlash(filepath.Clean(ref)))
}
