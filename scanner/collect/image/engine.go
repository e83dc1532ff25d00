package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/cli/cli/connhelper"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/moby/moby/client"

	"github.com/postscan/postscan/scanner/facts"
)

// errNoEngine: neither Docker nor Podman can be reached.
var errNoEngine = errors.New("no container engine can be reached")

// engine is a Docker API: Docker's own, or Podman's compatible one.
type engine struct {
	kind    string // SourceDocker or SourcePodman
	host    string // "unix:///var/run/docker.sock"; empty for what the context or DOCKER_HOST says
	context string // name of a context of Docker's, which says the host
}

// engines lists the engines to ask for a source (empty for any), in their order.
func engines(source string) []engine {
	var out []engine
	unix := func(kind, dir string, parts ...string) {
		if dir == "" {
			return
		}
		path := filepath.Join(append([]string{dir}, parts...)...)
		if st, err := os.Stat(path); err == nil && st.Mode()&os.ModeSocket != 0 {
			out = append(out, engine{kind: kind, host: "unix://" + path})
		}
	}
	if source != SourcePodman {
		if os.Getenv("DOCKER_HOST") != "" {
			out = append(out, engine{kind: SourceDocker})
		} else if name := dockerContext(); name != "" {
			out = append(out, engine{kind: SourceDocker, context: name})
		} else {
			unix(SourceDocker, "/var/run", "docker.sock")
			unix(SourceDocker, os.Getenv("XDG_RUNTIME_DIR"), "docker.sock")
		}
	}
	if source != SourceDocker {
		if h := os.Getenv("CONTAINER_HOST"); strings.HasPrefix(h, "unix://") || strings.HasPrefix(h, "tcp://") {
			out = append(out, engine{kind: SourcePodman, host: h})
		}
		unix(SourcePodman, os.Getenv("XDG_RUNTIME_DIR"), "podman", "podman.sock")
		unix(SourcePodman, "/run/podman", "podman.sock")
	}
	return out
}

// engineAnswer bounds how long an engine may take to say whether it has an image.
const engineAnswer = 20 * time.Second

