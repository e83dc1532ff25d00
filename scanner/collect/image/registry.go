package image

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"reflect"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// RegistryOptions configure the client for registries. The zero value speaks to
// every registry directly, with the credentials of Docker and Podman.
type RegistryOptions struct {
	// Mirrors are asked first, in their order, then the registry itself: host of
	// the registry ("docker.io") → mirrors ("127.0.0.1:5000", "mirror.example/hub").
	// "http://" before a mirror makes it an insecure one.
	Mirrors map[string][]string
	// Insecure hosts may speak plain HTTP or have a certificate that does not verify.
	Insecure []string
	// CAFile holds more authorities (PEM), beside the system's.
	CAFile string
	// Username and Password go to the registries that references of images name,
	// to no mirror and to no other host; empty for the keychain.
	Username, Password string
	// Logins are tried for a repository ("registry.example:5000/team/app") before the
	// keychain, in their order; nil for none. They go to no other host.
	Logins func(repository string) []Login
	// RegistriesConf lists the files and folders of registries.conf in the order
	// of growing weight; nil for the usual places, empty for none.
	RegistriesConf []string
	// CertsDirs lists the folders that keep the certificates of single registries
	// (HOST:PORT/ca.crt), the first of which that has the registry counts; nil for the usual places, empty for none.
	CertsDirs []string
	// AnswerTimeout is how long a server may take to answer (default 30 s),
	// IdleTimeout how long it may pause while sending (default 60 s).
	AnswerTimeout, IdleTimeout time.Duration
	// RetryDelay is the pause before the first repetition, default 500 ms; it grows
	// threefold. There are two.
	RetryDelay time.Duration
	Log        *slog.Logger // default: none
}

// Registry is a client for registries. It is safe for concurrent use.
type Registry struct {
	opts     RegistryOptions
	log      *slog.Logger
	keychain authn.Keychain
	conf     *registriesConf
	secure   http.RoundTripper
	insecure http.RoundTripper
	sessions sync.Map // sessionKey → *onceValue[*session]
	entered  sync.Map // name of a repository → which of its logins was accepted
}

// NewRegistry reads the CA file and registries.conf. It makes no connection.
func NewRegistry(o RegistryOptions) (*Registry, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.AnswerTimeout <= 0 {
		o.AnswerTimeout = 30 * time.Second
	}
	if o.IdleTimeout <= 0 {
		o.IdleTimeout = time.Minute
	}
	if o.RetryDelay <= 0 {
		o.RetryDelay = 500 * time.Millisecond
	}
	if (o.Username == "") != (o.Password == "") {
		return nil, fmt.Errorf("%w: a user name and a password go together", ErrUsage)
	}
	if o.CertsDirs == nil {
		o.CertsDirs = certsDirs()
	}
	files := o.RegistriesConf
	if files == nil {
		files = registriesConfFiles()
	}
	conf, err := loadRegistriesConf(files)
	if err != nil {
		return nil, err
	}
	if err := conf.add(o.Mirrors, o.Insecure); err != nil {
		return nil, err
	}
	t := timeouts{header: o.AnswerTimeout, idle: o.IdleTimeout, retry: o.RetryDelay, tries: 3}
	secure, err := newTransport(o.CAFile, o.CertsDirs, false, t, o.Log)
	if err != nil {
		return nil, err
	}
	insecure, err := newTransport(o.CAFile, o.CertsDirs, true, t, o.Log)
	if err != nil {
		return nil, err
	}
	return &Registry{
		opts: o, log: o.Log, keychain: newKeychain(o.Log), conf: conf,
		secure:   &plainGuard{inner: secure},
		insecure: &plainGuard{inner: insecure, allow: true},
	}, nil
}

