// Package cluster collects facts from a live Kubernetes cluster. It only reads.
//
// It asks for the server's version first, which needs no right, then for the
// kinds that the server offers, and then lists every kind in pages of 500
// objects. Each page is reduced by collect/kube as it comes and dropped, so that
// no more than a few pages are in memory at once. Pods come last, because most
// of them equal a template that was seen before.
//
// What cannot be listed (a right is missing, the server is too old, it answered
// with errors until patience ended) makes exactly the facts that depend on it
// missing; the scan goes on.
package cluster

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"path"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/collect/kube"
	"github.com/postscan/postscan/scanner/facts"
)

// Options are what the collector needs beside the connection.
type Options struct {
	// Name replaces the cluster's identity in fingerprints; empty is the UID of
	// the namespace kube-system.
	Name string
	// ExcludeNamespaces leaves namespaces out of the report, by name or pattern
	// ("team-*"). Their objects still count where others depend on them.
	ExcludeNamespaces []string
	// IncludeKinds limits the report to these kinds ("Deployment"); empty is all.
	IncludeKinds []string
	// KubeletConfig also reads every kubelet's configuration through the API,
	// which needs the right nodes/proxy.
	KubeletConfig bool
	// NoAnonymous leaves out the requests without credentials that tell what
	// the server shows to anybody.
	NoAnonymous bool
	// Timeout bounds all talking to the server; what was not listed by then is
	// missing. 0 is no bound.
	Timeout time.Duration
	// RequestTimeout bounds one request; a minute where 0.
	RequestTimeout time.Duration
	// PageSize is the number of objects asked for at once; 500 where 0.
	PageSize int64
	// Parallel is the number of resources judged at once; the number of CPUs where 0.
	Parallel int
	// Detect finds credentials in literal values; nil makes them not assessed.
	Detect kube.Detector
	// Images is called with every distinct image that runs, after everything
	// else was sent; nil leaves images out. It sends what it sees to the sink.
	// secret reads the content of one pull Secret, a Docker configuration in
	// JSON. An error ends the collection; what is wrong with one image is for
	// Images itself to report.
	Images func(ctx context.Context, sink scanner.Sink, images []kube.RunningImage, secret func(ctx context.Context, s kube.PullSecret) ([]byte, error)) error
	// Progress is told how far the lists are; nil for nobody.
	Progress func(Progress)
	Now      time.Time
	Log      *slog.Logger
}

// Progress says how far the list of one kind is.
type Progress struct {
	Kind    string // "pods"
	Objects int    // read so far
	// Remaining is what the server says is left; -1 where it does not say.
	Remaining int64
	Done      bool
}

// Collector implements [scanner.Collector].
type Collector struct {
	conn *Connection
	opts Options
}

// New returns a collector of one cluster.
func New(conn *Connection, o Options) *Collector {
	o.RequestTimeout = cmp.Or(o.RequestTimeout, time.Minute)
	o.PageSize = cmp.Or(o.PageSize, 500)
	o.Parallel = cmp.Or(o.Parallel, runtime.GOMAXPROCS(0))
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Collector{conn: conn, opts: o}
}

// session is one collection.
type session struct {
	opts      Options
	context   string
	namespace string
	typed     kubernetes.Interface
	dynamic   dynamic.Interface
	meta      metadata.Interface
	config    *rest.Config
	mu        sync.Mutex // guards set
	set       *kube.Set
	info      kube.ClusterInfo
	served    map[schema.GroupResource]schema.GroupVersionResource // nil where discovery failed
	kinds     map[schema.GroupResource]string
	names     map[string]string // kinds by what kubectl calls them, in lower case: "deploy"
	// namespacesRead is closed when the list of namespaces has ended.
	namespacesRead chan struct{}
	namespacesOnce sync.Once
	// dark are the groups that could not say what they offer, as those of an
	// aggregated server that is down.
	dark map[string]error
	// closed is set where nothing can be learnt at all: the server does not
	// answer, or does not let the caller in.
	closed error
	// refused are the lists that the credentials may not read.
	refused []string
	// send gives a resource to the sink.
	send func(*facts.Resource) bool
}

