package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/audit"
	"github.com/postscan/postscan/scanner/report"
)

// auditRunner runs the scans of audits, each in a process of its own: what a scan
// leaks, or how it dies, does not touch the others or the server.
type auditRunner struct {
	app    *app
	config string // the settings file that scans read too; empty for none
	// memory is what the heap of one scan should stay below, in bytes; 0 for no
	// bound. A scan that takes half as much again is ended.
	memory int64
}

// errMemory says that a scan was ended for its memory.
var errMemory = errors.New("the scan took more memory than it may and was ended; raise --scan-memory, or make the audit's target smaller")

// killAfter is how long a scan that is told to end may take to do so.
const killAfter = 10 * time.Second

// maxComplaint bounds what is kept of a scan's last words.
const maxComplaint = 4 << 10

// Scan implements [audit.Scan].
func (r *auditRunner) Scan(ctx context.Context, a *audit.Audit) (*scanner.Report, error) {
	args, operands, err := r.arguments(ctx, a)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "postscan-audit-")
	if err != nil {
		return nil, fmt.Errorf("make a folder for the report: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }() // the report was read
	file := filepath.Join(dir, "report.json")
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find the program that scans: %w", err)
	}
	args = append(args, "-o", "json="+file, "--quiet")
	if r.config != "" {
		args = append(args, "--config", r.config)
	}
	args = append(append(args, "--"), operands...)
	cmd := exec.CommandContext(ctx, self, args...) //nolint:gosec // this very program, with the arguments of an audit
	cmd.Env = slices.DeleteFunc(slices.Clone(r.app.env.Environ), func(v string) bool { return strings.HasPrefix(v, envPrefix+"FAIL_ON") })
	if r.memory > 0 {
		cmd.Env = append(cmd.Env, fmt.Sprintf("GOMEMLIMIT=%d", r.memory))
	}
	var words tail
	cmd.Stderr = &words
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = killAfter
	dieWithParent(cmd)
	ran := runBounded(cmd, r.memory+r.memory/2)
	if errors.Is(ran, errMemory) {
		return nil, fmt.Errorf("%w (it is %d MiB)", errMemory, r.memory>>20)
	}
	rep, err := readReportFile(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, fmt.Errorf("the scan ended without a report: %s", complaint(words.String(), ran))
	case err != nil:
		return nil, fmt.Errorf("read the report of the scan: %w", err)
	}
	return rep, nil
}

// complaint is what a scan said at its end, in one line.
func complaint(words string, err error) string {
	lines := strings.Split(strings.TrimSpace(words), "\n")
	if last := strings.TrimSpace(lines[len(lines)-1]); last != "" {
		return strings.TrimPrefix(last, "postscan: ")
	}
	if err != nil {
		return err.Error()
	}
	return "it said nothing"
}

// tail keeps the end of what is written.
type tail struct{ bytes.Buffer }

func (t *tail) Write(p []byte) (int, error) {
	n, err := t.Buffer.Write(p)
	if extra := t.Len() - maxComplaint; extra > 0 {
		t.Next(extra)
	}
	return n, err
}

func readReportFile(file string) (*scanner.Report, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was only read
	return report.Read(f)
}

// arguments are the command with its flags, and the operands, of the scan that the
// audit asks for.
func (r *auditRunner) arguments(ctx context.Context, a *audit.Audit) (args, operands []string, err error) {
	flag := func(name string, values ...string) {
		for _, v := range values {
			if v != "" {
				args = append(args, "--"+name+"="+v)
			}
		}
	}
	switch t := a.Target; {
	case t.Image != nil:
		refs, err := imageList(t.Image)
		if err != nil {
			return nil, nil, err
		}
		args, operands = []string{"image"}, refs
		flag("platform", t.Image.Platform)
	case t.Registry != nil:
		refs, err := r.taggedImages(ctx, t.Registry)
		if err != nil {
			return nil, nil, err
		}
		args, operands = []string{"image"}, refs
		flag("source", "registry")
		flag("platform", t.Registry.Platform)
	case t.Cluster != nil:
		args = []string{"cluster"}
		flag("kubeconfig", t.Cluster.Kubeconfig)
		flag("context", t.Cluster.Context)
		flag("namespace", t.Cluster.Namespace)
		flag("exclude-namespace", t.Cluster.ExcludeNamespaces...)
	case t.Manifests != nil:
		args, operands = []string{"manifests"}, t.Manifests.Paths
		flag("values", t.Manifests.Values...)
	case t.VM != nil:
		args = []string{"vm"}
		if root := t.VM.Root; root != "/" {
			flag("root", root)
		}
		if t.VM.IMDS {
			args = append(args, "--imds")
		}
	case t.Engine != nil:
		args = []string{"engine"}
		flag("host", t.Engine.Hosts...)
	default:
		return nil, nil, fmt.Errorf("the audit %q has no target", a.Name)
	}
	flag("profile", a.Profile)
	flag("framework", a.Frameworks...)
	flag("waivers", a.Waivers...)
	flag("vex", a.VEX...)
	return args, operands, nil
}

// imageList joins the references of an audit with those of its list.
func imageList(spec *audit.ImageSpec) ([]string, error) {
	refs := slices.Clone(spec.References)
	if spec.List != "" {
		b, err := os.ReadFile(spec.List)
		if err != nil {
			return nil, fmt.Errorf("read the list of images: %w", err)
		}
		for line := range strings.Lines(string(b)) {
			line, _, _ = strings.Cut(line, "#")
			if line = strings.TrimSpace(line); line != "" {
				refs = append(refs, line)
			}
		}
	}
	if len(refs) == 0 {
		return nil, fmt.Errorf("the list of images %s is empty", spec.List)
	}
	return refs, nil
}

// maxTags bounds the images of one run where the audit does not say.
const maxTags = 100

// taggedImages looks up the tags of a repository that the audit asks for.
func (r *auditRunner) taggedImages(ctx context.Context, spec *audit.RegistrySpec) ([]string, error) {
	registry, err := r.app.registry(&registryFlags{})
	if err != nil {
		return nil, err
	}
	tags, err := registry.Tags(ctx, spec.Repository)
	if err != nil {
		return nil, fmt.Errorf("list the tags of %s: %w", spec.Repository, err)
	}
	var refs []string
	for _, tag := range tags {
		if len(spec.Tags) == 0 || slices.ContainsFunc(spec.Tags, func(p string) bool { ok, _ := path.Match(p, tag); return ok }) {
			refs = append(refs, spec.Repository+":"+tag)
		}
	}
	limit := spec.Limit
	if limit <= 0 {
		limit = maxTags
	}
	switch {
	case len(refs) == 0:
		return nil, fmt.Errorf("no tag of %s is one of %s", spec.Repository, strings.Join(spec.Tags, ", "))
	case len(refs) > limit:
		return nil, fmt.Errorf("%d tags of %s match, more than the limit of %d; narrow the patterns or raise the limit", len(refs), spec.Repository, limit)
	}
	return refs, nil
}