// Fetch opens any image or artifact of a registry by reference, through the same
// mirrors, authorities and credentials as the images that are scanned. Username
// and Password of the options are not used: they belong to the user's images.
func (r *Registry) Fetch(ctx context.Context, ref string) (v1.Image, error) {
	parsed, err := parseReference(ref)
	if err != nil {
		return nil, err
	}
	var img v1.Image
	err = r.eachEndpoint(ctx, parsed, func(e endpoint) error {
		s, err := r.session(ctx, e, false)
		if err != nil {
			return err
		}
		desc, err := remote.Get(e.reference(parsed), remote.WithContext(ctx), remote.WithTransport(s.transport))
		if err != nil {
			return err
		}
		img, err = desc.Image()
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("fetch %s: %w", ref, err)
	}
	return img, nil
}

// parseReference reads a reference as Docker does: docker.io where no host is
// named, "latest" where neither tag nor digest is.
func parseReference(ref string) (name.Reference, error) {
	parsed, err := name.ParseReference(ref, name.WeakValidation)
	if err != nil {
		if short, ok := shortReference(ref); ok {
			return short, nil
		}
		// The library says what is wrong only where it is told what it reads.
		if _, err = name.NewTag(ref, name.WeakValidation); strings.Contains(ref, "@") {
			_, err = name.NewDigest(ref, name.WeakValidation)
		}
	}
	if err == nil && (strings.HasPrefix(parsed.Context().RepositoryStr(), "/") || strings.Contains(parsed.Context().RepositoryStr(), "//")) {
		err = errors.New("a part of the repository's name is empty")
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %q is no image reference: %s", ErrUsage, plain(ref), plain(err.Error()))
	}
	return parsed, nil
}

// oneLetter is a reference whose repository has a name of one letter, with or
// without a host: "x:1", "registry.example:5000/x@sha256:…".
var oneLetter = regexp.MustCompile(`^((?:[^/]*[.:][^/]*|localhost)/)?([a-z0-9])((?::[^/@]+)?(?:@[^/@]+)?)$`)

// shortReference reads such a reference, which the library refuses and registries
// allow.
func shortReference(ref string) (name.Reference, bool) {
	m := oneLetter.FindStringSubmatch(ref)
	if m == nil {
		return nil, false
	}
	longer, err := name.ParseReference(m[1]+m[2]+m[2]+m[3], name.WeakValidation)
	if err != nil {
		return nil, false
	}
	path := strings.TrimSuffix(longer.Context().RepositoryStr(), m[2])
	repo := longer.Context().Registry.Repo(path)
	if d, ok := longer.(name.Digest); ok {
		return repo.Digest(d.DigestStr()), true
	}
	return repo.Tag(longer.Identifier()), true
}

// endpoint is one place where a repository can be read: a mirror or the registry itself.
type endpoint struct {
	repo     name.Repository
	insecure bool
	origin   bool
}

// reference is the reference as this endpoint knows it.
func (e endpoint) reference(ref name.Reference) name.Reference {
	if d, ok := ref.(name.Digest); ok {
		return e.repo.Digest(d.DigestStr())
	}
	return e.repo.Tag(ref.Identifier())
}

// eachEndpoint tries the endpoints of the reference until one succeeds. The
// error is the origin's, followed by those of the mirrors.
func (r *Registry) eachEndpoint(ctx context.Context, ref name.Reference, try func(endpoint) error) error {
	_, digest := ref.(name.Digest)
	eps, err := r.conf.endpoints(ref.Context(), digest)
	if err != nil {
		return err
	}
	var errs []error
	for i, e := range eps {
		err := redact(try(e))
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		errs = append(errs, err)
		if i < len(eps)-1 {
			r.log.Info("mirror does not serve the image, trying the next", "mirror", e.repo.Name(), "reason", err)
		}
	}
	last := errs[len(errs)-1]
	if len(errs) == 1 {
		return last
	}
	return fmt.Errorf("%w (before that, from mirrors: %w)", last, errors.Join(errs[:len(errs)-1]...))
}

// session is an authenticated connection to one repository of one host.
type session struct {
	repo      name.Repository
	transport http.RoundTripper
	client    *http.Client
}

type sessionKey struct {
	repo     string
	insecure bool
	given    bool // with the credentials of the options
	login    int  // which of the repository's logins
}

// session logs in, once for each repository, with the login that was accepted
// before. given allows the credentials of the options.
func (r *Registry) session(ctx context.Context, e endpoint, given bool) (*session, error) {
	login := len(r.logins(e.repo)) // the keychain
	if n, ok := r.entered.Load(e.repo.Name()); ok {
		login = n.(int)
	}
	return r.sessionBy(ctx, e, given, login)
}

// sessionBy logs in with one of the repository's logins.
func (r *Registry) sessionBy(ctx context.Context, e endpoint, given bool, login int) (*session, error) {
	given = given && e.origin && r.opts.Username != ""
	slot, _ := r.sessions.LoadOrStore(sessionKey{e.repo.Name(), e.insecure, given, login}, &onceValue[*session]{})
	return slot.(*onceValue[*session]).get(func() (*session, error) {
		base := r.secure
		if e.insecure {
			base = r.insecure
		}
		auth := authn.Authenticator(&authn.Basic{Username: r.opts.Username, Password: r.opts.Password})
		if !given {
			auth = r.login(ctx, e.repo, login)
		}
		tr, err := transport.NewWithContext(ctx, e.repo.Registry, auth, base, []string{e.repo.Scope(transport.PullScope)})
		if err != nil {
			return nil, fmt.Errorf("log in to %s: %w", e.repo.RegistryStr(), redact(answered(err)))
		}
		return &session{repo: e.repo, transport: tr, client: &http.Client{Transport: tr, CheckRedirect: checkRedirect}}, nil
	})
}

// answered picks, of the errors of trying https and http at once, the one that says
// something: a server of plain HTTP always fails the other way.
func answered(err error) error {
	both := reflect.ValueOf(err) // the library's list of errors has no name
	if both.Kind() != reflect.Slice || both.Len() != 2 || !strings.Contains(fmt.Sprint(both.Index(0)), "server gave HTTP response") {
		return err
	}
	if second, ok := both.Index(1).Interface().(error); ok {
		return second
	}
	return err
}

// resolve asks the keychain. A credential helper is a program of the user's: it
// may hang or be missing, and neither may keep a public image from being read.
func (r *Registry) resolve(ctx context.Context, repo name.Repository) authn.Authenticator {
	ctx, cancel := context.WithTimeout(ctx, r.opts.AnswerTimeout)
	defer cancel()
	auth, err := authn.Resolve(ctx, r.keychain, repo)
	if err != nil {
		r.log.Warn("no credentials from the configuration, going on without", "registry", repo.RegistryStr(), "reason", plain(err.Error()))
		return authn.Anonymous
	}
	return auth
}

// manifestLimit bounds a manifest; the distribution specification asks
// registries to take 4 MiB, and nobody needs more.
const manifestLimit = 8 << 20

// configLimit bounds an image's configuration.
const configLimit = 32 << 20

// acceptManifests is what we ask for; a registry may send it in another type all the same.
var acceptManifests = strings.Join([]string{
	string(types.OCIManifestSchema1), string(types.DockerManifestSchema2),
	string(types.OCIImageIndex), string(types.DockerManifestList), "*/*;q=0.1",
}, ", ")

// get makes a GET request of the repository: path is "manifests/latest". An
// answer other than one of the statuses is an error.
func (s *session) get(ctx context.Context, path string, header http.Header, statuses ...int) (*http.Response, error) {
	u := fmt.Sprintf("%s://%s/v2/%s/%s", s.repo.Scheme(), s.repo.RegistryStr(), s.repo.RepositoryStr(), path)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u, nil)
	if err != nil {
		return nil, err
	}
	for k, v := range header {
		req.Header[k] = v
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return nil, redact(err)
	}
	if err := transport.CheckError(resp, statuses...); err != nil {
		_ = resp.Body.Close()
		return nil, redact(err)
	}
	return resp, nil
}

