// Package engine collects facts from the container engines of a machine: Docker
// with Swarm, Podman, containerd and CRI-O. It only reads.
//
// Engines are found by their sockets, by the processes that run, and by the
// addresses that the user names. Each one is a target of its own. First it is
// asked what it is and how it is set up; then its containers are listed once and
// inspected a few at a time; then what only several of them together tell is
// joined (a container in another's namespace). Where the engine runs on this
// machine, its configuration files and /proc add what its API hides.
//
// A call that does not come back is given up after a time; what it would have
// told is missing, with the reason, and the rest goes on.
package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/facts"
)

// Options are what the collector needs. The zero value finds every engine of
// this machine.
type Options struct {
	// Hosts are the engines to look at: unix:///path, tcp://host:port or
	// ssh://user@host. Empty finds those of this machine.
	Hosts []string
	// Name replaces the engine's identity in fingerprints; for one host only.
	Name string
	// Detect finds credentials in values; nil makes them not assessed.
	Detect Detector
	// Match finds the known vulnerabilities of Go modules; nil makes them not
	// assessed, for the reason NoMatch.
	Match   func(ctx context.Context, modules []facts.Package) ([]facts.Vulnerability, error)
	NoMatch string
	// Images is called once for every engine with the images that it holds, in
	// their order; nil leaves images out. What is wrong with one image is for
	// Images itself to report; an error ends the collection.
	Images func(ctx context.Context, held []HeldImage, sink scanner.Sink) error
	// CallTimeout bounds one call to an engine; 20 seconds where 0.
	CallTimeout time.Duration
	// Parallel is the number of containers inspected at once; 8 where 0.
	Parallel int
	// Root is where the machine's files are read; "/" where empty.
	Root string
	// Getenv reads the environment; nil is an empty one.
	Getenv func(string) string
	// Progress is told how many containers of an engine were seen; nil for nobody.
	Progress func(engine string, done, all int)
	Log      *slog.Logger
}

// Detector finds credentials in one named value. where is env, command, args or file.
type Detector func(where, name, value string) []Detection

// Detection is one credential that was found; its value is not in it.
type Detection struct {
	Rule, Category, Title, Severity string
	Length                          int
}

// Collector implements [scanner.Collector].
type Collector struct{ opts Options }

// ErrUsage is wrapped by the errors of options that cannot be.
var ErrUsage = errors.New("usage")

// Validate says what is wrong with the options; its errors wrap [ErrUsage].
func (o Options) Validate() error {
	if o.Name != "" && len(o.Hosts) != 1 {
		return fmt.Errorf("%w: a name can be given to one engine only; say which with one host", ErrUsage)
	}
	for _, h := range o.Hosts {
		if _, err := parseHost(h); err != nil {
			return fmt.Errorf("%w: %w", ErrUsage, err)
		}
	}
	return nil
}

