package web

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/audit"
	"github.com/postscan/postscan/scanner/facts"
)

// markup is a name that would run script in a page that did not escape it.
const markup = `<script>alert(1)</script><img src=x onerror=alert(1)>"'`

// testServer is a server with one audit that was run twice, and one for uploads.
func testServer(t *testing.T, change func(*Options)) (*httptest.Server, *audit.Store) {
	t.Helper()
	s, err := audit.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "h.db"), audit.Options{
		Encode: func(w io.Writer, r *scanner.Report) error { return json.NewEncoder(w).Encode(r) },
		Decode: decode,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	if err := s.Configure(t.Context(), []audit.Audit{{Name: "web", Target: audit.TargetSpec{VM: &audit.VMSpec{}}}, {Name: "remote", Target: audit.TargetSpec{Upload: &audit.UploadSpec{}}}}); err != nil {
		t.Fatal(err)
	}
	record(t, s, testReport("a", markup))
	record(t, s, testReport(markup, "b"))
	return serve(t, s, change), s
}

// emptyServer is a server that nothing is configured for.
func emptyServer(t *testing.T) *httptest.Server {
	t.Helper()
	s, err := audit.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "h.db"), audit.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return serve(t, s, nil)
}

func serve(t *testing.T, s *audit.Store, change func(*Options)) *httptest.Server {
	t.Helper()
	o := Options{Store: s, Open: true, Version: "test", Now: time.Now, Log: slog.New(slog.NewTextHandler(t.Output(), nil)), Decode: func(b []byte) (*scanner.Report, error) { return decode(bytes.NewReader(b)) }}
	if change != nil {
		change(&o)
	}
	h, err := New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return srv
}

func decode(r io.Reader) (*scanner.Report, error) {
	var rep scanner.Report
	return &rep, json.NewDecoder(r).Decode(&rep)
}

func testReport(keys ...string) *scanner.Report {
	rule := &scanner.Rule{ID: "PS-VM-001", Title: "Secure Boot is off", Severity: scanner.SeverityHigh, References: []scanner.Reference{{Framework: "isolation", Control: "W2"}, {Framework: "url", Control: "javascript:alert(1)"}}}
	r := &scanner.Report{
		Schema: scanner.ReportSchema,
		Run:    scanner.Run{Complete: true, Params: map[string]any{}, Targets: []facts.Target{{Kind: "vm", Ref: "host" + markup, Identity: "machine-1"}}},
		Checks: []scanner.CheckCount{{Rule: rule}},
	}
	for _, k := range keys {
		r.Findings = append(r.Findings, scanner.Finding{
			Rule: rule, Severity: rule.Severity, Target: "host" + markup, Resource: scanner.ResourceRef{Kind: facts.KindVM, ID: "host" + markup},
			Message: "broken " + k, Key: k, Fingerprint: scanner.Fingerprint(rule.ID, "machine-1", "vm", k), Evidence: []scanner.Evidence{{Path: "x", Value: markup}},
		})
	}
	return r
}

// get fetches a page and returns its code and body.
func get(t *testing.T, c *http.Client, address string, header ...string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return do(t, c, req)
}

func do(t *testing.T, c *http.Client, req *http.Request) (int, string) {
	t.Helper()
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

func TestPagesAndAPI(t *testing.T) {
	srv, s := testServer(t, nil)
	runs, err := s.Runs(t.Context(), "web", "", 0)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"/": "Changed in the last seven days", "/audits/web": "Run now", "/runs/" + runs[0].ID: "What it changed", "/targets/1": "Open findings",
		"/findings?severity=high&q=broken": "PS-VM-001", "/findings/1": "This run", "/frameworks": "isolation", "/frameworks/isolation": "W2", "/static/style.css": ":root",
		"/metrics": `postscan_findings{audit="web",severity="high"} 2`, "/healthz": "ok", "/readyz": "ok",
		"/api/v1/overview": `"high":2`, "/api/v1/audits/web": `"name":"web"`, "/api/v1/audits/web/runs": runs[1].ID, "/api/v1/runs/" + runs[0].ID: `"state":"done"`,
		"/api/v1/runs/" + runs[0].ID + "/report": `"PS-VM-001"`, "/api/v1/targets": `"machine-1"`, "/api/v1/findings?standing=fixed": `"broken a"`, "/api/v1/findings/1": `"changes"`,
		"/api/v1/diff": `"new"`, "/api/v1/trend": `"points"`,
	} {
		code, body := get(t, srv.Client(), srv.URL+path)
		if code != http.StatusOK || !strings.Contains(strings.ToLower(body), strings.ToLower(want)) {
			t.Errorf("%s: %d, without %q:\n%.600s", path, code, want, body)
		}
		if strings.Contains(body, "<script>alert") || strings.Contains(body, "<img src=x") || strings.Contains(body, `href="javascript:`) {
			if !strings.HasPrefix(path, "/api/") && path != "/metrics" {
				t.Errorf("%s holds markup of a report", path)
			}
		}
	}
	for path, want := range map[string]int{
		"/audits/none": 404, "/runs/none": 404, "/targets/99": 404, "/findings/99": 404, "/findings/x": 404, "/frameworks/none": 404, "/none": 404,
		"/findings?severity=bad": 400, "/findings?after=x": 400, "/api/v1/findings?standing=x": 400, "/api/v1/diff?from=x": 400, "/api/v1/none": 404, "/api/v1/audits/none/runs": 404,
	} {
		if code, body := get(t, srv.Client(), srv.URL+path); code != want {
			t.Errorf("%s: %d, want %d: %.300s", path, code, want, body)
		}
	}
}

