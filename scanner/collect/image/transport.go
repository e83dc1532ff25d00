package image

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// timeouts of the registry client.
type timeouts struct {
	header time.Duration // from the request to the answer's first line
	idle   time.Duration // between two pieces of a body
	retry  time.Duration // before the first retry; grows threefold
	tries  int
}

// newTransport returns the transport for registries: proxies from the
// environment, the system's and the given authorities, time-outs, retries.
// Where insecure is set, certificates are not verified. certs lists folders with the
// certificates of single hosts.
func newTransport(caFile string, certs []string, insecure bool, t timeouts, log *slog.Logger) (http.RoundTripper, error) {
	conf := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: insecure} // #nosec G402 -- only for hosts that the user calls insecure
	if caFile != "" {
		pool, err := certPool(caFile)
		if err != nil {
			return nil, err
		}
		conf.RootCAs = pool
	}
	base := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 15 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSClientConfig:       conf,
		ForceAttemptHTTP2:     true,
		MaxIdleConns:          64,
		MaxIdleConnsPerHost:   16,
		IdleConnTimeout:       90 * time.Second,
		TLSHandshakeTimeout:   15 * time.Second,
		ResponseHeaderTimeout: t.header,
		// Layers are compressed already, and their digest is over what is sent.
		DisableCompression: true,
		ReadBufferSize:     64 << 10,
	}
	hosts := &certified{dirs: certs, base: base, log: log}
	return &retrying{inner: &idleGuard{inner: hosts, idle: t.idle}, wait: t.retry, tries: t.tries}, nil
}

// certPool returns the system's authorities and those of the PEM file.
func certPool(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("%w: read CA file: %w", ErrUsage, err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%w: read CA file %q: it holds no PEM certificate", ErrUsage, file)
	}
	return pool, nil
}

// idleGuard ends a response whose body stops coming.
type idleGuard struct {
	inner http.RoundTripper
	idle  time.Duration
}

func (g *idleGuard) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(req.Context())
	resp, err := g.inner.RoundTrip(req.WithContext(ctx))
	if err != nil {
		cancel(nil)
		return nil, err
	}
	resp.Body = &guardedBody{
		ReadCloser: resp.Body, ctx: ctx, cancel: cancel, idle: g.idle,
		timer: time.AfterFunc(g.idle, func() { cancel(errIdle) }),
	}
	return resp, nil
}

type guardedBody struct {
	io.ReadCloser
	ctx    context.Context //nolint:containedctx // it is the request's, which lives as long as its body
	cancel context.CancelCauseFunc
	idle   time.Duration
	timer  *time.Timer
}

func (b *guardedBody) Read(p []byte) (int, error) {
	b.timer.Reset(b.idle)
	n, err := b.ReadCloser.Read(p)
	// Whoever reads may take long over what was read; that is not idleness of the server.
	b.timer.Stop()
	if err != nil && !errors.Is(err, io.EOF) && errors.Is(context.Cause(b.ctx), errIdle) {
		err = errIdle
	}
	return n, err
}

func (b *guardedBody) Close() error {
	b.timer.Stop()
	err := b.ReadCloser.Close()
	b.cancel(nil)
	return err
}

// retrying repeats requests that failed for a reason that may pass.
type retrying struct {
	inner http.RoundTripper
	wait  time.Duration
	tries int
}

// maxRetryAfter is the longest that a server may make us wait by Retry-After.
const maxRetryAfter = 30 * time.Second

func (r *retrying) RoundTrip(req *http.Request) (*http.Response, error) {
	// Token requests are POST; they have a body that can be got again.
	repeatable := req.Body == nil || req.Body == http.NoBody || req.GetBody != nil
	wait := r.wait
	for try := 1; ; try++ {
		resp, err := r.inner.RoundTrip(req)
		if !repeatable || try >= r.tries || !mayPass(resp, err) {
			return resp, err
		}
		pause := wait + rand.N(wait/4+1) //nolint:gosec // jitter, no secret
		if resp != nil {
			pause = max(pause, retryAfter(resp))
			// Read on, so that the connection is kept.
			_, _ = io.CopyN(io.Discard, resp.Body, 64<<10)
			_ = resp.Body.Close()
		}
		if err := sleep(req.Context(), pause); err != nil {
			return nil, err
		}
		wait *= 3
		if req.GetBody != nil {
			body, err := req.GetBody()
			if err != nil {
				return nil, err
			}
			req = req.Clone(req.Context())
			req.Body = body
		}
	}
}

// mayPass says whether a repetition may help. A server that does not answer in
// time or is not there at all is not asked again: that would multiply the wait.
func mayPass(resp *http.Response, err error) bool {
	if err != nil {
		return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) ||
			errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
	}
	switch resp.StatusCode {
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	default:
		return false
	}
}

func retryAfter(resp *http.Response) time.Duration {
	sec, err := strconv.Atoi(resp.Header.Get("Retry-After"))
	if err != nil || sec < 0 {
		return 0
	}
	return min(time.Duration(sec)*time.Second, maxRetryAfter)
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return nil
	}
}

// plainGuard refuses to speak plain HTTP to a host that the user did not call
// insecure. The registry library would fall back to it for private addresses,
// and credentials would go over the wire unprotected.
type plainGuard struct {
	inner http.RoundTripper
	allow bool
}

func (g *plainGuard) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme == "http" && !g.allow && !isLoopback(req.URL.Hostname()) {
		return nil, fmt.Errorf("%s speaks no TLS that can be trusted; if plain HTTP is right there, name it as an insecure registry", req.URL.Host)
	}
	return g.inner.RoundTrip(req)
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// checkRedirect bounds where a registry may send us. Blobs are often served by
// another host, so another host as such is fine; credentials are never sent
// along, since the authenticating transport adds them for the registry's host
// alone. What is refused is the way from a public name into the network that
// postscan stands in: cloud metadata services, and private addresses.
func checkRedirect(req *http.Request, via []*http.Request) error {
	if len(via) >= 10 {
		return errors.New("more than 10 redirects")
	}
	first := via[0].URL
	if first.Scheme == "https" && req.URL.Scheme != "https" {
		return fmt.Errorf("refusing the redirect from https to %s on %s", req.URL.Scheme, req.URL.Host)
	}
	from, to := net.ParseIP(first.Hostname()), net.ParseIP(req.URL.Hostname())
	if to == nil || req.URL.Hostname() == first.Hostname() {
		return nil
	}
	inside := func(ip net.IP) bool { return ip.IsLoopback() || ip.IsPrivate() || ip.IsUnspecified() }
	if to.IsLinkLocalUnicast() || to.IsLinkLocalMulticast() || inside(to) && (from == nil || !inside(from)) {
		return fmt.Errorf("refusing the redirect from %s to the internal address %s", first.Host, req.URL.Host)
	}
	return nil
}

// onceValue makes a value once; a failed making is tried again by the next caller.
type onceValue[T any] struct {
	mu   sync.Mutex
	done bool
	val  T
}

func (o *onceValue[T]) get(makeIt func() (T, error)) (T, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.done {
		return o.val, nil
	}
	v, err := makeIt()
	if err != nil {
		return v, err
	}
	o.val, o.done = v, true
	return v, nil
}