// New returns a collector. Whether the options are sound is said by
// [Options.Validate], which Collect calls too.
func New(o Options) *Collector {
	o.CallTimeout = cmp.Or(o.CallTimeout, 20*time.Second)
	o.Parallel = cmp.Or(o.Parallel, 8)
	o.Root = cmp.Or(o.Root, "/")
	if o.Getenv == nil {
		o.Getenv = func(string) string { return "" }
	}
	if o.Progress == nil {
		o.Progress = func(string, int, int) {}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Collector{o}
}

// Collect implements [scanner.Collector].
func (c *Collector) Collect(ctx context.Context, sink scanner.Sink) error {
	if err := c.opts.Validate(); err != nil {
		return err
	}
	m := readMachine(c.opts.Root)
	var places []place
	for _, h := range c.opts.Hosts {
		p, err := parseHost(h)
		if err != nil {
			return err
		}
		if !slices.Contains(places, p) {
			places = append(places, p)
		}
	}
	if len(c.opts.Hosts) == 0 {
		places = m.find(c.opts.Getenv)
	}
	if len(places) == 0 {
		return sink.Target(facts.Target{
			Kind: "engine", Ref: "engine", Identity: cmp.Or(m.id, "machine") + " engine", Properties: map[string]string{}, Error: m.nothingFound(),
		})
	}
	errs := make([]error, len(places))
	var wg sync.WaitGroup
	for i, p := range places {
		wg.Go(func() { errs[i] = c.one(ctx, sink, m, p) })
	}
	wg.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return errors.Join(errs...)
}

// one collects one engine. The error ends the whole collection.
func (c *Collector) one(ctx context.Context, sink scanner.Sink, m *machine, p place) error {
	s := &session{opts: c.opts, machine: m, place: p, log: c.opts.Log.With("engine", p.ref), missing: map[string]facts.Missing{}}
	e, err := s.open(ctx)
	if err == nil {
		defer e.close()
		err = s.engine(ctx, e)
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		return sink.Target(facts.Target{
			Kind: "engine", Ref: p.ref, Identity: cmp.Or(c.opts.Name, s.identity()), Properties: map[string]string{}, Error: s.explain(err).Error(),
		})
	}
	if err := sink.Target(s.target()); err != nil {
		return err
	}
	return s.send(ctx, sink, e)
}

// api is one engine's own API.
type api interface {
	// describe fills what the engine says of itself. An error means that it
	// cannot be spoken to.
	describe(ctx context.Context, s *session) error
	// list returns the ids of all containers.
	list(ctx context.Context) ([]string, error)
	// container inspects one. A container that is gone gives errGone.
	container(ctx context.Context, s *session, id string) (*container, error)
	// images lists what it holds.
	images(ctx context.Context, s *session) ([]HeldImage, error)
	close()
}

// errGone says that a container went away between the list and its inspection.
var errGone = errors.New("it is gone")

// session is the collection of one engine.
type session struct {
	opts    Options
	machine *machine
	place   place
	log     *slog.Logger
	peer    process // the engine's process; zero where it was not found
	facts   facts.Engine
	id      string // of the engine itself, where it says one; for remote engines
	missing map[string]facts.Missing
	aliases []facts.Alias
	// gap is what containers lack too, by path of facts.EngineContainer.
	containerGaps map[string]facts.Missing
	networks      map[string]facts.EngineNetwork // by name
	sandboxed     func(runtime string) bool
}

// container is a container before it is joined with others.
type container struct {
	id      string
	doc     facts.EngineContainer
	missing map[string]facts.Missing
	aliases []facts.Alias
	links   []facts.Link
	pid     int
	// other is the id of the container whose namespace this one shares.
	other string
}

// gap notes what could not be seen of the engine.
func (s *session) gap(status facts.Gap, reason string, partial bool, paths ...string) {
	for _, p := range paths {
		s.missing[p] = facts.Missing{Status: status, Reason: reason, Partial: partial}
	}
}

// call runs one call to the engine under the time-out of calls.
func (s *session) call(ctx context.Context, what string, do func(context.Context) error) error {
	limited, cancel := context.WithTimeout(ctx, s.opts.CallTimeout)
	defer cancel()
	err := do(limited)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case limited.Err() != nil, status.Code(err) == codes.DeadlineExceeded: // gRPC tells the engine of the time-out, which may see it a moment earlier
		return fmt.Errorf("%s: %w", what, errSlow{s.opts.CallTimeout})
	default:
		return fmt.Errorf("%s: %w", what, err)
	}
}

// errSlow says that an engine did not answer in time.
type errSlow struct{ after time.Duration }

func (e errSlow) Error() string {
	return fmt.Sprintf("the engine does not answer within %s; look whether it hangs, or give it more time with --call-timeout", e.after)
}

