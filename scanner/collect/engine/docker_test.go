package engine

import (
	"context"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postscan/postscan/checks"
	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/facts"
	"github.com/postscan/postscan/scanner/regoeval"
)

// evaluator judges with all policies about engines and containers.
func evaluator(t testing.TB) *regoeval.Evaluator {
	t.Helper()
	cat, err := checks.Load(checks.BuiltIn())
	must(t, err)
	selected, err := cat.Select([]string{"subject:engine", "subject:container"}, nil)
	must(t, err)
	params := map[string]any{}
	for _, p := range cat.Params() {
		params[p.Name] = p.Default
	}
	e, err := regoeval.New(t.Context(), cat, selected, regoeval.Options{Params: params, Now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)})
	must(t, err)
	return e
}

// seen keeps what a collector sends.
type seen struct {
	mu        sync.Mutex
	targets   []facts.Target
	resources map[string]*facts.Resource
}

func (s *seen) Target(t facts.Target) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.targets = append(s.targets, t)
	return nil
}

func (s *seen) Source(facts.Source) error { return nil }

func (s *seen) Resource(_ context.Context, r *facts.Resource) error {
	r.Normalise()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.resources[r.ID] = r
	return nil
}

func (s *seen) container(t testing.TB, id string) *facts.EngineContainer {
	t.Helper()
	r, ok := s.resources[id]
	if !ok {
		t.Fatalf("there is no container %s", id)
	}
	return r.Facts.(*facts.EngineContainer)
}

func (s *seen) engine(t testing.TB, id string) *facts.Engine {
	t.Helper()
	r, ok := s.resources[id]
	if !ok {
		t.Fatalf("there is no engine %s: %+v", id, s.targets)
	}
	return r.Facts.(*facts.Engine)
}

// detect takes values of variables that are named like a credential for one.
func detect(where, name, value string) []Detection {
	if !strings.Contains(name, "SECRET") || value == "" {
		return nil
	}
	return []Detection{{Rule: "test", Category: "test", Title: "a credential", Severity: "high", Length: len(value)}}
}

func collect(t testing.TB, o Options) *seen {
	t.Helper()
	o.Detect = detect
	s := &seen{resources: map[string]*facts.Resource{}}
	must(t, New(o).Collect(t.Context(), s))
	return s
}

// findings are what the policies say of each resource: "PS-ENG-004 critical privileged". What depends on
// the machine that the test runs on is left out: its public addresses, its version of control
// groups, its audit rules, the units of its own engines.
func findings(t testing.TB, o Options) map[string][]string {
	t.Helper()
	o.Detect = detect
	rep, err := scanner.Scan(t.Context(), New(o), evaluator(t), scanner.Options{Now: time.Now, Collected: time.Now()})
	must(t, err)
	out := map[string][]string{}
	for _, f := range rep.Findings {
		if slices.Contains([]string{"audit", "cgroup_version"}, f.Key) || strings.HasPrefix(f.Key, "port ") || strings.HasPrefix(f.Key, "listener ") || strings.Contains(f.Key, "/usr/lib/systemd/") || strings.Contains(f.Key, "/etc/") && f.Resource.Kind == facts.KindEngine {
			continue
		}
		out[f.Resource.ID] = append(out[f.Resource.ID], f.Rule.ID+" "+f.Severity.String()+" "+f.Key)
	}
	for _, list := range out {
		slices.Sort(list)
	}
	for _, g := range rep.Gaps {
		if g.Status == facts.Unknown {
			t.Errorf("%s of %s is unknown: %v", g.Check, g.Resource.ID, g.Reasons)
		}
	}
	return out
}

