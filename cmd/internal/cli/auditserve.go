package cli

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/audit"
	"github.com/postscan/postscan/scanner/audit/web"
	"github.com/postscan/postscan/scanner/report"
)

// workFlags say how much one process scans at a time.
type workFlags struct {
	audit    auditFlags
	parallel map[string]int
	memory   sizeValue
	drain    time.Duration
}

// scanMemory is what the heap of one scan should stay below where nobody says, in
// bytes. A cluster of 22,000 pods takes a sixth of it.
const scanMemory = 2 << 30

func (f *workFlags) define(cmd *cobra.Command) {
	f.audit.define(cmd)
	addFlags(cmd, "Limit", func(fs *pflag.FlagSet) {
		fs.StringToIntVar(&f.parallel, "parallel-scans", nil, "scan so many targets of a kind at a time, as `image=4,cluster=1` (default 1 of each)")
		fs.Var(&f.memory, "scan-memory", "let the heap of one scan grow to this `SIZE`, as 1GiB; one that takes half as much again is ended (default 2GiB)")
		fs.DurationVar(&f.drain, "drain", time.Minute, "at the end, wait so long for running scans; they are queued again after it")
	})
}

// validate holds the flags to what they must be.
func (f *workFlags) validate() error {
	for kind, n := range f.parallel {
		known := false
		for _, k := range audit.Kinds() {
			known = known || k == kind
		}
		if !known || n < 1 || n > 256 {
			return usage(fmt.Errorf("--parallel-scans %s=%d: the kinds are %v, and a number is from 1 to 256", kind, n, audit.Kinds()))
		}
	}
	return nil
}

// serveFlags say where the server listens and whom it lets in.
type serveFlags struct {
	work        workFlags
	listen      string
	certificate string
	key         string
	behindTLS   bool
	issuer      string
	clientID    string
	redirect    string
	operators   []string
	viewers     []string
	maxUpload   sizeValue
}

func (f *serveFlags) define(cmd *cobra.Command) {
	f.work.define(cmd)
	addFlags(cmd, "Server", func(fs *pflag.FlagSet) {
		fs.StringVar(&f.listen, "listen", "127.0.0.1:8090", "serve pages, API and metrics at this `ADDRESS`")
		fs.StringVar(&f.certificate, "tls-cert", "", "serve HTTPS with the certificate of this `FILE`")
		fs.StringVar(&f.key, "tls-key", "", "and the key of this `FILE`")
		fs.BoolVar(&f.behindTLS, "behind-tls", false, "a proxy in front speaks HTTPS and says who asks in X-Forwarded-For; nobody else may reach the server")
		fs.StringVar(&f.issuer, "oidc-issuer", "", "log people in at this OpenID Connect `URL`; the client's secret is in POSTSCAN_OIDC_SECRET")
		fs.StringVar(&f.clientID, "oidc-client-id", "", "as this `CLIENT`")
		fs.StringVar(&f.redirect, "oidc-redirect", "", "who come back to this `URL`: https://HOST/login/callback")
		fs.StringSliceVar(&f.operators, "operators", nil, "people who may start runs: `WHO` is an e-mail address, @domain or group:NAME")
		fs.StringSliceVar(&f.viewers, "viewers", nil, "people who may look: `WHO` likewise")
		fs.Var(&f.maxUpload, "max-upload", "take uploads up to this `SIZE` (default 256MiB)")
	})
}

func newAuditServe(a *app) *cobra.Command {
	var f serveFlags
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Keep the schedule, scan what is due, and show the history",
		Long: `serve runs the audits of the settings file when they are due, and serves pages,
an API, uploads and metrics. On loopback everybody on the machine is let in; on
any other address a token (postscan audit token create) or a login is needed.
Several servers may share one PostgreSQL.`,
		Example: `  postscan audit serve
  postscan audit serve --listen :8443 --tls-cert tls.crt --tls-key tls.key \
    --database postgres://postscan@db/postscan`,
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.serveAudits(cmd.Context(), &f) },
	}
	f.define(cmd)
	return cmd
}

func newAuditWork(a *app) *cobra.Command {
	var f workFlags
	cmd := &cobra.Command{
		Use:   "work",
		Short: "Scan what servers on the same database queue",
		Long: `work takes queued runs from the database and scans; it keeps no schedule and
shows nothing. Any number of workers share one PostgreSQL.`,
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.validate(); err != nil {
				return err
			}
			s, err := a.history(cmd.Context(), &f.audit)
			if err != nil {
				return err
			}
			defer s.Close()
			c, file, err := a.auditConfig()
			if err != nil {
				return err
			}
			return a.work(cmd.Context(), s, &f, c, file, false)
		},
	}
	f.define(cmd)
	return cmd
}

