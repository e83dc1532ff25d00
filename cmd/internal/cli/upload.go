package cli

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/pflag"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/report"
)

// uploadFlags say where the report of a scan goes beside files.
type uploadFlags struct {
	url       string
	tokenFile string
	transport http.RoundTripper // how it is sent; http.DefaultTransport where nil
}

// uploadToken is the variable that holds the token.
const uploadToken = envPrefix + "UPLOAD_TOKEN"

func (f *uploadFlags) define(fs *pflag.FlagSet) {
	fs.StringVar(&f.url, "upload", "", "also send the report to this `URL` of postscan audit serve: https://HOST/api/v1/uploads/AUDIT; the token is in "+uploadToken)
	fs.StringVar(&f.tokenFile, "upload-token-file", "", "or in this `FILE`")
}

// Attempts of an upload, and the wait before the second; it doubles.
const (
	uploadAttempts = 4
	uploadWait     = 2 * time.Second
)

// open checks the flags before anything is scanned, and returns the token.
func (f *uploadFlags) open(a *app) (string, error) {
	if f.url == "" {
		return "", nil
	}
	u, err := url.Parse(f.url)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || !strings.Contains(u.Path, "/api/v1/uploads/") {
		return "", usage(errors.New("--upload: write it as https://HOST/api/v1/uploads/AUDIT"))
	}
	if host := u.Hostname(); u.Scheme == "http" && host != "localhost" && host != "127.0.0.1" && host != "::1" {
		return "", usage(fmt.Errorf("--upload: the token would go to %s in clear; use https", host))
	}
	token := a.env.Getenv(uploadToken)
	if f.tokenFile != "" {
		b, err := os.ReadFile(f.tokenFile)
		if err != nil {
			return "", usage(fmt.Errorf("--upload-token-file: %w", err))
		}
		token = strings.TrimSpace(string(b))
	}
	if token == "" {
		return "", usageHint(errors.New("--upload needs a token"), "put it in "+uploadToken+" or --upload-token-file; postscan audit token create --role upload makes one")
	}
	return token, nil
}

// send uploads the report. One that is sent again, for the answer was lost, is
// stored once: it keeps its name.
func (f *uploadFlags) send(ctx context.Context, a *app, token string, rep *scanner.Report) error {
	if f.url == "" {
		return nil
	}
	var body bytes.Buffer
	z := gzip.NewWriter(&body)
	if err := errors.Join(report.JSON(z, rep, report.Options{}), z.Close()); err != nil {
		return fmt.Errorf("pack the report to upload it: %w", err)
	}
	name, err := uuid.NewV7()
	if err != nil {
		return err
	}
	address := strings.TrimSuffix(f.url, "/") + "/" + name.String()
	client := &http.Client{Transport: f.transport, Timeout: 5 * time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	wait := uploadWait
	for attempt := 1; ; attempt++ {
		again, err := put(ctx, client, address, token, body.Bytes())
		if err == nil {
			return nil
		}
		if !again || attempt == uploadAttempts {
			return fmt.Errorf("upload the report: %w", err)
		}
		a.log.Warn("the report could not be uploaded, trying again", "error", err.Error(), "after", wait)
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return ctx.Err()
		}
		wait *= 2
	}
}

// put sends it once. again says whether another attempt may do better: what the
// server refuses, and a certificate that nobody vouches for, stay what they are.
func put(ctx context.Context, client *http.Client, address, token string, body []byte) (again bool, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, address, bytes.NewReader(body))
	if err != nil {
		return false, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Content-Encoding", "gzip")
	resp, err := client.Do(req)
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.As(err, &certificate):
		return false, fmt.Errorf("%w; where it is of an authority of your own, set SSL_CERT_DIR to a folder that holds the authority's certificate", err)
	case errors.Is(err, http.ErrSchemeMismatch):
		return false, fmt.Errorf("%w; it speaks no HTTPS there", err)
	case err != nil:
		return ctx.Err() == nil, err
	}
	defer func() { _ = resp.Body.Close() }() // its answer is read below
	if resp.StatusCode == http.StatusOK {
		return false, nil
	}
	var answer struct{ Error string }
	if err := json.NewDecoder(io.LimitReader(resp.Body, 16<<10)).Decode(&answer); err != nil || answer.Error == "" {
		answer.Error = "no reason is given"
	}
	err = fmt.Errorf("the server answers %s: %s", resp.Status, oneLine(answer.Error))
	if next := refusal(resp); next != "" {
		err = fmt.Errorf("%w; %s", err, next)
	}
	return resp.StatusCode >= 500 || resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode == http.StatusRequestTimeout, err
}

// refusal says what to do about an answer that will not change by itself; empty where
// there is nothing to say.
func refusal(resp *http.Response) string {
	switch resp.StatusCode {
	case http.StatusUnauthorized:
		return "make another token: postscan audit token create NAME --role upload --audit AUDIT"
	case http.StatusForbidden:
		return "the token must be of the role upload, and for the audit in the address"
	case http.StatusNotFound:
		return "write the address as https://HOST/api/v1/uploads/AUDIT, with an audit of the server whose target is upload"
	case http.StatusRequestEntityTooLarge:
		return "scan less at a time, or raise --max-upload of the server and what a proxy in front of it lets through"
	}
	if resp.StatusCode >= 300 && resp.StatusCode < 400 {
		return "it sends the upload elsewhere, which is not followed with a token: write that address"
	}
	return ""
}