// manifest reads a manifest by tag or digest and verifies the digest, where one
// is asked for.
func (s *session) manifest(ctx context.Context, ref name.Reference) ([]byte, v1.Hash, error) {
	resp, err := s.get(ctx, "manifests/"+ref.Identifier(), http.Header{"Accept": {acceptManifests}}, http.StatusOK)
	if err != nil {
		return nil, v1.Hash{}, err
	}
	defer resp.Body.Close() //nolint:errcheck // read to its end already
	raw, err := readAll(resp.Body, manifestLimit)
	if err != nil {
		return nil, v1.Hash{}, fmt.Errorf("read manifest of %s: %w", ref, redact(err))
	}
	h := digestOf(raw)
	if d, ok := ref.(name.Digest); ok {
		if err := verifyBytes(raw, d.DigestStr()); err != nil {
			return nil, v1.Hash{}, fmt.Errorf("manifest of %s: %w", ref, err)
		}
		h, err = v1.NewHash(d.DigestStr())
		if err != nil {
			return nil, v1.Hash{}, fmt.Errorf("%w: %s", ErrUsage, plain(err.Error()))
		}
	}
	return raw, h, nil
}

// blob reads a small blob whole and verifies it.
func (s *session) blob(ctx context.Context, h v1.Hash, most int64) ([]byte, error) {
	resp, err := s.get(ctx, "blobs/"+h.String(), nil, http.StatusOK)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close() //nolint:errcheck // read to its end already
	raw, err := readAll(resp.Body, most)
	if err != nil {
		return nil, fmt.Errorf("read blob %s: %w", h, redact(err))
	}
	if err := verifyBytes(raw, h.String()); err != nil {
		return nil, fmt.Errorf("blob %s: %w", h, err)
	}
	return raw, nil
}