// findEngine opens the image in the first engine that has it.
func (r *run) findEngine(ctx context.Context, ref string, want wanted, source string) (*found, error) {
	list := engines(source)
	if r.opts.EngineHost != "" {
		list = []engine{{kind: source, host: r.opts.EngineHost}}
	}
	if len(list) == 0 {
		which := source
		if which == "" {
			which = "Docker or Podman"
		}
		return nil, fmt.Errorf("%w: there is no socket of %s; start it, or say where it is by DOCKER_HOST or a context", errNoEngine, which)
	}
	var errs []error
	for _, e := range list {
		f, err := r.fromEngine(ctx, e, ref, want)
		if err == nil {
			return f, nil
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		errs = append(errs, fmt.Errorf("%s: %w", e.kind, err))
	}
	return nil, errors.Join(errs...)
}

// fromEngine opens the image in one engine. The engine writes it to a temporary
// file without a name: the API gives no layers one by one.
func (r *run) fromEngine(ctx context.Context, e engine, ref string, want wanted) (*found, error) {
	cli, err := e.client()
	if err != nil {
		return nil, err
	}
	defer cli.Close() //nolint:errcheck // nothing is written
	names := []string{ref}
	parsed, perr := parseReference(ref)
	if perr == nil {
		full := registryName(parsed.Context()) + "/" + parsed.Context().RepositoryStr()
		if d, ok := parsed.(name.Digest); ok {
			names = append(names, full+"@"+d.DigestStr())
		} else {
			names = append(names, full+":"+parsed.Identifier())
		}
	}
	had, err := inspect(ctx, cli, slices.Compact(names))
	if err != nil {
		return nil, err
	}
	r.opts.Progress(Event{Ref: ref, Stage: Pulling})
	r.log.Debug("engine writes the image to disk", "engine", e.kind, "ref", ref)
	body, err := cli.ImageSave(ctx, []string{had.id})
	if err != nil {
		return nil, fmt.Errorf("save image: %w", engineError(err))
	}
	tarball, err := spool(ctx, body, r.opts.Limits, r.opts.TempDir)
	_ = body.Close()
	if err != nil {
		return nil, fmt.Errorf("save image: %w", engineError(err))
	}
	fs, err := indexTar(ctx, tarball, true)
	if err != nil {
		return nil, fmt.Errorf("read the saved image: %w", err)
	}
	l, err := openFiles(ctx, fs, "", want)
	if err != nil {
		_ = fs.Close()
		return nil, err
	}
	f := &found{source: e.kind, id: ref, pics: l.pics, close: func() { _ = fs.Close() }}
	if own := had.nameOf(parsed, ref); own != "" {
		f.nameFrom(own)
	} else if perr == nil && !had.isID(ref) {
		f.name(parsed)
	}
	f.id = ref
	if f.repository != "" && !had.isID(ref) {
		f.id = f.registry + "/" + f.repository
		if d, ok := parsed.(name.Digest); ok {
			f.id += "@" + d.DigestStr()
		} else {
			f.id += ":" + f.tag
		}
	}
	for _, d := range had.digests {
		f.aliases = append(f.aliases, facts.Alias{Type: "repo-digest", Value: d})
	}
	return f, nil
}

// client returns a client for the engine.
func (e engine) client() (*client.Client, error) {
	opts := []client.Opt{client.FromEnv}
	switch {
	case e.context != "":
		var err error
		if opts, err = contextOptions(e.context); err != nil {
			return nil, err
		}
	case e.host != "":
		opts = []client.Opt{client.WithHost(e.host)}
	}
	if strings.HasPrefix(e.host, "ssh://") {
		helper, err := connhelper.GetConnectionHelper(e.host)
		if err != nil {
			return nil, fmt.Errorf("%w: %s", errNoEngine, plain(err.Error()))
		}
		opts = []client.Opt{client.WithHost(helper.Host), client.WithDialContext(helper.Dialer)}
	}
	cli, err := client.New(opts...)
	if err != nil {
		return nil, fmt.Errorf("%w: %s", errNoEngine, plain(err.Error()))
	}
	return cli, nil
}

// inspected is what an engine says of an image that it has.
type inspected struct {
	id      string
	tags    []string // "nginx:latest"
	digests []string // "nginx@sha256:…"
}

// isID says whether the reference is the image's id or the beginning of it.
func (i inspected) isID(ref string) bool {
	short := strings.TrimPrefix(ref, "sha256:")
	return len(short) >= 6 && strings.HasPrefix(strings.TrimPrefix(i.id, "sha256:"), short)
}

// nameOf returns the name of the image that the reference means: Podman finds
// "app" as localhost/app, and an id has no name of its own. Empty where the
// reference is the name.
func (i inspected) nameOf(parsed name.Reference, ref string) string {
	all := append(slices.Clone(i.tags), i.digests...)
	if parsed != nil && !i.isID(ref) {
		for _, n := range all {
			if p, err := name.ParseReference(n, name.WeakValidation); err == nil && p.Context() == parsed.Context() {
				return ""
			}
		}
	}
	if len(all) == 0 {
		return ""
	}
	return all[0]
}

// inspect finds the image under one of the names.
func inspect(ctx context.Context, cli *client.Client, names []string) (had inspected, err error) {
	ctx, cancel := context.WithTimeout(ctx, engineAnswer)
	defer cancel()
	for _, n := range names {
		got, ierr := cli.ImageInspect(ctx, n)
		if ierr == nil {
			return inspected{got.ID, got.RepoTags, got.RepoDigests}, nil
		}
		err = engineError(ierr)
		if !errors.Is(err, ErrNotFound) {
			break
		}
	}
	return inspected{}, err
}

// engineError gives an engine's error its type.
func engineError(err error) error {
	var ne *net.OpError
	switch {
	case errdefs.IsNotFound(err):
		return fmt.Errorf("%w: the engine does not have it", ErrNotFound)
	case errors.Is(err, os.ErrPermission):
		return fmt.Errorf("%w: the socket may not be opened: %s", ErrUnauthorized, plain(err.Error()))
	case client.IsErrConnectionFailed(err), errors.As(err, &ne):
		return fmt.Errorf("%w: %s", errNoEngine, plain(err.Error()))
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, http.ErrBodyReadAfterClose):
		return fmt.Errorf("%w: %s", ErrTruncated, plain(err.Error()))
	default:
		return err
	}
}