// explain says what to do about an error.
func (s *session) explain(err error) error {
	var slow errSlow
	var op *net.OpError
	switch {
	case errors.As(err, &slow):
		return err
	case errors.Is(err, fs.ErrPermission), strings.Contains(err.Error(), "permission denied"):
		return fmt.Errorf("%w; run postscan as root or as a user of the socket's group", err)
	case errors.Is(err, fs.ErrNotExist) && s.place.path != "":
		return fmt.Errorf("there is no socket %s; start the engine, or say where it is with --host", s.place.path)
	case strings.HasPrefix(s.place.ref, "tcp://") && tlsTrouble(err):
		return fmt.Errorf("%w; the engine and postscan do not agree on certificates: set DOCKER_CERT_PATH to a folder with ca.pem, cert.pem and key.pem that the engine accepts", err)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("%w; nothing listens there: start the engine", err)
	case errors.As(err, &op):
		return err
	default:
		return err
	}
}

// tlsTrouble says that a connection came to nothing because of certificates.
func tlsTrouble(err error) bool {
	text := err.Error()
	return strings.Contains(text, "x509: ") || strings.Contains(text, "tls: ") || strings.Contains(text, "HTTP request to an HTTPS server") || strings.Contains(text, "load X509 key pair") || strings.Contains(text, "/ca.pem")
}

// engine reads everything about the engine itself.
func (s *session) engine(ctx context.Context, e api) error {
	s.facts.Local = s.place.local
	s.facts.Endpoint = s.place.ref
	s.facts.UserNamespaces, s.facts.Seccomp, s.facts.AppArmor, s.facts.SELinux = "none", "default", "unknown", "unknown"
	s.facts.SignaturePolicy.Default, s.facts.Swarm.State, s.facts.OS, s.facts.IPTables, s.facts.UserlandProxy = "none", "inactive", "linux", true, true
	s.containerGaps, s.networks = map[string]facts.Missing{}, map[string]facts.EngineNetwork{}
	s.sandboxed = sandboxRuntime
	if s.place.local {
		s.peer = s.machine.peer(ctx, s.place.path)
	}
	if err := e.describe(ctx, s); err != nil {
		return err
	}
	s.local()
	s.vulnerabilities(ctx)
	if s.opts.Detect == nil {
		const reason = "no rules for credentials were given"
		s.gap(facts.NotAssessed, reason, false, "swarm.services[].literal_secrets", "swarm.configs")
		s.containerGaps["literal_secrets"] = facts.Missing{Status: facts.NotAssessed, Reason: reason}
	}
	return nil
}

// local adds what this machine's files tell; of an engine elsewhere it says that they do not.
func (s *session) local() {
	if !s.place.local {
		const reason = "the engine runs on another machine, whose files are not read; run postscan engine there"
		s.gap(facts.NotAssessed, reason, true, "files", "listeners", "insecure_registries", "certificates")
		s.gap(facts.NotAssessed, reason, true, "iptables", "public_address") // containers are judged by what is known
		s.containerGaps["iptables"], s.containerGaps["public_address"] = s.missing["iptables"], s.missing["public_address"]
		s.gap(facts.NotAssessed, reason, false, "audit", "signature_policy", "userland_proxy")
		for path, state := range map[string]string{"apparmor": s.facts.AppArmor, "selinux": s.facts.SELinux} {
			if state == "unknown" {
				s.gap(facts.NotAssessed, reason, false, path)
			}
		}
		return
	}
	s.facts.Command = s.peer.name
	s.machine.lsm(s)
	s.machine.audit(s)
	s.facts.PublicAddress = s.machine.public
	if s.machine.publicErr != nil {
		m := facts.Missing{Status: facts.Unknown, Reason: "the addresses of this machine cannot be read: " + s.machine.publicErr.Error()}
		s.missing["public_address"], s.containerGaps["public_address"] = m, m
	}
	if m, ok := s.missing["iptables"]; ok {
		s.containerGaps["iptables"] = m
	}
	s.processListeners()
	slices.SortStableFunc(s.facts.Files, func(a, b facts.EngineFile) int { return cmp.Compare(a.Path, b.Path) })
	slices.SortStableFunc(s.facts.Certificates, func(a, b facts.EngineCertificate) int { return cmp.Compare(a.Path, b.Path) })
	s.facts.Certificates = slices.CompactFunc(s.facts.Certificates, func(a, b facts.EngineCertificate) bool { return a.Path == b.Path })
	s.facts.Files = slices.CompactFunc(s.facts.Files, func(a, b facts.EngineFile) bool { return a.Path == b.Path })
}

