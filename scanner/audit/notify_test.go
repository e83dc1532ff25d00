package audit

import (
	"bufio"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/postscan/postscan/scanner"
)

const testSecret = "hush-hush-4711"

// sample is a notification of two changes.
func sample() *Notification {
	return &Notification{Key: "run-1/ch", Audit: "web", Run: "run-1", Channel: "ch", Counts: Counts{New: 2}, Changes: []ChangedFinding{
		{Change: ChangeNew, Severity: scanner.SeverityHigh, Check: "PS-VM-001", Title: "Secure Boot is off", Target: "host", Resource: "host", Message: "off <!channel>"},
		{Change: ChangeNew, Severity: scanner.SeverityLow, Check: "PS-VM-002", Title: "Low", Target: "host", Resource: "host", Message: "little"},
	}}
}

func notifier(ch Channel, env map[string]string) *Notifier {
	ch.Name = "ch"
	return NewNotifier([]Channel{ch}, func(k string) string { return env[k] }, nil)
}

// received is what a webhook got.
type received struct {
	header http.Header
	body   []byte
}

// hook is a webhook on loopback that fails the first times.
func hook(t *testing.T, failures int, got chan<- received) *httptest.Server {
	t.Helper()
	var mu sync.Mutex
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		mu.Lock()
		failures--
		fail := failures >= 0
		mu.Unlock()
		got <- received{r.Header.Clone(), b}
		if fail {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(srv.Close)
	return srv
}

func TestWebhookIsSigned(t *testing.T) {
	got := make(chan received, 1)
	srv := hook(t, 0, got)
	n := notifier(Channel{Webhook: &WebhookChannel{URL: srv.URL, SecretEnv: "SECRET"}}, map[string]string{"SECRET": testSecret})
	if err := n.Send(t.Context(), sample()); err != nil {
		t.Fatal(err)
	}
	r := <-got
	mac := hmac.New(sha256.New, []byte(testSecret))
	_, _ = mac.Write([]byte(r.header.Get("Postscan-Timestamp") + "." + string(r.body))) // never fails
	if want := "sha256=" + hex.EncodeToString(mac.Sum(nil)); r.header.Get("Postscan-Signature") != want {
		t.Errorf("the signature is %q, want %q", r.header.Get("Postscan-Signature"), want)
	}
	if r.header.Get("Idempotency-Key") != "run-1/ch" {
		t.Errorf("the idempotency key is %q", r.header.Get("Idempotency-Key"))
	}
	var back Notification
	if err := json.Unmarshal(r.body, &back); err != nil || back.Key != "run-1/ch" || len(back.Changes) != 2 {
		t.Errorf("%s, %v", r.body, err)
	}
	if strings.Contains(string(r.body), testSecret) {
		t.Error("the body holds the secret")
	}
}

func TestChannelErrorsHoldNoSecret(t *testing.T) {
	got := make(chan received, 9)
	srv := hook(t, 100, got)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := "http://" + l.Addr().String() + "/services/" + testSecret
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	redirect := httptest.NewServer(http.RedirectHandler("http://"+l.Addr().String()+"/"+testSecret, http.StatusTemporaryRedirect))
	t.Cleanup(redirect.Close)
	for name, address := range map[string]string{"refused": srv.URL + "/" + testSecret, "closed": closed, "malformed": testSecret, "redirect": redirect.URL} {
		for kind, ch := range map[string]Channel{"webhook": {Webhook: &WebhookChannel{URLEnv: "URL"}}, "slack": {Slack: &SlackChannel{URLEnv: "URL"}}} {
			err := notifier(ch, map[string]string{"URL": address}).Send(t.Context(), sample())
			if err == nil || strings.Contains(err.Error(), testSecret) || !strings.Contains(err.Error(), "URL") {
				t.Errorf("%s %s: %v", kind, name, err)
			}
		}
	}
	if err := notifier(Channel{Webhook: &WebhookChannel{URL: srv.URL, SecretEnv: "SECRET"}}, nil).Send(t.Context(), sample()); err == nil {
		t.Error("without its secret a webhook is sent unsigned")
	}
}

func TestSlackFileTemplateAndSeverity(t *testing.T) {
	got := make(chan received, 9)
	srv := hook(t, 0, got)
	if err := notifier(Channel{Slack: &SlackChannel{URLEnv: "URL"}}, map[string]string{"URL": srv.URL}).Send(t.Context(), sample()); err != nil {
		t.Fatal(err)
	}
	var slack struct{ Text string }
	if err := json.Unmarshal((<-got).body, &slack); err != nil || !strings.Contains(slack.Text, "web: 2 new") || !strings.Contains(slack.Text, "&lt;!channel&gt;") || strings.Contains(slack.Text, "<!") {
		t.Errorf("%q, %v", slack.Text, err)
	}
	dir := t.TempDir()
	lines := filepath.Join(dir, "told.jsonl")
	own := filepath.Join(dir, "own.tmpl")
	if err := os.WriteFile(own, []byte(`{"n": {{len .Changes}}, "first": {{json (index .Changes 0).Message}}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for i, ch := range []Channel{
		{File: &FileChannel{Path: lines}}, {File: &FileChannel{Path: lines}, Template: own},
		{File: &FileChannel{Path: lines}, Template: own, MinSeverity: "high"}, {File: &FileChannel{Path: lines}, MinSeverity: "critical"},
	} {
		m := sample()
		m.Key = fmt.Sprintf("run-%d/ch", i)
		if err := notifier(ch, nil).Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(lines)
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Split(strings.TrimSpace(string(b)), "\n")
	if len(all) != 3 || all[1] != `{"n": 2, "first": "off \u003c!channel\u003e"}` || !strings.HasPrefix(all[2], `{"n": 1`) {
		t.Errorf("%q", all)
	}
	if err := os.WriteFile(own, []byte(`{{.Nothing}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := notifier(Channel{File: &FileChannel{Path: lines}, Template: own}, nil).Send(t.Context(), sample()); err == nil {
		t.Error("a template that does not fit sends something")
	}
	if err := notifier(Channel{File: &FileChannel{Path: lines}}, nil).Send(t.Context(), &Notification{Channel: "gone"}); err != nil {
		t.Errorf("a channel that is no longer configured: %v", err)
	}
}

// The queue tries again until a webhook takes the notification, under one key; then
// it is done.
func TestQueueRetriesNotifications(t *testing.T) { onBoth(t, testQueueRetries) }

func testQueueRetries(t *testing.T, s *Store, _ *clock) {
	if err := s.Configure(t.Context(), []Audit{{Name: "web", Target: TargetSpec{VM: &VMSpec{}}, Notify: []string{"ch"}}}); err != nil {
		t.Fatal(err)
	}
	got := make(chan received, 9)
	srv := hook(t, 1, got)
	n := notifier(Channel{Webhook: &WebhookChannel{URLEnv: "URL"}}, map[string]string{"URL": srv.URL + "/" + testSecret})
	var log logText
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	if _, err := s.Enqueue(ctx, "web"); err != nil {
		t.Fatal(err)
	}
	go func() {
		done <- s.Work(ctx, WorkOptions{Drain: 10 * time.Second, Send: n.Send, Log: log.logger(), Scan: func(context.Context, *Audit) (*scanner.Report, error) { return report("a"), nil }})
	}()
	keys := map[string]int{}
	for range 2 {
		select {
		case r := <-got:
			keys[r.header.Get("Idempotency-Key")]++
		case <-time.After(3 * time.Minute):
			t.Fatalf("it was not tried again: %v", keys)
		}
	}
	settled(t, s)
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if len(keys) != 1 || len(got) != 0 {
		t.Errorf("%v, and %d more", keys, len(got))
	}
	if strings.Contains(log.String(), testSecret) {
		t.Error("the log holds the address, which is a secret")
	}
	var last string
	if err := s.db.read(t.Context(), func(q querier) error {
		return each(t.Context(), q, func(r rows) error { var e string; err := r.Scan(&e); last += e; return err }, `SELECT body FROM notification`)
	}); err != nil || strings.Contains(last, testSecret) || strings.Contains(last, "evidence") {
		t.Errorf("%q, %v", last, err)
	}
}

// mailServer is a small SMTP server that keeps what it is told.
type mailServer struct {
	addr     string
	roots    *x509.CertPool
	ending   string // how it answers a message: "" as it should; "silent" not at all, "rude" and is gone
	mu       sync.Mutex
	commands []string // before TLS: "plain: …"
	message  string
}

func newMailServer(t *testing.T, startTLS bool) *mailServer {
	t.Helper()
	cert := httptest.NewUnstartedServer(nil) // has a certificate for 127.0.0.1
	cert.StartTLS()
	t.Cleanup(cert.Close)
	m := &mailServer{roots: x509.NewCertPool()}
	m.roots.AddCert(cert.Certificate())
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	m.addr = l.Addr().String()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go m.serve(c, startTLS, cert.TLS.Certificates)
		}
	}()
	return m
}

func (m *mailServer) serve(c net.Conn, startTLS bool, certs []tls.Certificate) {
	defer func() { _ = c.Close() }() // either side ends it
	in := bufio.NewReader(c)
	say := func(s string) { _, _ = io.WriteString(c, s+"\r\n") }
	where := "plain: "
	say("220 test ESMTP")
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimSpace(line)
		m.mu.Lock()
		m.commands = append(m.commands, where+line)
		m.mu.Unlock()
		switch verb, _, _ := strings.Cut(strings.ToUpper(line), " "); verb {
		case "EHLO":
			switch {
			case where == "tls: ":
				say("250-test\r\n250 AUTH PLAIN")
			case startTLS:
				say("250-test\r\n250 STARTTLS")
			default:
				say("250-test\r\n250 AUTH PLAIN")
			}
		case "STARTTLS":
			say("220 go on")
			secure := tls.Server(c, &tls.Config{Certificates: certs})
			c, in, where = secure, bufio.NewReader(secure), "tls: "
		case "AUTH":
			say("235 welcome")
		case "DATA":
			say("354 send")
			var b strings.Builder
			for {
				part, err := in.ReadString('\n')
				if err != nil {
					return
				}
				if part == ".\r\n" {
					break
				}
				b.WriteString(part)
			}
			m.mu.Lock()
			m.message = b.String()
			m.mu.Unlock()
			if m.ending == "silent" {
				return
			}
			say("250 taken")
			if m.ending == "rude" {
				return
			}
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 fine")
		}
	}
}

func (m *mailServer) said() ([]string, string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.commands), m.message
}

func TestEmail(t *testing.T) {
	env := map[string]string{"PASSWORD": testSecret}
	login := base64.StdEncoding.EncodeToString([]byte("\x00scan\x00" + testSecret))
	for name, c := range map[string]struct {
		startTLS, trusted, plain, password bool
		wrong                              string
	}{
		"TLS and password":       {startTLS: true, trusted: true, password: true},
		"TLS alone":              {startTLS: true, trusted: true},
		"unknown authority":      {startTLS: true, password: true, wrong: "begin TLS"},
		"no TLS":                 {wrong: "offers no TLS"},
		"no TLS, allowed":        {plain: true},
		"no TLS, and a password": {plain: true, password: true, wrong: "a password is never sent"},
	} {
		t.Run(name, func(t *testing.T) {
			srv := newMailServer(t, c.startTLS)
			e := &EmailChannel{Host: srv.addr, From: "Scanner <scan@example.org>", To: []string{"ops@example.org", "Anna <anna@example.org>"}, Plain: c.plain}
			if c.password {
				e.User, e.PasswordEnv = "scan", "PASSWORD"
			}
			n := notifier(Channel{Email: e}, env)
			n.Roots = x509.NewCertPool()
			if c.trusted {
				n.Roots = srv.roots
			}
			err := n.Send(t.Context(), sample())
			commands, message := srv.said()
			for _, line := range commands {
				if strings.HasPrefix(line, "plain: ") && (strings.Contains(line, testSecret) || strings.Contains(line, login) || strings.Contains(line, "AUTH")) {
					t.Errorf("the password went in clear: %s", line)
				}
			}
			if c.wrong != "" {
				if err == nil || !strings.Contains(err.Error(), c.wrong) || strings.Contains(err.Error(), testSecret) || message != "" {
					t.Errorf("%v, want %s; sent %q", err, c.wrong, message)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if c.password && !slices.Contains(commands, "tls: AUTH PLAIN "+login) {
				t.Errorf("it did not log in: %q", commands)
			}
			for _, want := range []string{"Subject: postscan: web: 2 new, 0 fixed", "To: ops@example.org, Anna <anna@example.org>", "Message-ID: <", "PS-VM-001"} {
				if !strings.Contains(message, want) {
					t.Errorf("the message lacks %q:\n%s", want, message)
				}
			}
			if !slices.ContainsFunc(commands, func(l string) bool { return strings.Contains(l, "RCPT TO:<anna@example.org>") }) {
				t.Errorf("it did not go to everybody: %q", commands)
			}
			if strings.Contains(message, testSecret) {
				t.Error("the message holds the password")
			}
		})
	}
}

// A mail that the server has taken does not come again because it says no farewell;
// one that it does not answer may have arrived, which the next one says.
func TestEmailThatIsNotAnswered(t *testing.T) {
	for ending, unanswered := range map[string]bool{"rude": false, "silent": true} {
		srv := newMailServer(t, false)
		srv.ending = ending
		n := notifier(Channel{Email: &EmailChannel{Host: srv.addr, From: "scan@example.org", To: []string{"ops@example.org"}, Plain: true}}, nil)
		if err := n.Send(t.Context(), sample()); errors.Is(err, errUnanswered) != unanswered || (err != nil) != unanswered {
			t.Errorf("%s: %v", ending, err)
		}
		_, first := srv.said()
		again := sample()
		again.Repeat = true
		_ = n.Send(t.Context(), again) // ends as the first did
		_, second := srv.said()
		if messageID(first) == "" || messageID(first) != messageID(second) {
			t.Errorf("%s: the message ids are %q and %q", ending, messageID(first), messageID(second))
		}
		if words := "This may have been sent before"; strings.Contains(first, words) || !strings.Contains(second, words) {
			t.Errorf("%s: what was sent again does not say so:\n%s\n%s", ending, first, second)
		}
	}
}

func messageID(message string) string {
	_, rest, _ := strings.Cut(message, "Message-ID: ")
	id, _, _ := strings.Cut(rest, "\r\n")
	return id
}
