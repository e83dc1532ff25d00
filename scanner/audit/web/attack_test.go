package web

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/postscan/postscan/scanner/audit"
)

// ask sends a request and returns the answer with its body read.
func ask(t *testing.T, c *http.Client, method, address string, body io.Reader, header ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, address, body)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		if header[i] == "Host" {
			req.Host = header[i+1]
		} else {
			req.Header.Set(header[i], header[i+1])
		}
	}
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }() // it was read
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(b)
}

// still is a client that follows no redirect.
func still() *http.Client {
	return &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// routes are all that the API's document describes, and the pages.
func routes(t *testing.T) []string {
	t.Helper()
	var doc struct{ Paths map[string]map[string]any }
	if err := json.Unmarshal(openAPI, &doc); err != nil {
		t.Fatal(err)
	}
	out := []string{"GET /", "GET /audits/web", "GET /runs/RUN", "GET /targets/1", "GET /findings", "GET /findings/1", "GET /frameworks", "GET /frameworks/isolation", "GET /metrics", "POST /audits/web/run"}
	for path, methods := range doc.Paths {
		for method := range methods {
			path := strings.NewReplacer("uploads/{name}/{id}", "uploads/remote/"+uuid.NewString(), "{name}", "web", "/findings/{id}", "/findings/1", "{id}", "RUN").Replace(path)
			out = append(out, strings.ToUpper(method)+" "+path)
		}
	}
	return out
}

// Every route lets in the roles that it is for, and nobody else; and every answer,
// refusals too, has the headers that keep a page from harm.
func TestEveryRouteByRole(t *testing.T) {
	srv, s := testServer(t, func(o *Options) { o.Open = false })
	runs, err := s.Runs(t.Context(), "web", "", 0)
	if err != nil {
		t.Fatal(err)
	}
	secret := map[audit.Role]string{"": ""}
	for role, name := range map[audit.Role]string{audit.Viewer: "", audit.Operator: "", audit.Uploader: "remote"} {
		if _, secret[role], err = s.NewToken(t.Context(), "test", role, name, time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	report, err := json.Marshal(testReport("a"))
	if err != nil {
		t.Fatal(err)
	}
	for _, route := range routes(t) {
		method, path, _ := strings.Cut(strings.ReplaceAll(route, "RUN", runs[0].ID), " ")
		for role, token := range secret {
			// What the role is answered; below 400 it is let in.
			want := http.StatusForbidden
			switch {
			case path == "/api/v1/openapi.json", method == http.MethodGet && (role == audit.Viewer || role == audit.Operator):
				want = http.StatusOK
			case method == http.MethodPost && role == audit.Operator:
				want = map[bool]int{true: http.StatusAccepted, false: http.StatusSeeOther}[strings.HasPrefix(path, "/api/")]
			case method == http.MethodPut && role == audit.Uploader:
				want = http.StatusOK
			case role == "" && (strings.HasPrefix(path, "/api/") || path == "/metrics"):
				want = http.StatusUnauthorized
			case role == "":
				want = http.StatusSeeOther // to the login
			}
			var body io.Reader
			if method == http.MethodPut {
				body = bytes.NewReader(report)
			}
			var header []string
			if role != "" {
				header = []string{"Authorization", "Bearer " + token}
			}
			resp, text := ask(t, still(), method, srv.URL+path, body, header...)
			if resp.StatusCode != want || role == "" && want == http.StatusSeeOther && resp.Header.Get("Location") != "/login" {
				t.Errorf("%s %s as %q: %d, want %d: %.200s", method, path, role, resp.StatusCode, want, text)
			}
			guarded(t, route, resp)
		}
	}
}

// guarded holds an answer to the headers that all have.
func guarded(t *testing.T, name string, resp *http.Response) {
	t.Helper()
	for header, want := range map[string]string{"Content-Security-Policy": "default-src 'none'", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin"} {
		if got := resp.Header.Get(header); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %d with %s %q, want %q", name, resp.StatusCode, header, got, want)
		}
	}
	if got := resp.Header.Get("Cache-Control"); got != "no-store" && !strings.HasPrefix(name, "/static/") {
		t.Errorf("%s may be kept by a browser: %q", name, got)
	}
}

// Addresses that no database keeps, or that lead elsewhere, are refused in order.
func TestOddAddresses(t *testing.T) {
	srv, _ := testServer(t, nil)
	for path, want := range map[string]int{
		"/findings?q=%00": 400, "/findings?q=%ff": 400, "/audits/%00": 400, "/runs/%ff": 400, "/api/v1/findings?audit=%00": 400, "/findings?q=" + strings.Repeat("a", 5000): 400, "/?%zz": 400,
		"/static/../web.go": 404, "/static/%2e%2e/%2e%2e/go.mod": 404, "/api/v1/runs/..%2f..%2fetc%2fpasswd/report": 404, "/nothing": 404, "/api/v2/findings": 404,
		"/findings?q=" + strings.Repeat("a", 500): 200, "/findings?q=" + url.QueryEscape(`%_\"'<>`+"\u202e"): 200, "/findings?severity=high&severity=low&standing=": 200,
		"/findings?limit=1001": 400, "/findings?limit=0": 400, "/findings?limit=-1": 400, "/api/v1/audits/web/runs?limit=1001": 400, "/findings?target=9999999999999999999": 400, "/findings?after=9.": 400,
		"/login?next=https://evil.example/": 200,
	} {
		resp, body := ask(t, still(), http.MethodGet, srv.URL+path, nil)
		if resp.StatusCode == http.StatusMovedPermanently || resp.StatusCode == http.StatusTemporaryRedirect { // a path that is put in order
			resp, body = ask(t, srv.Client(), http.MethodGet, srv.URL+path, nil)
		}
		if resp.StatusCode != want || strings.Contains(body, "evil.example") || strings.Contains(body, "package web") {
			t.Errorf("%.80s: %d, want %d: %.200s", path, resp.StatusCode, want, body)
		}
		guarded(t, path, resp)
	}
}

// A server without a login is for this machine: a stranger's page whose name was made
// to point to loopback reads nothing.
func TestAnotherNameForLoopback(t *testing.T) {
	srv, _ := testServer(t, nil)
	for host, want := range map[string]int{"evil.example": 421, "evil.example:8090": 421, "127.0.0.1.evil.example": 421, "localhost:8090": 200, "LOCALHOST": 200, "127.0.0.1": 200, "127.3.2.1:80": 200, "[::1]:8090": 200, "10.0.0.1": 421} {
		for _, path := range []string{"/", "/api/v1/overview", "/metrics"} {
			if resp, body := ask(t, still(), http.MethodGet, srv.URL+path, nil, "Host", host); resp.StatusCode != want || want != 200 && strings.Contains(body, "PS-VM") {
				t.Errorf("%s as %s: %d, want %d", path, host, resp.StatusCode, want)
			}
		}
	}
	closed, _ := testServer(t, func(o *Options) { o.Open = false })
	if resp, _ := ask(t, still(), http.MethodGet, closed.URL+"/login", nil, "Host", "postscan.example"); resp.StatusCode != http.StatusOK {
		t.Errorf("a server with a login under its name: %d", resp.StatusCode)
	}
}

// A session is made anew by a login, leads nowhere but here, is of this host alone, and
// is not taken from another signature, another purpose, or after its time.
func TestSessions(t *testing.T) {
	now := time.Now()
	srv, s := testServer(t, func(o *Options) { o.Open, o.Secure, o.Now = false, true, func() time.Time { return now } })
	_, secret, err := s.NewToken(t.Context(), "anna", audit.Viewer, "", 0)
	if err != nil {
		t.Fatal(err)
	}
	login := func(header ...string) *http.Response {
		form := url.Values{"token": {secret}, "next": {"https://evil.example/"}}
		resp, _ := ask(t, still(), http.MethodPost, srv.URL+"/login?next=//evil.example", strings.NewReader(form.Encode()), append([]string{"Content-Type", "application/x-www-form-urlencoded"}, header...)...)
		return resp
	}
	resp := login("Cookie", "__Host-postscan_session=chosen.bystranger")
	if resp.StatusCode != http.StatusSeeOther || resp.Header.Get("Location") != "/" || len(resp.Cookies()) != 1 {
		t.Fatalf("login: %d to %q", resp.StatusCode, resp.Header.Get("Location"))
	}
	c := resp.Cookies()[0]
	if c.Name != "__Host-postscan_session" || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || strings.Contains(c.Value, "bystranger") {
		t.Errorf("the cookie %+v", c)
	}
	if resp := login("Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"); resp.StatusCode != http.StatusForbidden || len(resp.Cookies()) > 0 {
		t.Errorf("a login sent by another site: %d", resp.StatusCode)
	}
	code := func(cookie string) int {
		resp, _ := ask(t, still(), http.MethodGet, srv.URL+"/api/v1/overview", nil, "Cookie", cookie)
		return resp.StatusCode
	}
	text, mac, _ := strings.Cut(c.Value, ".")
	for name, cookie := range map[string]string{
		"no signature": c.Name + "=" + text, "an empty one": c.Name + "=" + text + ".", "of other claims": c.Name + "=" + text + "x." + mac,
		"without the prefix": "postscan_session=" + c.Value, "of another purpose": "__Host-postscan_login=" + c.Value,
	} {
		if got := code(cookie); got != http.StatusUnauthorized {
			t.Errorf("a session %s: %d", name, got)
		}
	}
	if got := code(c.Name + "=" + c.Value); got != http.StatusOK {
		t.Errorf("the session: %d", got)
	}
	if resp, _ := ask(t, still(), http.MethodPost, srv.URL+"/api/v1/audits/web/runs", nil, "Cookie", c.Name+"="+c.Value, "Origin", "https://evil.example"); resp.StatusCode != http.StatusForbidden {
		t.Errorf("the API, written to by another site with the session: %d", resp.StatusCode)
	}
	now = now.Add(sessionLife + time.Second)
	if got := code(c.Name + "=" + c.Value); got != http.StatusUnauthorized {
		t.Errorf("the session after its time: %d", got)
	}
}

// An upload that unpacks to more than it may is refused, and so is one that is packed in
// a way that nobody asked for.
func TestUploadsThatAreTraps(t *testing.T) {
	const limit = 1 << 20
	srv, s := testServer(t, func(o *Options) { o.Open, o.MaxUpload = false, limit })
	_, secret, err := s.NewToken(t.Context(), "cron", audit.Uploader, "remote", 0)
	if err != nil {
		t.Fatal(err)
	}
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	for range 200 {
		_, _ = z.Write(make([]byte, limit)) // memory takes it
	}
	if err := z.Close(); err != nil || bomb.Len() > limit {
		t.Fatal(bomb.Len(), err)
	}
	deep := strings.Repeat(`{"run":`, 100_000)
	for name, c := range map[string]struct {
		body     []byte
		encoding string
		want     int
	}{
		"a bomb": {bomb.Bytes(), "gzip", 413}, "too large": {make([]byte, limit+1), "", 413}, "zstd": {[]byte("x"), "zstd", 400}, "twice": {[]byte("x"), "gzip, gzip", 400},
		"no gzip": {[]byte("x"), "gzip", 400}, "half a gzip": {bomb.Bytes()[:bomb.Len()/2], "gzip", 413}, "deep": {[]byte(deep), "", 400}, "a list of nothings": {[]byte(`{"findings": [` + strings.Repeat("null,", 100_000) + `null]}`), "", 413}, "nothing": {nil, "", 400},
	} {
		resp, body := ask(t, srv.Client(), http.MethodPut, srv.URL+"/api/v1/uploads/remote/"+uuid.NewString(), bytes.NewReader(c.body), "Authorization", "Bearer "+secret, "Content-Encoding", c.encoding)
		if resp.StatusCode != c.want {
			t.Errorf("%s: %d, want %d: %.200s", name, resp.StatusCode, c.want, body)
		}
	}
	if runs, err := s.Runs(t.Context(), "remote", "", 0); err != nil || len(runs) != 0 {
		t.Errorf("%d runs were stored, %v", len(runs), err)
	}
}

// Clients are bounded one by one; behind a proxy they are those that it names, whatever
// they wrote themselves.
func TestRateLimit(t *testing.T) {
	for name, c := range map[string]struct {
		proxied bool
		from    func(i int) string // X-Forwarded-For
		refused bool
	}{
		"no proxy, and what they write themselves": {false, func(i int) string { return fmt.Sprint("10.0.0.", i) }, true},
		"one behind a proxy":                       {true, func(i int) string { return fmt.Sprintf("10.9.9.%d, 10.0.0.1", i) }, true},
		"many behind a proxy":                      {true, func(i int) string { return fmt.Sprint("10.0.0.", i) }, false},
	} {
		srv, _ := testServer(t, func(o *Options) { o.Open, o.Proxied = false, c.proxied })
		refused := false
		for i := 0; i < 100 && !refused; i++ { // on a slow machine some are forgotten meanwhile
			resp, body := ask(t, still(), http.MethodPost, srv.URL+"/login", strings.NewReader("token=wrong"), "Content-Type", "application/x-www-form-urlencoded", "X-Forwarded-For", c.from(i))
			if resp.StatusCode == http.StatusTooManyRequests {
				refused = true
				if resp.Header.Get("Retry-After") == "" || !strings.Contains(body, "too many attempts") {
					t.Errorf("%s: %q", name, body)
				}
				guarded(t, name, resp)
			}
		}
		if refused != c.refused {
			t.Errorf("%s: refused %v, want %v", name, refused, c.refused)
		}
	}
}

// The pages of a list have every finding once.
func TestPagination(t *testing.T) {
	srv, _ := busyServer(t)
	jar, _ := cookiejar.New(nil) // never fails
	client := &http.Client{Jar: jar}
	seen := map[int64]bool{}
	address, pages := "/api/v1/findings?limit=7&standing=open", 0
	for next := ""; ; pages++ {
		resp, body := ask(t, client, http.MethodGet, srv.URL+address+next, nil)
		var page struct {
			Findings []audit.Finding
			Next     string
		}
		if err := json.Unmarshal([]byte(body), &page); err != nil || resp.StatusCode != http.StatusOK || len(page.Findings) > 7 {
			t.Fatal(resp.StatusCode, len(page.Findings), err)
		}
		for i := range page.Findings {
			if seen[page.Findings[i].ID] {
				t.Errorf("finding %d is on two pages", page.Findings[i].ID)
			}
			seen[page.Findings[i].ID] = true
		}
		if page.Next == "" {
			break
		}
		next = "&after=" + page.Next
	}
	_, body := ask(t, client, http.MethodGet, srv.URL+"/api/v1/findings?limit=1000&standing=open", nil)
	var all struct{ Findings []audit.Finding }
	if err := json.Unmarshal([]byte(body), &all); err != nil || len(all.Findings) != len(seen) || pages < 3 {
		t.Errorf("%d findings on %d pages, %d on one: %v", len(seen), pages+1, len(all.Findings), err)
	}
}

func TestElements(t *testing.T) {
	for text, want := range map[string]int{`{}`: 0, `{"a":1,"b":[1,2,3]}`: 3, `[[],[{}],{"x":[",",",\\\",,",1]}]`: 8, `"[,,,]"`: 0, `]]],,,`: 0, ``: 0} {
		if got := elements([]byte(text)); got != want {
			t.Errorf("%s has %d elements, want %d", text, got, want)
		}
	}
}