// identity is what stays the same from scan to scan.
func (s *session) identity() string {
	name := cmp.Or(s.facts.Name, s.place.kind, "engine")
	host := s.machine.id
	if !s.place.local {
		host = cmp.Or(s.id, s.place.ref)
	}
	if s.place.local && s.place.user != "" {
		name += " of " + s.place.user
	} else if s.place.local && !s.place.usual {
		name += " at " + s.place.path
	}
	return cmp.Or(host, "machine") + " " + name
}

// target describes the engine.
func (s *session) target() facts.Target {
	return facts.Target{
		Kind: "engine", Ref: s.place.ref, Identity: cmp.Or(s.opts.Name, s.identity()),
		Properties: map[string]string{"engine": s.facts.Name, "version": s.facts.Version, "api": s.facts.API, "host": s.place.ref},
	}
}

// resource is the engine's.
func (s *session) resource() *facts.Resource {
	r := &facts.Resource{
		Kind: facts.KindEngine, ID: s.facts.Name, Key: "engine", Target: s.place.ref, Facts: &s.facts, Missing: s.missing, Aliases: s.aliases,
		Origin: facts.Origin{File: s.place.path},
	}
	if s.place.local && s.machine.id != "" {
		r.Aliases = append(r.Aliases, facts.Alias{Type: "machine-id", Value: s.machine.id})
		r.Links = append(r.Links, facts.Link{Type: "runs-on", To: "machine-id/" + s.machine.id, Evidence: "its socket is on this machine, /etc/machine-id", Confidence: "certain"})
	} else if s.id != "" {
		r.Links = append(r.Links, facts.Link{Type: "runs-on", To: "engine-id/" + s.id, Evidence: "the engine says so", Confidence: "claimed"})
	}
	return r
}

// send sends the engine, its containers and, where asked for, its images.
func (s *session) send(ctx context.Context, sink scanner.Sink, e api) error {
	ids, err := s.containerIDs(ctx, e)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	found, gone := s.inspect(ctx, e, ids)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var resources []*facts.Resource
	if err != nil {
		// One resource stands for those that nobody could list: what is not seen must not pass.
		resources = append(resources, s.unseen("containers", "all", s.explain(err).Error()))
	}
	resources = append(resources, gone...)
	join(found)
	for _, c := range found {
		resources = append(resources, s.containerResource(c))
	}
	if err := sink.Resource(ctx, s.resource()); err != nil {
		return err
	}
	if err := s.sendAll(ctx, sink, resources); err != nil {
		return err
	}
	if s.opts.Images == nil {
		return nil
	}
	return s.sendImages(ctx, sink, e)
}