// open streams a blob. A broken connection is taken up again where it broke.
// Size and digest are for the reader to verify.
func (s *session) open(ctx context.Context, h v1.Hash, size int64, wait time.Duration) (io.ReadCloser, error) {
	resp, err := s.get(ctx, "blobs/"+h.String(), nil, http.StatusOK)
	if err != nil {
		return nil, err
	}
	if resp.ContentLength >= 0 && size > 0 && resp.ContentLength != size {
		_ = resp.Body.Close()
		return nil, fmt.Errorf("blob %s: %w: the manifest says %d bytes, the registry has %d", h, ErrTruncated, size, resp.ContentLength)
	}
	return &resumingBody{ctx: ctx, s: s, hash: h, size: size, wait: wait, body: resp.Body}, nil
}

// resumingBody is the body of a blob that survives broken connections.
type resumingBody struct {
	ctx   context.Context //nolint:containedctx // of the request; the body makes further ones
	s     *session
	hash  v1.Hash
	size  int64 // 0 is unknown
	read  int64
	wait  time.Duration
	body  io.ReadCloser
	tries int // since bytes came last
}

// resumeTries is how often a connection may break without a byte in between.
const resumeTries = 3

func (b *resumingBody) Read(p []byte) (int, error) {
	for {
		n, err := b.body.Read(p)
		b.read += int64(n)
		if n > 0 {
			b.tries = 0
		}
		broken := err != nil && !errors.Is(err, io.EOF) || errors.Is(err, io.EOF) && b.size > 0 && b.read < b.size
		if !broken {
			return n, err
		}
		if n > 0 {
			return n, nil // the error comes again with the next Read
		}
		if b.ctx.Err() != nil {
			return 0, context.Cause(b.ctx)
		}
		if errors.Is(err, errIdle) || b.tries >= resumeTries {
			return 0, fmt.Errorf("blob %s: %w after %d of %d bytes: %s", b.hash, ErrTruncated, b.read, b.size, reason(err))
		}
		if rerr := b.resume(); rerr != nil {
			return 0, fmt.Errorf("blob %s: %w after %d of %d bytes: %w", b.hash, ErrTruncated, b.read, b.size, rerr)
		}
	}
}

// resume opens the blob again at the byte where it broke off.
func (b *resumingBody) resume() error {
	b.tries++
	_ = b.body.Close()
	b.body = http.NoBody
	if err := sleep(b.ctx, b.wait); err != nil {
		return err
	}
	resp, err := b.s.get(b.ctx, "blobs/"+b.hash.String(), http.Header{"Range": {fmt.Sprintf("bytes=%d-", b.read)}}, http.StatusOK, http.StatusPartialContent) //nolint:bodyclose // it becomes the body of b
	if err != nil {
		return err
	}
	b.body = resp.Body
	if resp.StatusCode == http.StatusPartialContent {
		if want := fmt.Sprintf("bytes %d-", b.read); !strings.HasPrefix(resp.Header.Get("Content-Range"), want) {
			return errors.New("the registry resumed at another byte than it was asked to")
		}
		return nil
	}
	// The server knows no ranges and sends from the start.
	if _, err := io.CopyN(io.Discard, b.body, b.read); err != nil && b.ctx.Err() != nil {
		return context.Cause(b.ctx)
	}
	return nil
}

func (b *resumingBody) Close() error { return b.body.Close() }

// readAll reads at most most bytes; more is an error.
func readAll(r io.Reader, most int64) ([]byte, error) {
	var buf bytes.Buffer
	n, err := buf.ReadFrom(io.LimitReader(r, most+1))
	if err != nil {
		return nil, err
	}
	if n > most {
		return nil, fmt.Errorf("%w: more than %d bytes", ErrLimit, most)
	}
	return buf.Bytes(), nil
}

// digestOf returns the SHA-256 of the content.
func digestOf(b []byte) v1.Hash {
	sum := sha256.Sum256(b)
	return v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(sum[:])}
}

// verifyBytes compares content with its digest.
func verifyBytes(b []byte, want string) error {
	h, err := newHasher(want)
	if err != nil {
		return err
	}
	_, _ = h.Write(b)
	return h.check()
}