// Collect implements [scanner.Collector].
func (c *Collector) Collect(ctx context.Context, sink scanner.Sink) error {
	s, err := c.open()
	if err != nil {
		return c.failed(sink, err)
	}
	asking, cancel := context.WithCancel(ctx)
	defer cancel()
	if c.opts.Timeout > 0 {
		var end context.CancelFunc
		asking, end = context.WithTimeoutCause(asking, c.opts.Timeout, fmt.Errorf("the time-out of %s is over", c.opts.Timeout))
		defer end()
	}
	s.version(asking)
	if s.closed == nil {
		s.discover(asking)
		s.closed = s.gather()
	}
	if s.closed == nil {
		s.undiscovered()
		s.together(asking, 4, s.base(s.namespace))
	}
	if s.closed != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return c.failed(sink, s.closed)
	}
	s.kubeadmin(asking)
	if c.opts.KubeletConfig {
		s.kubelets(asking)
	}
	if c.opts.NoAnonymous {
		s.info.Missing["anonymous"] = facts.Missing{Status: facts.NotAssessed, Reason: "no request without credentials was tried (--no-anonymous)"}
	} else {
		s.anonymous(asking)
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	s.set.Cluster(s.info)
	if err := sink.Target(c.target(s)); err != nil {
		return err
	}
	sender, sending := kube.NewSender(ctx, sink, c.opts.Parallel)
	s.send = sender.Send
	stop := context.AfterFunc(sending, cancel) // a sink that refuses ends the asking too
	s.together(asking, 2, s.controllers(s.namespace))
	s.together(asking, 1, s.parts(s.namespace))
	s.together(asking, 1, s.pods(s.namespace))
	stop()
	if len(s.refused) > 0 {
		s.opts.Log.Warn("the credentials do not show everything; the report tells what is unknown for it", "refused", strings.Join(s.refused, ", "))
	}
	if ctx.Err() == nil {
		for r := range s.set.Resources() {
			if !sender.Send(r) {
				break
			}
		}
	}
	if err := sender.Close(); err != nil || c.opts.Images == nil {
		return err
	}
	return c.opts.Images(ctx, sink, s.set.RunningImages(), s.pullSecret)
}

// pullSecret reads one pull Secret. It is the only Secret whose content is read
// and handed on. The error does not name it.
func (s *session) pullSecret(ctx context.Context, p kube.PullSecret) ([]byte, error) {
	var out []byte
	err := s.retry(ctx, "pull secret", func(ctx context.Context) error {
		o, err := s.typed.CoreV1().Secrets(p.Namespace).Get(ctx, p.Name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		switch o.Type {
		case corev1.SecretTypeDockerConfigJson:
			out = o.Data[corev1.DockerConfigJsonKey]
		case corev1.SecretTypeDockercfg: // the older form is the list of servers alone
			out = slices.Concat([]byte(`{"auths":`), o.Data[corev1.DockerConfigKey], []byte("}"))
		default:
			return fmt.Errorf("it is of type %s, which holds no credentials of a registry", o.Type)
		}
		return nil
	})
	switch {
	case apierrors.IsForbidden(err):
		return nil, errors.New("the credentials may not read it; grant get on this Secret by its name (see docs/deploy)")
	case apierrors.IsNotFound(err):
		return nil, errors.New("there is no such Secret")
	}
	return out, err
}

// failed sends the target as one without facts.
func (c *Collector) failed(sink scanner.Sink, err error) error {
	return sink.Target(facts.Target{
		Kind: "cluster", Ref: c.conn.Context, Identity: cmp.Or(c.opts.Name, "cluster:"+c.conn.Config.Host), Properties: map[string]string{}, Error: err.Error(),
	})
}

// target describes the cluster.
func (c *Collector) target(s *session) facts.Target {
	t := facts.Target{Kind: "cluster", Ref: c.conn.Context, Properties: map[string]string{
		"server": c.conn.Config.Host, "version": s.info.Version, "namespace": cmp.Or(s.namespace, "all"),
	}}
	t.Identity = cmp.Or(c.opts.Name, s.set.ClusterUID())
	if t.Identity == "" {
		t.Identity = c.conn.Config.Host
	}
	if c.opts.Name == "" {
		t.Identity = "cluster:" + t.Identity
	}
	return t
}

// open makes the clients.
func (c *Collector) open() (*session, error) {
	config := rest.CopyConfig(c.conn.Config)
	config.QPS, config.Burst = 100, 200 // the defaults of 5 and 10 throttle
	config.Timeout = c.opts.RequestTimeout
	config.WarningHandler = rest.NoWarnings{}
	config.WarningHandlerWithContext = rest.NoWarnings{}
	config.UserAgent = "postscan"
	s := &session{opts: c.opts, context: c.conn.Context, namespace: c.conn.Namespace, dark: map[string]error{}, config: config, namespacesRead: make(chan struct{})}
	if _, _, err := rest.DefaultServerUrlFor(config); err != nil {
		return nil, fmt.Errorf("prepare the connection to %s: %w", config.Host, err)
	}
	httpClient, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("prepare the connection to %s: %w", config.Host, err)
	}
	httpClient.Transport = impatient{httpClient.Transport}
	binary := rest.CopyConfig(config)
	binary.ContentType, binary.AcceptContentTypes = "application/vnd.kubernetes.protobuf", "application/vnd.kubernetes.protobuf,application/json"
	typed, errTyped := kubernetes.NewForConfigAndClient(binary, httpClient)
	dyn, errDynamic := dynamic.NewForConfigAndClient(config, httpClient)
	meta, errMeta := metadata.NewForConfigAndClient(config, httpClient)
	if err := errors.Join(errTyped, errDynamic, errMeta); err != nil {
		return nil, fmt.Errorf("prepare the connection to %s: %w", config.Host, err)
	}
	s.typed, s.dynamic, s.meta = typed, dyn, meta
	return s, nil
}