// sendAll sends several at once: they are judged on the goroutine that sends.
func (s *session) sendAll(ctx context.Context, sink scanner.Sink, resources []*facts.Resource) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	slots := make(chan struct{}, s.opts.Parallel)
	for _, r := range resources {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			break
		}
		wg.Go(func() {
			defer func() { <-slots }()
			if err := sink.Resource(ctx, r); err != nil {
				cancel(err)
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}

func (s *session) containerIDs(ctx context.Context, e api) (ids []string, err error) {
	err = s.call(ctx, "list the containers", func(ctx context.Context) error {
		ids, err = e.list(ctx)
		return err
	})
	return ids, err
}

// inspect inspects the containers, a few at a time, in their order. Those that
// could not be inspected come back as resources without facts; one that went
// away meanwhile is said in the log and is none of them.
func (s *session) inspect(ctx context.Context, e api, ids []string) ([]*container, []*facts.Resource) {
	found := make([]*container, len(ids))
	errs := make([]error, len(ids))
	var done int
	var mu sync.Mutex
	var wg sync.WaitGroup
	slots := make(chan struct{}, s.opts.Parallel)
	slow := 0
	for i, id := range ids {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return nil, nil
		}
		mu.Lock()
		hangs := slow >= s.opts.Parallel
		mu.Unlock()
		wg.Go(func() {
			defer func() { <-slots }()
			if hangs { // not every one of 2,000 calls waits for its own time-out
				errs[i] = fmt.Errorf("inspect it: %w", errSlow{s.opts.CallTimeout})
				return
			}
			errs[i] = s.call(ctx, "inspect it", func(ctx context.Context) (err error) {
				found[i], err = e.container(ctx, s, id)
				return err
			})
			mu.Lock()
			defer mu.Unlock()
			var tooSlow errSlow
			if errors.As(errs[i], &tooSlow) {
				slow++
			}
			done++
			s.opts.Progress(s.facts.Name, done, len(ids))
		})
	}
	wg.Wait()
	var unseen []*facts.Resource
	for i, err := range errs {
		switch {
		case err == nil:
		case errors.Is(err, errGone):
			s.log.Warn("a container went away while it was looked at; it is not in the report", "container", short(ids[i]))
		default:
			unseen = append(unseen, s.unseen(short(ids[i]), ids[i], s.explain(err).Error()))
		}
	}
	return slices.DeleteFunc(found, func(c *container) bool { return c == nil }), unseen
}

// unseen is a container of which nothing is known but that it is there.
func (s *session) unseen(name, id, reason string) *facts.Resource {
	missing := map[string]facts.Missing{}
	for _, f := range containerFields() {
		missing[f] = facts.Missing{Status: facts.Unknown, Reason: reason}
	}
	return &facts.Resource{
		Kind: facts.KindContainer, ID: s.facts.Name + "/" + name, Target: s.place.ref, Missing: missing,
		Facts:   &facts.EngineContainer{Name: name, Engine: s.facts.Name},
		Aliases: []facts.Alias{{Type: "container-id", Value: id}},
	}
}

// containerResource makes the resource of a container.
func (s *session) containerResource(c *container) *facts.Resource {
	d := &c.doc
	id := s.facts.Name + "/" + d.Name
	if d.Pod.Namespace != "" {
		id = s.facts.Name + "/" + d.Pod.Namespace + "/" + d.Pod.Name + "/" + d.Pod.Container
	}
	for p, m := range s.containerGaps {
		if _, known := c.missing[p]; !known {
			c.missing[p] = m
		}
	}
	return &facts.Resource{
		Kind: facts.KindContainer, ID: id, Target: s.place.ref, Facts: d, Missing: c.missing,
		Origin:  facts.Origin{},
		Aliases: append([]facts.Alias{{Type: "container-id", Value: c.id}}, c.aliases...),
		Links: append([]facts.Link{
			{Type: "runs-on", To: "engine/" + s.facts.Name, Evidence: "the engine lists it", Confidence: "certain"},
		}, c.links...),
	}
}

// join tells of containers in another's namespaces whether that one is more privileged.
func join(all []*container) {
	byID := map[string]*container{}
	for _, c := range all {
		byID[c.id], byID[c.doc.Name] = c, c
	}
	for _, c := range all {
		n := &c.doc.Namespaces
		n.OtherPrivileged = "false"
		if c.other == "" {
			continue
		}
		o := byID[c.other]
		if o == nil {
			for id, candidate := range byID {
				if len(c.other) >= 12 && strings.HasPrefix(id, c.other) {
					o = candidate
				}
			}
		}
		switch {
		case o == nil:
			n.OtherPrivileged = "unknown"
			c.missing["namespaces.other_privileged"] = facts.Missing{Status: facts.Unknown, Reason: "the container whose namespace it shares is not there (any more)"}
		case o.doc.Privileged, o.doc.Namespaces.PID == "host", o.doc.Namespaces.Network == "host":
			n.OtherPrivileged = "true"
		}
		if o != nil {
			if n.PIDOf != "" {
				n.PIDOf = o.doc.Name
			}
			if n.NetworkOf != "" {
				n.NetworkOf = o.doc.Name
			}
		}
	}
}

// short is the part of an id that people use.
func short(id string) string {
	if len(id) > 12 {
		return id[:12]
	}
	return id
}