func TestAccess(t *testing.T) {
	srv, s := testServer(t, func(o *Options) { o.Open = false })
	secret := map[audit.Role]string{}
	ids := map[audit.Role]string{}
	for role, name := range map[audit.Role]string{audit.Viewer: "", audit.Operator: "", audit.Uploader: "remote"} {
		token, text, err := s.NewToken(t.Context(), "test "+string(role), role, name, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		secret[role], ids[role] = text, token.ID
	}
	none := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for path, want := range map[string]int{"/": 303, "/findings": 303, "/api/v1/overview": 401, "/metrics": 401, "/healthz": 200, "/login": 200, "/api/v1/openapi.json": 200} {
		if code, _ := get(t, none, srv.URL+path); code != want {
			t.Errorf("nobody at %s: %d, want %d", path, code, want)
		}
	}
	for role, want := range map[audit.Role]int{audit.Viewer: 200, audit.Operator: 200, audit.Uploader: 403} {
		if code, _ := get(t, none, srv.URL+"/api/v1/overview", "Authorization", "Bearer "+secret[role]); code != want {
			t.Errorf("%s: %d, want %d", role, code, want)
		}
	}
	post := func(role audit.Role) int {
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL+"/api/v1/audits/web/runs", nil) // the address is well-formed
		req.Header.Set("Authorization", "Bearer "+secret[role])
		code, _ := do(t, none, req)
		return code
	}
	if v, o := post(audit.Viewer), post(audit.Operator); v != 403 || o != 202 {
		t.Errorf("run: viewer %d, operator %d", v, o)
	}

	jar, _ := cookiejar.New(nil) // never fails
	browser := &http.Client{Jar: jar}
	form := func(path string, values url.Values, header ...string) (int, string) {
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL+path, strings.NewReader(values.Encode())) // likewise
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		for i := 0; i+1 < len(header); i += 2 {
			req.Header.Set(header[i], header[i+1])
		}
		return do(t, browser, req)
	}
	if code, _ := form("/login", url.Values{"token": {"wrong"}}); code != 401 {
		t.Errorf("a wrong token: %d", code)
	}
	if code, body := form("/login", url.Values{"token": {secret[audit.Operator]}}); code != 200 || !strings.Contains(body, "Overview") {
		t.Errorf("login: %d", code)
	}
	if code, _ := form("/audits/web/run", nil, "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"); code != 403 {
		t.Errorf("a form of another site: %d", code)
	}
	if code, _ := form("/audits/web/run", nil); code != 200 {
		t.Errorf("a form of our own: %d", code)
	}
	if err := s.Revoke(t.Context(), ids[audit.Operator]); err != nil {
		t.Fatal(err)
	}
	if _, body := get(t, browser, srv.URL+"/"); !strings.Contains(body, "Log in") {
		t.Error("the session outlives its token")
	}
}

func TestUpload(t *testing.T) {
	srv, s := testServer(t, func(o *Options) { o.Open = false; o.MaxUpload = 100_000 })
	_, secret, err := s.NewToken(t.Context(), "cron", audit.Uploader, "remote", 0)
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(testReport("a"))
	if err != nil {
		t.Fatal(err)
	}
	put := func(name, id string, body []byte) (int, string) {
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodPut, srv.URL+"/api/v1/uploads/"+name+"/"+id, bytes.NewReader(body)) // the address is well-formed
		req.Header.Set("Authorization", "Bearer "+secret)
		return do(t, srv.Client(), req)
	}
	id := uuid.NewString()
	for range 2 { // the second time it is there already
		if code, body := put("remote", id, data); code != 200 || !strings.Contains(body, `"new":1`) {
			t.Errorf("%d %s", code, body)
		}
	}
	if runs, err := s.Runs(t.Context(), "remote", "", 0); err != nil || len(runs) != 1 {
		t.Errorf("%d runs, %v", len(runs), err)
	}
	for name, c := range map[string]struct {
		audit, id string
		body      []byte
		want      int
	}{
		"another audit": {"web", uuid.NewString(), data, 403}, "no id": {"remote", "x", data, 400}, "no report": {"remote", uuid.NewString(), []byte("hello"), 400}, "too large": {"remote", uuid.NewString(), bytes.Repeat([]byte(" "), 200_000), 413},
	} {
		if code, body := put(c.audit, c.id, c.body); code != c.want {
			t.Errorf("%s: %d %s", name, code, body)
		}
	}
}