// serverLog logs what a server does, also where nobody asked to be told more.
func (a *app) serverLog() *slog.Logger {
	if a.verbose || a.quiet {
		return a.log
	}
	log, err := newLogger(a.env.Stderr, a.logFormat, slog.LevelInfo)
	if err != nil {
		return a.log // the format was checked at the start
	}
	return log
}

// work works the queue until the context is done.
func (a *app) work(ctx context.Context, s *audit.Store, f *workFlags, c *audit.Config, file string, schedule bool) error {
	runner := &auditRunner{app: a, config: file, memory: cmp.Or(int64(f.memory), scanMemory)}
	notifier := audit.NewNotifier(c.Notifications, a.env.Getenv, http.DefaultTransport)
	err := s.Work(ctx, audit.WorkOptions{
		Scan: runner.Scan, Send: notifier.Send, Parallel: f.parallel, Schedule: schedule, Drain: f.drain, Log: a.serverLog(),
	})
	if ctx.Err() != nil && err == nil {
		return nil // told to end, and ended in order
	}
	return err
}

// serveAudits is the server.
func (a *app) serveAudits(ctx context.Context, f *serveFlags) error {
	if err := f.work.validate(); err != nil {
		return err
	}
	if (f.certificate == "") != (f.key == "") {
		return usage(errors.New("--tls-cert and --tls-key go together"))
	}
	c, file, err := a.auditConfig()
	if err != nil {
		return err
	}
	s, err := a.history(ctx, &f.work.audit)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.Configure(ctx, c.Audits); err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", f.listen)
	if err != nil {
		return fmt.Errorf("listen at %s: %w", f.listen, err)
	}
	defer func() { _ = listener.Close() }() // the server closed it, or never began
	o, err := a.webOptions(ctx, f, s, listener)
	if err != nil {
		return err
	}
	handler, err := web.New(ctx, *o)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 5 * time.Minute, WriteTimeout: 5 * time.Minute, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(o.Log.Handler(), slog.LevelWarn)}
	served := make(chan error, 1)
	go func() {
		if f.certificate != "" {
			served <- server.ServeTLS(listener, f.certificate, f.key)
			return
		}
		served <- server.Serve(listener)
	}()
	o.Log.Info("serving", "address", listener.Addr().String(), "audits", len(c.Audits))
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	worked := make(chan error, 1)
	go func() { worked <- a.work(ctx, s, &f.work, c, file, true) }()
	select {
	case err = <-served:
		stop()
		return errors.Join(fmt.Errorf("serve at %s: %w", f.listen, err), <-worked)
	case err = <-worked:
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return errors.Join(err, server.Shutdown(end))
}

// webOptions decide who is let in: everybody on loopback, else who has a token or
// is logged in. A server that nobody could use is refused.
func (a *app) webOptions(ctx context.Context, f *serveFlags, s *audit.Store, listener net.Listener) (*web.Options, error) {
	address, ok := listener.Addr().(*net.TCPAddr)
	loopback := ok && address.IP.IsLoopback()
	o := &web.Options{
		Store: s, Decode: func(b []byte) (*scanner.Report, error) { return report.Read(bytes.NewReader(b)) }, Secure: f.certificate != "" || f.behindTLS,
		Open: loopback && f.issuer == "" && !f.behindTLS, Proxied: f.behindTLS, MaxUpload: int64(f.maxUpload), Version: a.env.Version, Now: a.env.Now, Log: a.serverLog(),
	}
	if f.issuer != "" {
		secret := a.env.Getenv(envPrefix + "OIDC_SECRET")
		if f.clientID == "" || f.redirect == "" || secret == "" || len(f.operators)+len(f.viewers) == 0 {
			return nil, usage(errors.New("--oidc-issuer needs --oidc-client-id, --oidc-redirect, --operators or --viewers, and the variable POSTSCAN_OIDC_SECRET"))
		}
		p, err := web.NewProvider(ctx, web.ProviderOptions{Issuer: f.issuer, ClientID: f.clientID, ClientSecret: secret, RedirectURL: f.redirect, Operators: f.operators, Viewers: f.viewers, Client: &http.Client{Timeout: 15 * time.Second}})
		if err != nil {
			return nil, err
		}
		o.Provider = p
	}
	if o.Open || o.Provider != nil {
		return o, nil
	}
	tokens, err := s.Tokens(ctx)
	if err != nil {
		return nil, err
	}
	now := a.env.Now()
	for _, t := range tokens {
		if t.Revoked.IsZero() && (t.Expires.IsZero() || now.Before(t.Expires)) {
			return o, nil
		}
	}
	return nil, usageHint(fmt.Errorf("%s is not loopback, and nobody could log in", f.listen), "make a token with postscan audit token create, or give --oidc-issuer")
}