// TestDocker looks at a real dockerd with a hardened and a careless container, and at one that is set up carelessly
// itself and manages a swarm.
func TestDocker(t *testing.T) {
	d := startDocker(t, `{"icc": false, "no-new-privileges": true, "live-restore": false, "userland-proxy": false}`)
	d.run("network", "create", "own")
	d.run("run", "-d", "--name", "hardened", "--user", "10001:10001", "--read-only", "--cap-drop", "ALL", "--memory", "32m", "--pids-limit", "50",
		"--cpus", "0.5", "--network", "own", "-p", "127.0.0.1:8080:80", "base:1", "sleep", "600")
	// Docker cannot start a privileged container where it lacks a capability itself; what such a one would be is told all the same.
	d.run("create", "--name", "privileged", "--privileged", "--network", "own", "base:1", "sleep", "600")
	d.run("run", "-d", "--name", "careless", "--cap-add", "ALL", "--cap-drop", "SYS_RESOURCE", "--pid", "host", "--network", "host", "--ipc", "host",
		"--uts", "host", "--security-opt", "seccomp=unconfined", "-v", "/etc:/host", "-v", "/var/run:/r:ro", "--device", "/dev/kmsg", "-e", "SECRET_KEY="+fakeSecret(),
		"base:1", "sleep", "600")
	d.run("run", "-d", "--name", "beside", "--network", "container:careless", "--user", "app", "base:1", "sleep", "600")
	host := Options{Hosts: []string{"unix://" + d.socket}}

	s := collect(t, host)
	e := s.engine(t, "docker")
	if e.Version == "" || e.API != "1.41" && e.API < "1.40" || !e.Local || e.Command != "dockerd" || e.Seccomp != "default" || !e.NoNewPrivileges || e.UserlandProxy {
		t.Errorf("engine %+v", e)
	}
	if i := slices.IndexFunc(e.Networks, func(n facts.EngineNetwork) bool { return n.Name == "bridge" }); i < 0 || !e.Networks[i].Default || e.Networks[i].ICC {
		t.Errorf("networks %+v", e.Networks)
	}
	hardened := s.container(t, "docker/hardened")
	// The daemon sets it for all: the API does not say so, /proc does.
	if !hardened.NoNewPrivileges || hardened.CapabilitiesFrom != "process" || len(hardened.Capabilities) != 0 || hardened.Seccomp != "RuntimeDefault" {
		t.Errorf("hardened %+v", hardened)
	}
	if p := hardened.Ports; len(p) != 1 || p[0].Reach != "loopback" || p[0].HostPort != 8080 {
		t.Errorf("ports %+v", p)
	}
	if beside := s.container(t, "docker/beside"); beside.Root != "no" || beside.Namespaces.NetworkOf != "careless" || beside.Namespaces.OtherPrivileged != "true" {
		t.Errorf("beside %+v", beside)
	}
	if c := s.container(t, "docker/careless"); len(c.LiteralSecrets) != 1 || c.LiteralSecrets[0].Length == 0 {
		t.Errorf("secrets %+v", c.LiteralSecrets)
	}
	for id, r := range s.resources {
		for _, l := range r.Links {
			if l.Evidence == "" || l.Confidence == "" || l.To == "" {
				t.Errorf("%s: link %+v", id, l)
			}
		}
	}

	want := map[string][]string{
		"docker/privileged": {
			"PS-ENG-004 critical privileged", "PS-ENG-008 low user", "PS-ENG-013 info cpu", "PS-ENG-013 low memory", "PS-ENG-013 low pids", "PS-ENG-014 low root",
		},
		"docker/careless": {
			"PS-ENG-003 critical /r", "PS-ENG-005 high DAC_READ_SEARCH", "PS-ENG-005 high MAC_ADMIN", "PS-ENG-005 high NET_ADMIN", "PS-ENG-005 high SYS_ADMIN",
			"PS-ENG-005 high SYS_BOOT", "PS-ENG-005 high SYS_MODULE", "PS-ENG-005 high SYS_PTRACE", "PS-ENG-005 high SYS_RAWIO", "PS-ENG-006 high network",
			"PS-ENG-006 high pid", "PS-ENG-007 medium ipc", "PS-ENG-008 low user", "PS-ENG-009 high seccomp", "PS-ENG-012 critical /host", "PS-ENG-012 high /r",
			"PS-ENG-012 high device /dev/kmsg", "PS-ENG-013 info cpu", "PS-ENG-013 low memory", "PS-ENG-013 low pids", "PS-ENG-014 low root",
		},
		"docker/beside": {
			"PS-ENG-006 high of network", "PS-ENG-013 info cpu", "PS-ENG-013 low memory", "PS-ENG-013 low pids", "PS-ENG-014 low root",
		},
	}
	got := findings(t, host)
	// BPF, PERFMON and CHECKPOINT_RESTORE are only known to newer engines.
	got["docker/careless"] = slices.DeleteFunc(got["docker/careless"], func(f string) bool { return strings.HasSuffix(f, " BPF") || strings.HasSuffix(f, " PERFMON") })
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}

