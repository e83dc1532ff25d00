package cluster

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/postscan/postscan/scanner/facts"
)

// tries is how often a request is made before it is given up.
const tries = 5

// retry makes a request until it succeeds, cannot succeed, or patience ends. It
// waits longer each time, and as long as the server asks where it does.
// client-go itself repeats requests that carry a Retry-After header; here are
// the others: 429 and 5xx without one, and connections that break.
func (s *session) retry(ctx context.Context, what string, request func(context.Context) error) error {
	wait := 200 * time.Millisecond
	for n := 1; ; n++ {
		err := request(ctx)
		if err == nil || ctx.Err() != nil || n == tries || !passing(err) {
			if err != nil && ctx.Err() != nil {
				return context.Cause(ctx)
			}
			return err
		}
		pause := wait
		if seconds, ok := apierrors.SuggestsClientDelay(err); ok && seconds > 0 {
			pause = min(time.Duration(seconds)*time.Second, 10*time.Second)
		}
		s.opts.Log.Debug("the request is made again", "what", what, "try", n, "wait", pause, "error", err)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		wait *= 2
	}
}

// passing says whether an error may be gone at the next try.
func passing(err error) bool {
	var status apierrors.APIStatus
	if errors.As(err, &status) {
		code := status.Status().Code
		return code == http.StatusTooManyRequests || code >= 500 && code != http.StatusNotImplemented
	}
	text := err.Error()
	var untrusted *tls.CertificateVerificationError
	if errors.As(err, &untrusted) || strings.Contains(text, pluginFailed) {
		return false
	}
	var netErr net.Error
	if errors.As(err, &netErr) {
		return true
	}
	return strings.Contains(text, "EOF") || strings.Contains(text, "connection reset") || strings.Contains(text, "connection refused") || strings.Contains(text, "http2: ")
}

// pluginFailed is how client-go begins the error of an exec plugin, which has no
// type of its own.
const pluginFailed = "getting credentials: "

// plainError leaves out of an error of the network the request that it is
// about, and puts the many lines that client-go makes of a plugin's into one.
func plainError(err error) error {
	var request *url.Error
	if errors.As(err, &request) {
		err = request.Err
	}
	if !strings.Contains(err.Error(), pluginFailed) {
		return err
	}
	return errors.New(strings.Join(strings.Fields(err.Error()), " "))
}

// impatient lets a request end with its context even where what it waits for
// does not know the context: client-go runs exec plugins without one.
type impatient struct{ http.RoundTripper }

// RoundTrip implements [http.RoundTripper].
func (t impatient) RoundTrip(req *http.Request) (*http.Response, error) {
	type answer struct {
		resp *http.Response
		err  error
	}
	got := make(chan answer, 1)
	go func() {
		resp, err := t.RoundTripper.RoundTrip(req) //nolint:bodyclose // whoever receives it closes it
		got <- answer{resp, err}
	}()
	select {
	case a := <-got:
		return a.resp, a.err
	case <-req.Context().Done():
	}
	go func() {
		if a := <-got; a.err == nil {
			_ = a.resp.Body.Close()
		}
	}()
	return nil, context.Cause(req.Context())
}

// denied says whether the server knows the caller's request and refuses it.
func denied(err error) bool { return apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err) }

// missing says in plain words why something could not be seen.
func missing(what string, err error) facts.Missing {
	m := facts.Missing{Status: facts.Unknown}
	switch {
	case apierrors.IsForbidden(err):
		m.Reason = fmt.Sprintf("the credentials may not list %s; grant the verb list on it (see docs/deploy)", what)
	case apierrors.IsUnauthorized(err):
		m.Reason = fmt.Sprintf("the server did not accept the credentials when asked for %s; log in again", what)
	case apierrors.IsNotFound(err):
		m.Reason = fmt.Sprintf("the server is too old to offer %s", what)
	case errors.Is(err, context.DeadlineExceeded):
		m.Reason = fmt.Sprintf("the request for %s was not answered in time; raise the time-out", what)
	default:
		m.Reason = fmt.Sprintf("the server did not answer the request for %s: %s", what, plainError(err))
	}
	return m
}
