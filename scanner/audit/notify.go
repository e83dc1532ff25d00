package audit

import (
	"bytes"
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/mail"
	"net/smtp"
	"net/textproto"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"text/template"
	"time"

	"github.com/postscan/postscan/scanner"
)

// Notifier delivers notifications to the channels of a configuration.
type Notifier struct {
	// Channels by name.
	Channels map[string]*Channel
	// Getenv gives the secrets.
	Getenv func(string) string
	// Client is for HTTP; it must not follow redirects, which would carry the body elsewhere.
	Client *http.Client
	// Roots are the authorities that mail servers' certificates may be of; the system's where nil.
	Roots *x509.CertPool
	Now   func() time.Time
}

// NewNotifier makes a notifier for the configured channels.
func NewNotifier(channels []Channel, getenv func(string) string, transport http.RoundTripper) *Notifier {
	n := &Notifier{Channels: map[string]*Channel{}, Getenv: getenv, Now: time.Now, Client: &http.Client{
		Transport: transport, Timeout: 30 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	for i := range channels {
		n.Channels[channels[i].Name] = &channels[i]
	}
	return n
}

// Send delivers one notification. Its error never holds an address or a secret.
func (n *Notifier) Send(ctx context.Context, m *Notification) error {
	ch, ok := n.Channels[m.Channel]
	if !ok {
		return nil // it is no longer configured: there is nobody to tell
	}
	m = ch.above(m)
	if m == nil {
		return nil
	}
	body, err := ch.body(m)
	if err != nil {
		return fmt.Errorf("notify %s: %w", ch.Name, err)
	}
	switch {
	case ch.Webhook != nil:
		err = n.webhook(ctx, ch.Webhook, m, body)
	case ch.Slack != nil:
		err = n.post(ctx, n.Getenv(ch.Slack.URLEnv), ch.Slack.URLEnv, m, "", body)
	case ch.Email != nil:
		err = n.email(ctx, ch.Email, m, body)
	case ch.File != nil:
		err = appendOnce(ctx, ch.File.Path, m.Key, body)
	}
	if err != nil {
		return fmt.Errorf("notify %s: %w", ch.Name, err)
	}
	return nil
}

// above leaves out the changes below the channel's severity; nil where none is left.
func (c *Channel) above(m *Notification) *Notification {
	if c.MinSeverity == "" {
		return m
	}
	least, err := scanner.ParseSeverity(c.MinSeverity)
	if err != nil {
		return m // cannot be: it was validated
	}
	out := *m
	out.Changes = nil
	for _, f := range m.Changes {
		// A severity that no advisory states may be any.
		if f.Severity >= least || f.Severity == scanner.SeverityUnknown {
			out.Changes = append(out.Changes, f)
		} else if rank(f.Severity) < rank(scanner.SeverityUnknown) {
			out.More = 0 // they are sorted: what is not listed is below too
		}
	}
	if len(out.Changes) == 0 && out.More == 0 {
		return nil
	}
	return &out
}

// words is the text of a notification for people.
const words = `postscan: {{.Audit}}: {{.Counts.New}} new, {{.Counts.Fixed}} fixed, {{.Counts.Reopened}} reopened
{{range .Changes}}
{{.Change}} {{.Severity}} {{.Check}} {{.Title}}
  {{.Resource}}: {{.Message}}
{{end}}{{if .More}}
and {{.More}} more
{{end}}{{if .Repeat}}
This may have been sent before: an earlier attempt was not answered.
{{end}}`

// body is what is sent: the channel's template, or what its kind expects.
func (c *Channel) body(m *Notification) ([]byte, error) {
	if c.Template != "" {
		text, err := os.ReadFile(c.Template)
		if err != nil {
			return nil, fmt.Errorf("read its template: %w", err)
		}
		return render(string(text), m)
	}
	if c.Webhook != nil || c.File != nil {
		return json.Marshal(m)
	}
	text, err := render(words, m)
	if err != nil || c.Email != nil {
		return text, err
	}
	return json.Marshal(map[string]string{"text": slackText.Replace(string(text))})
}

// slackText escapes what Slack would take for its own marks.
var slackText = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

func render(text string, m *Notification) ([]byte, error) {
	quote := func(v any) (string, error) { b, err := json.Marshal(v); return string(b), err }
	t, err := template.New("notification").Option("missingkey=error").Funcs(template.FuncMap{"json": quote}).Parse(text)
	if err != nil {
		return nil, fmt.Errorf("its template is malformed: %w", err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, m); err != nil {
		return nil, fmt.Errorf("its template does not fit: %w", err)
	}
	return b.Bytes(), nil
}

func (n *Notifier) webhook(ctx context.Context, w *WebhookChannel, m *Notification, body []byte) error {
	address, source := w.URL, "url"
	if w.URLEnv != "" {
		address, source = n.Getenv(w.URLEnv), w.URLEnv
	}
	secret := ""
	if w.SecretEnv != "" {
		if secret = n.Getenv(w.SecretEnv); secret == "" {
			return fmt.Errorf("the variable %s, which holds the secret to sign with, is empty", w.SecretEnv)
		}
	}
	return n.post(ctx, address, source, m, secret, body)
}

// post sends JSON. The signature is over the time and the body, so that an old
// message cannot be sent again by somebody else. The body is the same each time that
// it is sent, as receivers expect of one key; that it may have arrived is in a header.
func (n *Notifier) post(ctx context.Context, address, source string, m *Notification, secret string, body []byte) error {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return fmt.Errorf("%s holds no address as https://…", source)
	}
	var sent atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { sent.Store(true) }})
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("%s holds no address as https://…", source)
	}
	req.GetBody = nil // else the library itself sends it again, and nobody knows
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "postscan")
	req.Header.Set("Idempotency-Key", m.Key)
	if m.Repeat {
		req.Header.Set("Postscan-Repeat", "true")
	}
	if secret != "" {
		at := strconv.FormatInt(n.Now().Unix(), 10)
		mac := hmac.New(sha256.New, []byte(secret))
		_, _ = mac.Write([]byte(at + "." + string(body))) // never fails
		req.Header.Set("Postscan-Timestamp", at)
		req.Header.Set("Postscan-Signature", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	}
	resp, err := n.Client.Do(req)
	if err != nil {
		var with *url.Error
		if errors.As(err, &with) {
			err = with.Err // without the address, which may be a secret
		}
		err = fmt.Errorf("post to the address of %s: %w", source, err)
		if sent.Load() {
			err = fmt.Errorf("%w: %w", err, errUnanswered)
		}
		return err
	}
	defer func() { _ = resp.Body.Close() }() // its answer is read below
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10))
	switch {
	case resp.StatusCode/100 == 2:
		return nil
	case resp.StatusCode == http.StatusBadGateway || resp.StatusCode == http.StatusGatewayTimeout:
		return fmt.Errorf("post to the address of %s: it answers %s: %w", source, resp.Status, errUnanswered) // who stands behind it may have taken it
	}
	return fmt.Errorf("post to the address of %s: it answers %s", source, resp.Status)
}

