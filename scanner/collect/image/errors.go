package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"
	"syscall"
	"unicode"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// What can be wrong with a reference or an image. Errors of this package wrap
// one of these where somebody may want to decide on it.
var (
	// ErrNotFound: the registry, engine or archive has no such image.
	ErrNotFound = errors.New("no such image")
	// ErrUnauthorized: the registry wants credentials, or other ones.
	ErrUnauthorized = errors.New("not authorized")
	// ErrNotImage: it is there, but it is no container image (a Helm chart, another artifact).
	ErrNotImage = errors.New("not a container image")
	// ErrMediaType: a media type that postscan does not know.
	ErrMediaType = errors.New("unknown media type")
	// ErrPlatform: the image is not there for the wanted platform.
	ErrPlatform = errors.New("no such platform")
	// ErrDigest: content is not what its digest says.
	ErrDigest = errors.New("wrong digest")
	// ErrTruncated: content ends too early.
	ErrTruncated = errors.New("truncated")
	// ErrCorrupt: content cannot be decoded as what it claims to be.
	ErrCorrupt = errors.New("corrupt")
	// ErrLimit: a limit of [Limits] was passed.
	ErrLimit = errors.New("limit passed")
	// ErrBlocked: registries.conf blocks the registry.
	ErrBlocked = errors.New("registry is blocked")
	// ErrUsage: the options contradict each other or name something impossible.
	ErrUsage = errors.New("usage")
	// errIdle ends a connection on which nothing arrives.
	errIdle = errors.New("the server stopped sending")
)

// guard turns a panic into an error: one image that a parser chokes on does not
// end the scan of the others.
func guard(log *slog.Logger, f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			log.Error("a fault in postscan, please report it", "fault", p, "stack", string(debug.Stack()))
			err = fmt.Errorf("a fault in postscan, please report it with its log: %s", plain(fmt.Sprint(p)))
		}
	}()
	return f()
}

// redact makes an error of the HTTP client fit for people: it names what
// failed, and drops the query and the user from addresses, since signed
// addresses and passwords stand there.
func redact(err error) error {
	var clean *cleanError
	if err == nil || errors.As(err, &clean) {
		return err
	}
	var ue *url.Error
	if errors.As(err, &ue) {
		return &cleanError{text: fmt.Sprintf("%s %s: %s", strings.ToUpper(ue.Op), cleanURL(ue.URL), reason(ue.Err)), cause: ue.Err}
	}
	var te *transport.Error
	if errors.As(err, &te) {
		return httpError(te)
	}
	return err
}

// cleanError is an error whose text is not made of its cause's.
type cleanError struct {
	text   string
	cause  error
	status int // of HTTP; 0 where there was no answer
}

func (e *cleanError) Error() string { return e.text }
func (e *cleanError) Unwrap() error { return e.cause }

// cleanURL returns the address without user, query and fragment.
func cleanURL(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "an address that cannot be parsed"
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return u.String()
}

// reason says in plain words why a request got no answer.
func reason(err error) string {
	var dns *net.DNSError
	var ne net.Error
	var op *net.OpError
	switch {
	case errors.As(err, &op) && op.Op == "proxyconnect":
		return "no way through the proxy that HTTPS_PROXY or HTTP_PROXY names: " + reason(op.Err)
	case errors.Is(err, errIdle):
		return errIdle.Error()
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused; is it running there?"
	case errors.As(err, &dns) && dns.IsNotFound:
		return fmt.Sprintf("no host is named %q", dns.Name)
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &ne) && ne.Timeout():
		return "no answer in time"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the server closed the connection"
	}
	var inner *url.Error
	if errors.As(err, &inner) {
		return cleanURL(inner.URL) + ": " + reason(inner.Err)
	}
	return plain(err.Error())
}

// httpError turns a registry's answer into a typed error.
func httpError(te *transport.Error) error {
	var said []string
	for _, d := range te.Errors {
		said = append(said, plain(strings.TrimSpace(string(d.Code)+" "+d.Message)))
	}
	text := fmt.Sprintf("status %d %s", te.StatusCode, http.StatusText(te.StatusCode))
	if len(said) > 0 {
		text += " (" + strings.Join(said, "; ") + ")"
	}
	if te.Request != nil {
		text = te.Request.Method + " " + cleanURL(te.Request.URL.String()) + ": " + text
	}
	switch te.StatusCode {
	case http.StatusNotFound:
		return &cleanError{text: text, cause: ErrNotFound, status: te.StatusCode}
	case http.StatusUnauthorized, http.StatusForbidden:
		text += "; if it is there, log in with docker login, or give --username and --password-stdin"
		return &cleanError{text: text, cause: ErrUnauthorized, status: te.StatusCode}
	case http.StatusTooManyRequests:
		text += "; the registry limits how often it may be asked: log in, use a mirror, or come back later"
		return &cleanError{text: text, status: te.StatusCode}
	default:
		return &cleanError{text: text, status: te.StatusCode}
	}
}

// plain takes control characters and excess length from a text that a server sent.
func plain(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
	const most = 300
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}
