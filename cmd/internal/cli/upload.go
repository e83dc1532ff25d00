package cli

import (
	"bytes"
	"compress/gzip"
	"context"
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
	client := &http.Client{Timeout: 5 * time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
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

// put sends it once. again says whether another attempt may do better.
func put(ctx context.Context, client *http.Client, address, token string, body []byte) (again bool, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, address, bytes.NewReader(body))
	if err != nil {
		return false, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Content-Encoding", "gzip")
	resp, err := client.Do(req)
	if err != nil {
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
	return resp.StatusCode >= 500 || resp.StatusCode == http.StatusTooManyRequests, fmt.Errorf("the server answers %s: %s", resp.Status, oneLine(answer.Error))
}