// gather makes what the objects go into.
func (s *session) gather() error {
	kinds, err := s.reported()
	if err != nil {
		return err
	}
	s.set = kube.New(kube.Options{
		Live: true, TrackImages: s.opts.Images != nil, Early: func(r *facts.Resource) { s.send(r) }, Target: s.context, Now: s.opts.Now, Detect: s.opts.Detect, Kinds: kinds, Log: s.opts.Log,
		Keep: func(ns string) bool {
			if s.namespace != "" && ns != "" && ns != s.namespace {
				return false
			}
			return !slices.ContainsFunc(s.opts.ExcludeNamespaces, func(p string) bool {
				ok, err := path.Match(p, ns)
				return ns != "" && err == nil && ok
			})
		},
	})
	return nil
}

// version asks for the server's version, which needs no right. It is also the
// first word with the server: one that cannot be reached ends the scan here.
func (s *session) version(ctx context.Context) {
	s.info.Missing = map[string]facts.Missing{}
	s.endpoint(ctx)
	var v string
	err := s.retry(ctx, "version", func(ctx context.Context) error {
		info, err := s.typed.Discovery().WithLegacyWithContext(ctx).ServerVersionWithContext(ctx)
		if err == nil {
			v = info.GitVersion
		}
		return err
	})
	if err == nil {
		s.info.Version = v
		return
	}
	switch {
	case apierrors.IsUnauthorized(err):
		s.closed = fmt.Errorf("enter the cluster at %s: it does not accept the credentials of this context; log in again", s.config.Host)
	case apierrors.IsForbidden(err) && s.actsInVain(ctx):
		s.closed = fmt.Errorf("enter the cluster at %s as %q: the credentials may not act as others; grant the verb impersonate, or leave --as out", s.config.Host, s.config.Impersonate.UserName)
	case apierrors.IsForbidden(err):
		m := missing("the server's version", err)
		for _, p := range []string{"version", "minor", "patch", "support_ends"} {
			s.info.Missing[p] = m
		}
	default:
		s.closed = fmt.Errorf("reach the cluster at %s: %w", s.config.Host, plainError(err))
	}
}

// actsInVain says whether the server answers the caller itself, and not as the
// one that it wants to act as.
func (s *session) actsInVain(ctx context.Context) bool {
	if s.config.Impersonate.UserName == "" {
		return false
	}
	own := rest.CopyConfig(s.config)
	own.Impersonate = rest.ImpersonationConfig{}
	client, err := kubernetes.NewForConfig(own)
	if err != nil {
		return false
	}
	_, err = client.Discovery().WithLegacyWithContext(ctx).ServerVersionWithContext(ctx)
	return err == nil
}

// endpoint tells where the server was reached and with what credentials.
func (s *session) endpoint(ctx context.Context) {
	e := facts.Endpoint{Host: s.config.Host, Public: "unknown", Port: 443}
	u, err := url.Parse(s.config.Host)
	if err == nil && u.Host != "" {
		e.Host = u.Host
		if n, err := strconv.Atoi(u.Port()); err == nil {
			e.Port = n
		}
		ips := s.resolve(ctx, u.Hostname())
		if len(ips) > 0 {
			e.Public = strconv.FormatBool(slices.ContainsFunc(ips, func(ip netip.Addr) bool { return ip.IsGlobalUnicast() && !ip.IsPrivate() }))
		}
		e.Plain = u.Scheme == "http" && !slices.ContainsFunc(ips, netip.Addr.IsLoopback)
	}
	s.info.Endpoint = e
	s.info.Credential = credential(s.config)
}

