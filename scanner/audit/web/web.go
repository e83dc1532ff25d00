// Package web serves the history of audits: pages for people, an API for programs,
// metrics for monitoring, and the place where reports are uploaded.
//
// Pages are made on the server and work without script. Nothing is fetched from
// elsewhere. Everything from a report is text to the pages: html/template escapes
// it, and the Content-Security-Policy allows no script but the one file of ours.
package web

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"runtime/debug"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"golang.org/x/time/rate"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/audit"
)

//go:embed static
var staticFiles embed.FS

// Options are what the server needs.
type Options struct {
	Store *audit.Store
	// Decode reads a report that is uploaded.
	Decode func([]byte) (*scanner.Report, error)
	// Open lets everybody in as operator: for a server that listens on loopback alone. It
	// answers under names of loopback alone, for a stranger's name may point there too.
	Open bool
	// Proxied says that a proxy in front, which alone reaches the server, tells who asks
	// in X-Forwarded-For.
	Proxied bool
	// Provider logs people in; nil where tokens are the only way.
	Provider *Provider
	// Secure marks cookies as for HTTPS alone.
	Secure bool
	// MaxUpload bounds an upload in bytes, before and after it is unpacked; 256 MiB where 0.
	MaxUpload int64
	Version   string
	Now       func() time.Time
	Log       *slog.Logger
}

// server is the handler.
type server struct {
	Options
	pages    *pages
	sessions *sessions
	limits   *limits
	glance   *fresh[*glance]
	promises *fresh[[]audit.Promise]
	uploads  chan struct{} // one for each upload that is read at the same time
}

const defaultMaxUpload = 256 << 20

// New returns the handler of the whole server.
func New(ctx context.Context, o Options) (http.Handler, error) {
	if o.MaxUpload <= 0 {
		o.MaxUpload = defaultMaxUpload
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	key, err := o.Store.SessionKey(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the key of sessions: %w", err)
	}
	p, err := newPages()
	if err != nil {
		return nil, err
	}
	s := &server{Options: o, pages: p, sessions: &sessions{key: key, secure: o.Secure, now: o.Now}, limits: newLimits(), uploads: make(chan struct{}, parallelUploads)}
	s.glance, s.promises = newFresh(s.look), newFresh(o.Store.Promises)
	static, err := fs.Sub(staticFiles, "static")
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	// For machines that watch the server.
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) }) // who hangs up does not care
	mux.HandleFunc("GET /readyz", s.ready)
	mux.Handle("GET /metrics", s.need(audit.Viewer, s.metrics()))
	mux.Handle("GET /static/", http.StripPrefix("/static/", cached(http.FileServerFS(static))))
	// For people.
	mux.HandleFunc("GET /login", s.loginPage)
	mux.HandleFunc("POST /login", s.login)
	mux.HandleFunc("POST /logout", s.logout)
	if o.Provider != nil {
		mux.HandleFunc("GET /login/provider", s.toProvider)
		mux.HandleFunc("GET /login/callback", s.fromProvider)
	}
	for pattern, page := range map[string]func(*http.Request) (string, any, error){
		"GET /{$}": s.overviewPage, "GET /audits/{name}": s.auditPage, "GET /runs/{id}": s.runPage, "GET /targets/{id}": s.targetPage,
		"GET /findings": s.findingsPage, "GET /findings/{id}": s.findingPage, "GET /frameworks": s.frameworksPage, "GET /frameworks/{id}": s.frameworkPage,
	} {
		mux.Handle(pattern, s.need(audit.Viewer, s.page(page)))
	}
	mux.Handle("POST /audits/{name}/run", s.need(audit.Operator, http.HandlerFunc(s.runNow)))
	s.api(mux)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { s.problem(w, r, errNotFound) })
	// Forms and the API's writes from other sites are refused by what browsers say of their origin.
	protect := http.NewCrossOriginProtection()
	protect.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.fail(w, r, http.StatusForbidden, "this was sent by the page of another site")
	}))
	return s.headers(s.recovered(s.limited(s.addressed(protect.Handler(mux))))), nil
}

// maxQuery bounds what is asked for in an address, in bytes.
const maxQuery = 4 << 10

// addressed refuses what no address here holds: a stranger's name for loopback, and
// text that no database keeps.
func (s *server) addressed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		query, err := url.QueryUnescape(r.URL.RawQuery)
		text := r.URL.Path + query
		switch {
		case s.Open && !loopback(r.Host):
			s.fail(w, r, http.StatusMisdirectedRequest, "this server answers as localhost alone; to be reached under another name it needs --behind-tls or --tls-cert, and a login")
		case err != nil || len(r.URL.RawQuery) > maxQuery || !utf8.ValidString(text) || strings.Contains(text, "\x00"):
			s.fail(w, r, http.StatusBadRequest, "the address is too long, or is no text")
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// loopback says whether the host of a request, with or without a port, names this machine.
func loopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.Trim(host, "[]")
	ip, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && ip.IsLoopback()
}