// mailTime bounds how long sending a mail takes.
const mailTime = time.Minute

// email sends one message. The server must speak TLS, at once on port 465 or after
// STARTTLS, unless the channel allows it to be plain; a password is never sent plain.
func (n *Notifier) email(ctx context.Context, e *EmailChannel, m *Notification, text []byte) error {
	host, port, err := net.SplitHostPort(e.Host)
	if err != nil {
		return fmt.Errorf("its host %q is not host:port", e.Host)
	}
	from, err := mail.ParseAddress(e.From)
	if err != nil {
		return fmt.Errorf("its from %q is no address", e.From)
	}
	message, err := n.message(e, m, text)
	if err != nil {
		return err
	}
	dialer := &net.Dialer{Timeout: 15 * time.Second}
	var conn net.Conn
	if port == "465" {
		conn, err = (&tls.Dialer{NetDialer: dialer, Config: &tls.Config{ServerName: host, RootCAs: n.Roots}}).DialContext(ctx, "tcp", e.Host)
	} else {
		conn, err = dialer.DialContext(ctx, "tcp", e.Host)
	}
	if err != nil {
		return fmt.Errorf("connect to %s: %w", e.Host, err)
	}
	defer func() { _ = conn.Close() }() // Quit ended it, or an error did
	end := time.Now().Add(mailTime)
	if until, ok := ctx.Deadline(); ok && until.Before(end) {
		end = until
	}
	if err := conn.SetDeadline(end); err != nil {
		return err
	}
	c, err := smtp.NewClient(conn, host)
	if err != nil {
		return fmt.Errorf("speak with %s: %w", e.Host, err)
	}
	if ok, _ := c.Extension("STARTTLS"); ok && port != "465" {
		if err := c.StartTLS(&tls.Config{ServerName: host, RootCAs: n.Roots}); err != nil {
			return fmt.Errorf("begin TLS with %s: %w", e.Host, err)
		}
	} else if port != "465" && !e.Plain {
		return fmt.Errorf("%s offers no TLS; set plain: true where that is all right", e.Host)
	}
	if e.PasswordEnv != "" {
		if _, private := c.TLSConnectionState(); !private { // the library would send it to loopback
			return fmt.Errorf("%s offers no TLS, and a password is never sent without; take password_env away where the server asks for none", e.Host)
		}
		if err := c.Auth(smtp.PlainAuth("", cmp.Or(e.User, from.Address), n.Getenv(e.PasswordEnv), host)); err != nil {
			return fmt.Errorf("log in to %s: %w", e.Host, err)
		}
	}
	if err := c.Mail(from.Address); err != nil {
		return fmt.Errorf("send from %s: %w", from.Address, err)
	}
	for _, to := range e.To {
		a, err := mail.ParseAddress(to)
		if err != nil {
			return fmt.Errorf("%q is no address", to)
		}
		if err := c.Rcpt(a.Address); err != nil {
			return fmt.Errorf("send to %s: %w", a.Address, err)
		}
	}
	w, err := c.Data()
	if err != nil {
		return fmt.Errorf("send to %s: %w", e.Host, err)
	}
	if _, err := w.Write(message); err != nil {
		return fmt.Errorf("send to %s: %w", e.Host, err)
	}
	if err := w.Close(); err != nil {
		var refused *textproto.Error
		if errors.As(err, &refused) {
			return fmt.Errorf("send to %s: %w", e.Host, err)
		}
		return fmt.Errorf("send to %s: %w: %w", e.Host, err, errUnanswered)
	}
	_ = c.Quit() // the server has taken the message: it must not come again for a bad farewell
	return nil
}

// message is a mail. Its id is made of the key, so that mail programs show it once.
func (n *Notifier) message(e *EmailChannel, m *Notification, text []byte) ([]byte, error) {
	var b bytes.Buffer
	subject := fmt.Sprintf("postscan: %s: %d new, %d fixed", m.Audit, m.Counts.New, m.Counts.Fixed)
	sum := sha256.Sum256([]byte(m.Key))
	fmt.Fprintf(&b, "From: %s\r\nTo: %s\r\nSubject: %s\r\nDate: %s\r\nMessage-ID: <%s@postscan>\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n",
		e.From, strings.Join(e.To, ", "), mime.QEncoding.Encode("utf-8", subject), n.Now().UTC().Format(time.RFC1123Z), hex.EncodeToString(sum[:12]))
	q := quotedprintable.NewWriter(&b)
	if _, err := q.Write(text); err != nil {
		return nil, err
	}
	return b.Bytes(), q.Close()
}