// resolve looks up the addresses of the server; none where its name does not
// resolve here, as behind a proxy.
func (s *session) resolve(ctx context.Context, host string) []netip.Addr {
	if ip, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{ip}
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		s.opts.Log.Debug("the server's name does not resolve here", "host", host, "error", err)
		return nil
	}
	for i := range ips {
		ips[i] = ips[i].Unmap()
	}
	return ips
}

// credential says what kind of credential the configuration holds. Of a token
// only its own expiry is read.
func credential(c *rest.Config) facts.Credential {
	out := facts.Credential{Kind: "none", Expires: "unknown"}
	switch {
	case c.ExecProvider != nil:
		out.Kind = "exec"
	case c.AuthProvider != nil:
		out.Kind = "provider"
	case c.BearerTokenFile != "":
		out.Kind = "token-file"
	case c.BearerToken != "":
		out.Kind, out.Expires = "token", tokenExpires(c.BearerToken)
	case c.Username != "":
		out.Kind = "password"
	case c.CertFile != "" || len(c.CertData) > 0:
		out.Kind = "certificate"
	}
	return out
}

// tokenExpires reads of a JSON Web Token whether it says when it ends.
func tokenExpires(token string) string {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return "unknown"
	}
	body, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return "unknown"
	}
	var claims struct {
		Expiry *json.Number `json:"exp"`
	}
	if json.Unmarshal(body, &claims) != nil {
		return "unknown"
	}
	return strconv.FormatBool(claims.Expiry != nil)
}

// discover asks which kinds the server offers. Where a part of that fails, the
// lists themselves will tell.
func (s *session) discover(ctx context.Context) {
	served, kinds := map[schema.GroupResource]schema.GroupVersionResource{}, map[schema.GroupResource]string{}
	groups, names := map[string]bool{}, map[string]string{}
	err := s.retry(ctx, "discovery", func(ctx context.Context) error {
		list, err := s.typed.Discovery().WithLegacyWithContext(ctx).ServerPreferredResourcesWithContext(ctx)
		for _, l := range list {
			gv, errGV := schema.ParseGroupVersion(l.GroupVersion)
			if errGV != nil {
				continue
			}
			groups[gv.Group] = true
			for i := range l.APIResources {
				r := &l.APIResources[i]
				if strings.Contains(r.Name, "/") || !slices.Contains(r.Verbs, "list") {
					continue
				}
				gr := schema.GroupResource{Group: gv.Group, Resource: r.Name}
				served[gr], kinds[gr] = gv.WithResource(r.Name), r.Kind
				for _, n := range append(r.ShortNames, r.Name, r.SingularName, r.Kind) {
					names[strings.ToLower(n)] = r.Kind
				}
			}
		}
		var some *discovery.ErrGroupDiscoveryFailed
		if errors.As(err, &some) {
			for gv, why := range some.Groups {
				s.dark[gv.Group] = why
			}
		}
		if len(list) > 0 {
			return nil
		}
		return err
	})
	if err != nil {
		s.opts.Log.Warn("the server did not tell which kinds it offers", "error", err)
		return
	}
	s.served, s.kinds, s.names = served, kinds, names
	for g := range groups {
		s.info.Groups = append(s.info.Groups, g)
	}
	slices.Sort(s.info.Groups)
}

// reported are the kinds that the report is limited to, by the names that
// kubectl takes too. A kind that nobody knows is an error, because a report on
// nothing would look like a good one.
func (s *session) reported() ([]string, error) {
	var out []string
	for _, k := range s.opts.IncludeKinds {
		known := s.names[strings.ToLower(k)]
		if known == "" && (s.served == nil || strings.EqualFold(k, "Cluster") || slices.ContainsFunc(customKinds, func(c customKind) bool { return c.called(k) })) {
			known = k // nobody can tell, or an add-on that this cluster does not have
		}
		if known == "" {
			return nil, fmt.Errorf("report on the kind %q: neither postscan nor the cluster knows it; name it as Deployment", k)
		}
		out = append(out, known)
	}
	return out, nil
}
