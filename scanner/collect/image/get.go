package image

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
)

// Get opens a file on a web server, with the same authorities, proxies and
// time-outs as registries, and no credentials. Plain HTTP is for loopback and for
// hosts that the user called insecure. The caller closes the body.
func (r *Registry) Get(ctx context.Context, url string) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", cleanURL(url), redact(err))
	}
	transport := r.secure
	if slices.Contains(r.conf.insecure, req.URL.Host) {
		transport = r.insecure
	}
	resp, err := (&http.Client{Transport: transport, CheckRedirect: checkRedirect}).Do(req)
	if err != nil {
		return nil, redact(err)
	}
	if resp.StatusCode != http.StatusOK {
		_ = resp.Body.Close() // the status is what went wrong
		return nil, fmt.Errorf("get %s: %s", cleanURL(url), resp.Status)
	}
	return resp.Body, nil
}