// TestSwarm looks at a dockerd that is set up carelessly and manages a swarm.
func TestSwarm(t *testing.T) {
	d := startDocker(t, `{"insecure-registries": ["registry.example:5000"]}`, "-H", "tcp://0.0.0.0:2375", "--tls=false")
	must(t, os.Chmod(d.dir, 0o755))
	must(t, os.Chmod(d.socket, 0o666))
	must(t, os.Chmod(d.dir+"/daemon.json", 0o666))
	d.run("swarm", "init", "--advertise-addr", "127.0.0.1", "--listen-addr", "127.0.0.1:2377", "--cert-expiry", "8760h")
	t.Cleanup(func() { d.run("swarm", "leave", "--force") })
	d.run("network", "create", "-d", "overlay", "clear")
	d.run("network", "create", "-d", "overlay", "--opt", "encrypted", "closed")
	d.run("service", "create", "--detach", "--no-resolve-image", "--replicas", "0", "--name", "app", "-e", "SECRET_KEY="+fakeSecret(), "base:1", "sleep", "600")
	host := Options{Hosts: []string{"unix://" + d.socket}}
	s := collect(t, host)
	swarm := s.engine(t, "docker").Swarm
	if swarm.State != "active" || !swarm.Manager || swarm.Managers != 1 || swarm.Workers != 0 || swarm.AutoLock || swarm.CertificateDays != 365 {
		t.Errorf("swarm %+v", swarm)
	}
	want := map[string][]string{"docker": {
		"PS-ENG-001 critical api 0.0.0.0:2375", "PS-ENG-002 high others " + d.socket, "PS-ENG-016 medium registry registry.example:5000",
		"PS-ENG-018 medium write " + d.dir + "/daemon.json", "PS-ENG-020 low managers", "PS-ENG-020 medium autolock", "PS-ENG-020 medium certificates",
		"PS-ENG-021 medium network clear", "PS-ENG-021 medium network ingress", "PS-ENG-021 medium service app env SECRET_KEY test",
	}}
	if diff := cmp.Diff(want, findings(t, host)); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}

// TestHardenedSwarm looks at a swarm that is set up with care: what is left is that it has one manager.
func TestHardenedSwarm(t *testing.T) {
	d := startDocker(t, `{"icc": false, "userland-proxy": false}`)
	must(t, os.Chmod(d.dir, 0o700))
	must(t, os.Chmod(d.socket, 0o600))
	d.run("swarm", "init", "--advertise-addr", "127.0.0.1", "--listen-addr", "127.0.0.1:2377", "--cert-expiry", "720h", "--autolock")
	t.Cleanup(func() { d.run("swarm", "leave", "--force") })
	remove := exec.Command("docker", "-H", "unix://"+d.socket, "network", "rm", "ingress")
	remove.Stdin = strings.NewReader("y\n") // it asks
	if out, err := remove.CombinedOutput(); err != nil {
		t.Fatalf("remove the ingress network: %v\n%s", err, out)
	}
	for range 100 { // it goes away in the background
		if !strings.Contains(d.run("network", "ls", "--format", "{{.Name}}"), "ingress") {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	d.run("network", "create", "-d", "overlay", "--opt", "encrypted", "closed")
	secret := exec.Command("docker", "-H", "unix://"+d.socket, "secret", "create", "key", "-")
	secret.Stdin = strings.NewReader(fakeSecret())
	if out, err := secret.CombinedOutput(); err != nil {
		t.Fatalf("create a secret: %v\n%s", err, out)
	}
	d.run("service", "create", "--detach", "--no-resolve-image", "--replicas", "0", "--name", "app", "--network", "closed", "--secret", "key", "base:1", "sleep", "600")
	host := Options{Hosts: []string{"unix://" + d.socket}}
	swarm := collect(t, host).engine(t, "docker").Swarm
	if !swarm.AutoLock || swarm.CertificateDays != 30 || swarm.Secrets != 1 || len(swarm.Services) != 1 || swarm.Services[0].Secrets != 1 || len(swarm.Services[0].LiteralSecrets) > 0 {
		t.Errorf("swarm %+v", swarm)
	}
	if diff := cmp.Diff(map[string][]string{"docker": {"PS-ENG-020 low managers"}}, findings(t, host)); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}