// wrote is called by whatever wrote into the history.
func (s *server) wrote() {
	s.glance.wrote()
	s.promises.wrote()
}

// recovered turns a panic into an answer, and keeps the server.
func (s *server) recovered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if p := recover(); p != nil && !errors.Is(asError(p), http.ErrAbortHandler) {
				s.Log.Error("a request panicked", "method", r.Method, "path", r.URL.Path, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
				s.fail(w, r, http.StatusInternalServerError, "something went wrong here; the log of the server says what")
			}
		}()
		next.ServeHTTP(w, r)
	})
}

func asError(p any) error {
	err, _ := p.(error) // nil for what is no error
	return err
}

// headers sets what every answer has.
func (s *server) headers(next http.Handler) http.Handler {
	const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin") // no-referrer would take the origin from our own forms too
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
		h.Set("Cache-Control", "no-store")
		if s.Secure {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}

// cached lets browsers keep the embedded files for an hour.
func cached(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=3600")
		next.ServeHTTP(w, r)
	})
}

// limits bound the requests of each client.
type limits struct {
	mu     sync.Mutex
	byHost map[string]*rate.Limiter
	login  map[string]*rate.Limiter
}

// A client has so many requests a second, and so many at once; and far fewer
// attempts to log in. The tables are emptied when they grow large.
const (
	requestRate  = 400
	requestBurst = 800
	loginEvery   = 5 * time.Second
	loginBurst   = 10
	maxClients   = 10_000
)

func newLimits() *limits {
	return &limits{byHost: map[string]*rate.Limiter{}, login: map[string]*rate.Limiter{}}
}

// allow says whether the client may go on.
func (l *limits) allow(table map[string]*rate.Limiter, host string, every rate.Limit, burst int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	lim, ok := table[host]
	if !ok {
		if len(table) >= maxClients {
			clear(table)
		}
		lim = rate.NewLimiter(every, burst)
		table[host] = lim
	}
	return lim.Allow()
}

// client is who asks. What a proxy says counts where there is one; what came before
// its own word anybody may have written.
func (s *server) client(r *http.Request) string {
	if s.Proxied {
		list := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
		if ip, err := netip.ParseAddr(strings.TrimSpace(list[len(list)-1])); err == nil {
			return ip.String()
		}
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

func (s *server) limited(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.limits.allow(s.limits.byHost, s.client(r), requestRate, requestBurst) {
			w.Header().Set("Retry-After", "1")
			s.fail(w, r, http.StatusTooManyRequests, "too many requests; try again in a second")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// ready says whether the database answers.
func (s *server) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
	defer cancel()
	if err := s.Store.Ping(ctx); err != nil {
		s.Log.Error("the database does not answer", "error", err.Error())
		http.Error(w, "the database does not answer", http.StatusServiceUnavailable)
		return
	}
	_, _ = w.Write([]byte("ok\n")) // who hangs up does not care
}

// wantsJSON says whether an answer to the request is for a program.
func wantsJSON(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/api/") }

// fail answers with an error, as the asker can read it.
func (s *server) fail(w http.ResponseWriter, r *http.Request, code int, text string) {
	if wantsJSON(r) {
		s.write(w, code, map[string]any{"error": text})
		return
	}
	s.pages.write(w, s.Log, code, "error", view{Title: http.StatusText(code), Version: s.Version, Data: text, User: s.user(r)})
}

// problem answers with an error of the store.
func (s *server) problem(w http.ResponseWriter, r *http.Request, err error) {
	var bad *badRequest
	switch {
	case r.Context().Err() != nil:
		return // nobody waits for the answer
	case errors.As(err, &bad):
		s.fail(w, r, http.StatusBadRequest, bad.Error())
	case errors.Is(err, errTooLarge):
		s.fail(w, r, http.StatusRequestEntityTooLarge, fmt.Sprintf("the upload is larger than the limit of %d bytes, packed or unpacked; --max-upload raises it", s.MaxUpload))
	case errors.Is(err, audit.ErrUpload):
		s.fail(w, r, http.StatusBadRequest, err.Error())
	case errors.Is(err, audit.ErrNoAudit), errors.Is(err, audit.ErrNoRun), errors.Is(err, errNotFound):
		s.fail(w, r, http.StatusNotFound, err.Error())
	default:
		s.Log.Error("a request failed", "method", r.Method, "path", r.URL.Path, "error", err.Error())
		s.fail(w, r, http.StatusInternalServerError, "something went wrong here; the log of the server says what")
	}
}

// errTooLarge says that an upload is larger than it may be.
var errTooLarge = errors.New("the upload is too large")

var errNotFound = errors.New("there is nothing of that name here")

// badRequest is a mistake of the asker.
type badRequest struct{ text string }

func (b *badRequest) Error() string { return b.text }

func bad(format string, args ...any) error { return &badRequest{fmt.Sprintf(format, args...)} }
