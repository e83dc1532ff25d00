package cli

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/postscan/postscan/scanner"
)

// An upload that the server refuses, or whose server nobody vouches for, ends at the
// first attempt and says what to do. One that may do better is sent again.
func TestUploadEndsWhereNoAttemptHelps(t *testing.T) {
	for name, c := range map[string]struct {
		code     int
		attempts int64
		want     string
	}{
		"unauthorized": {401, 1, "make another token"},
		"forbidden":    {403, 1, "role upload"},
		"nowhere":      {404, 1, "/api/v1/uploads/AUDIT"},
		"too large":    {413, 1, "--max-upload"},
		"moved":        {307, 1, "write that address"},
		"bad request":  {400, 1, "because"},
		"broken":       {500, 4, "because"},
		"busy":         {429, 4, "because"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // the pauses between attempts take no time
				var attempts atomic.Int64
				srv := handlerTransport(func(w http.ResponseWriter, _ *http.Request) {
					attempts.Add(1)
					w.Header().Set("Location", "https://elsewhere.example/")
					w.WriteHeader(c.code)
					_, _ = w.Write([]byte(`{"error": "because"}`)) // who hangs up does not care
				})
				a := &app{log: slog.New(slog.DiscardHandler)}
				f := uploadFlags{url: "https://postscan.example/api/v1/uploads/cluster", transport: srv}
				err := f.send(t.Context(), a, "secret", &scanner.Report{})
				if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "secret") {
					t.Errorf("the error %v does not say %q", err, c.want)
				}
				if n := attempts.Load(); n != c.attempts {
					t.Errorf("%d attempts, want %d", n, c.attempts)
				}
			})
		})
	}
}

// handlerTransport answers requests by a handler, without a network.
type handlerTransport http.HandlerFunc

func (h handlerTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	h(w, r)
	return w.Result(), nil
}

func TestUploadToAnUntrustedServer(t *testing.T) {
	var asked atomic.Int64
	handler := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) })
	unknown := httptest.NewTLSServer(handler)
	defer unknown.Close()
	unknown.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	plain := httptest.NewServer(handler)
	defer plain.Close()
	for address, want := range map[string]string{unknown.URL: "SSL_CERT_DIR", strings.Replace(plain.URL, "http:", "https:", 1): "no HTTPS"} {
		a := &app{log: slog.New(slog.DiscardHandler)}
		f := uploadFlags{url: address + "/api/v1/uploads/cluster"}
		if err := f.send(t.Context(), a, "secret", &scanner.Report{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", address, err, want)
		}
	}
	if asked.Load() != 0 {
		t.Error("a report went to a server that nobody vouches for")
	}
}
