package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	cri "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/facts"
)

// served is an engine that speaks Docker's API on a socket, for load and for bad manners.
type served struct {
	socket   string
	tcp      string // address, where it listens on a port
	inspects atomic.Int64
	most     atomic.Int64 // inspections at one time
	now      atomic.Int64
}

// behaviour says how the engine behaves.
type behaviour struct {
	containers int
	version    string                                                   // of its API; 1.41 where empty
	inspect    func(w http.ResponseWriter, r *http.Request, n int) bool // true where it has answered
	info       http.HandlerFunc
	volume     map[string]string // options of the volume data
	tcp        bool              // on a port of loopback, not on a socket
}

// serveEngine starts the engine.
func serveEngine(t testing.TB, b behaviour) *served {
	t.Helper()
	s := &served{socket: filepath.Join(folder(t), "docker.sock")}
	if b.version == "" {
		b.version = "1.41"
	}
	answer := func(w http.ResponseWriter, v any) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(v) // who hung up is not told
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/_ping", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Api-Version", b.version)
		w.Header().Set("Server", "Docker/20.10.24 (linux)")
	})
	prefix := "/v" + b.version
	info := func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]any{
			"ID": "TEST", "ServerVersion": "20.10.24", "OSType": "linux", "CgroupVersion": "2", "SecurityOptions": []string{"name=seccomp,profile=default"},
			"Swarm": map[string]any{"LocalNodeState": "inactive"},
		})
	}
	if b.info != nil {
		info = b.info
	}
	mux.HandleFunc(prefix+"/info", info)
	mux.HandleFunc(prefix+"/version", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]any{"Version": "20.10.24", "ApiVersion": b.version})
	})
	mux.HandleFunc(prefix+"/networks", func(w http.ResponseWriter, _ *http.Request) { answer(w, []any{}) })
	mux.HandleFunc(prefix+"/containers/json", func(w http.ResponseWriter, _ *http.Request) {
		list := make([]map[string]any, b.containers)
		for i := range list {
			list[i] = map[string]any{"Id": containerID(i), "Names": []string{fmt.Sprintf("/c%d", i)}}
		}
		answer(w, list)
	})
	mux.HandleFunc(prefix+"/containers/{id}/json", func(w http.ResponseWriter, r *http.Request) {
		now := s.now.Add(1)
		defer s.now.Add(-1)
		for most := s.most.Load(); now > most; most = s.most.Load() {
			if s.most.CompareAndSwap(most, now) {
				break
			}
		}
		n := int(s.inspects.Add(1))
		if b.inspect != nil && b.inspect(w, r, n) {
			return
		}
		answer(w, inspected(r.PathValue("id")))
	})
	mux.HandleFunc(prefix+"/volumes", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]any{"Volumes": []map[string]any{{"Name": "data", "Driver": "local", "Options": b.volume}}})
	})
	mux.HandleFunc(prefix+"/exec/{id}/json", func(w http.ResponseWriter, r *http.Request) {
		id := r.PathValue("id")
		answer(w, map[string]any{"ID": id, "Running": id != "over", "ProcessConfig": map[string]any{"privileged": id != "two"}})
	})
	network, address := "unix", s.socket
	if b.tcp {
		network, address = "tcp", "127.0.0.1:0"
	}
	listener, err := net.Listen(network, address)
	must(t, err)
	if b.tcp {
		s.tcp = "tcp://" + listener.Addr().String()
	}
	server := &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(listener) }() // ends with Close
	t.Cleanup(func() { _ = server.Close() })
	return s
}

func containerID(i int) string { return fmt.Sprintf("%012x%052d", i+1, 0) }

// inspected is a container as Docker describes one, with what people give theirs.
func inspected(id string) map[string]any {
	return map[string]any{
		"Id": id, "Name": "/c" + strings.TrimLeft(id, "0"), "Image": "sha256:" + id, "State": map[string]any{"Status": "exited"},
		"Config":          map[string]any{"Image": "registry.example/team/app:1", "User": "10001", "Env": []string{"PATH=/bin", "MODE=production", "PORT=8080"}, "Labels": map[string]string{"team": "shop"}, "Cmd": []string{"/app"}},
		"HostConfig":      map[string]any{"NetworkMode": "own", "CapDrop": []string{"ALL"}, "ReadonlyRootfs": true, "Memory": 1 << 25, "PidsLimit": 50, "NanoCpus": 500000000, "SecurityOpt": []string{"no-new-privileges"}, "MaskedPaths": []string{"/proc/kcore"}},
		"Mounts":          []map[string]any{{"Type": "volume", "Name": "data", "Source": "/var/lib/docker/volumes/data/_data", "Destination": "/data", "RW": true}},
		"NetworkSettings": map[string]any{"Networks": map[string]any{"own": map[string]any{}}},
	}
}

func (s *served) host() []string {
	if s.tcp != "" {
		return []string{s.tcp}
	}
	return []string{"unix://" + s.socket}
}

// failure collects and returns the error of the only target.
func failure(t *testing.T, o Options) string {
	t.Helper()
	s := collect(t, o)
	if len(s.targets) != 1 || len(s.resources) != 0 || s.targets[0].Error == "" {
		t.Fatalf("targets %+v, %d resources: want one target with an error", s.targets, len(s.resources))
	}
	return s.targets[0].Error
}

// Engines that cannot be spoken to are targets with an error that says what to do.
func TestUnreachable(t *testing.T) {
	hangs := func(http.ResponseWriter, *http.Request) { time.Sleep(2 * time.Second) }
	quick := Options{CallTimeout: 100 * time.Millisecond}
	with := func(o Options, hosts ...string) Options { o.Hosts = hosts; return o }
	silent := filepath.Join(folder(t), "docker.sock")
	listener, err := net.Listen("unix", silent)
	must(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	dead := filepath.Join(folder(t), "docker.sock")
	gone, err := net.Listen("unix", dead)
	must(t, err)
	gone.(*net.UnixListener).SetUnlinkOnClose(false)
	must(t, gone.Close())
	for name, tt := range map[string]struct {
		options Options
		says    []string
	}{
		"none on the machine": {Options{Root: folder(t)}, []string{"no container engine was found", "--host"}},
		"no socket":           {with(Options{}, "unix:///nowhere/docker.sock"), []string{"/nowhere/docker.sock", "start the engine"}},
		"nobody listens":      {with(Options{}, "unix://"+dead), []string{"nothing listens"}},
		"accepts and is mute": {with(quick, "unix://"+silent), []string{"does not answer within 100ms", "--call-timeout"}},
		"info hangs":          {with(quick, serveEngine(t, behaviour{info: hangs}).host()...), []string{"does not answer within 100ms"}},
		"an old API":          {with(Options{}, serveEngine(t, behaviour{version: "1.24"}).host()...), []string{"1.24", "minimum supported"}},
		"tcp":                 {with(Options{}, "tcp://127.0.0.1:1"), []string{"nothing listens there"}},
		"containerd by tcp":   {with(Options{}, "unix:///nowhere/containerd.sock"), []string{"no socket /nowhere/containerd.sock"}},
		"answers rubbish":     {with(Options{}, serveEngine(t, behaviour{info: func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("{")) }}).host()...), []string{"ask the engine about itself"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := failure(t, tt.options)
			for _, s := range tt.says {
				if !strings.Contains(got, s) {
					t.Errorf("%q does not say %q", got, s)
				}
			}
		})
	}
}

// noRights is the socket that the process of [TestNoRights] looks at, in its environment.
const noRights = "POSTSCAN_TEST_NO_RIGHTS"

// A user without rights on the socket learns what to do, and no engine is taken for seen. Root may open everything, so
// another process looks, as nobody.
func TestNoRights(t *testing.T) {
	if host := os.Getenv(noRights); host != "" {
		if root := os.Getenv(noRights + "_ROOT"); root != "" { // it may speak to the engine, and not read its files
			for _, p := range []string{"listeners", "iptables"} {
				if m := collect(t, Options{Hosts: []string{host}, Root: root}).resources["docker"].Missing[p]; m.Status != facts.Unknown || !m.Partial || !strings.Contains(m.Reason, "run postscan as root") {
					t.Errorf("%s: %+v", p, m)
				}
			}
			return
		}
		s := collect(t, Options{Hosts: []string{host}})
		if os.Getuid() == 0 || len(s.resources) > 0 || len(s.targets) != 1 || !strings.Contains(s.targets[0].Error, "permission denied") || !strings.Contains(s.targets[0].Error, "run postscan as root") {
			t.Errorf("user %d, targets %+v, resources %v", os.Getuid(), s.targets, s.resources)
		}
		return
	}
	need(t)
	e := serveEngine(t, behaviour{containers: 1})
	must(t, os.Chmod(filepath.Dir(e.socket), 0o711))
	must(t, os.Chmod(e.socket, 0o600))
	crio := serveCRI(t, crioServer{})
	must(t, os.Chmod(filepath.Dir(crio), 0o711))
	must(t, os.Chmod(crio, 0o600))
	closed := filepath.Join(folder(t), "docker.sock") // in a folder that nobody else may enter
	must(t, os.Symlink(e.socket, closed))
	open := serveEngine(t, behaviour{containers: 1})
	must(t, os.Chmod(filepath.Dir(open.socket), 0o711))
	must(t, os.Chmod(open.socket, 0o666))
	root := folder(t)
	must(t, os.Chmod(root, 0o755))
	must(t, os.Chmod(writeFile(t, root, "etc/docker/daemon.json", "{}"), 0o600))
	for name, socket := range map[string]string{"docker": e.socket, "cri": crio, "folder": closed, "file": open.socket} {
		t.Run(name, func(t *testing.T) {
			// The program's own path lies in a folder of root.
			cmd := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.run=^TestNoRights$", "-test.v")
			cmd.Dir = "/"
			cmd.Env = append(os.Environ(), noRights+"=unix://"+socket)
			if name == "file" {
				cmd.Env = append(cmd.Env, noRights+"_ROOT="+root)
			}
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
			out, err := cmd.CombinedOutput()
			if err != nil || !bytes.Contains(out, []byte("--- PASS: TestNoRights")) {
				t.Errorf("as nobody: %v\n%s", err, out)
			}
		})
	}
}

// What hosts may be.
func TestHosts(t *testing.T) {
	for _, bad := range []string{"docker", "http://x", "tcp://x", "unix://relative", "ssh://user:password@host", "tcp://x:1/path", "::"} {
		if err := (Options{Hosts: []string{bad}}).Validate(); !errors.Is(err, ErrUsage) || strings.Contains(err.Error(), "password@") {
			t.Errorf("%s: %v", bad, err)
		}
	}
	for _, good := range []string{"unix:///run/docker.sock", "/run/docker.sock", "tcp://127.0.0.1:2375", "ssh://me@host"} {
		must(t, Options{Hosts: []string{good}}.Validate())
	}
	if err := (Options{Name: "x"}).Validate(); !errors.Is(err, ErrUsage) {
		t.Errorf("a name without a host: %v", err)
	}
}

// A container that goes away is said and is no gap; one that cannot be inspected is unknown; the rest goes on.
func TestContainersThatFail(t *testing.T) {
	var log bytes.Buffer
	e := serveEngine(t, behaviour{containers: 5, inspect: func(w http.ResponseWriter, r *http.Request, _ int) bool {
		switch r.PathValue("id") {
		case containerID(0):
			w.WriteHeader(http.StatusNotFound)
			_, _ = w.Write([]byte(`{"message": "No such container"}`))
		case containerID(1):
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = w.Write([]byte(`{"message": "disk is broken"}`))
		case containerID(2):
			_, _ = w.Write([]byte(`{"Id": "x"}`))
		default:
			return false
		}
		return true
	}})
	s := collect(t, Options{Hosts: e.host(), Log: slog.New(slog.NewTextHandler(&log, nil))})
	if len(s.resources) != 1+2+2 { // the engine, two that are well, two that are not
		t.Fatalf("%d resources", len(s.resources))
	}
	if !strings.Contains(log.String(), "went away") {
		t.Errorf("log %q", log.String())
	}
	for _, id := range []string{containerID(1), containerID(2)} {
		r := s.resources["docker/"+short(id)]
		if r == nil || r.Missing["privileged"].Status != facts.Unknown || r.Missing["capabilities"].Reason == "" {
			t.Errorf("%s: %+v", short(id), r)
		}
	}
	rep := findingsReport(t, Options{Hosts: e.host()})
	if rep.unknown == 0 {
		t.Error("a container that could not be seen trips no gate")
	}
}

// An engine that hangs while containers are inspected does not hold the scan for as many time-outs as it has containers.
func TestInspectionsThatHang(t *testing.T) {
	e := serveEngine(t, behaviour{containers: 500, inspect: func(_ http.ResponseWriter, r *http.Request, _ int) bool {
		select {
		case <-r.Context().Done():
		case <-time.After(5 * time.Second):
		}
		return true
	}})
	s := collect(t, Options{Hosts: e.host(), CallTimeout: time.Second, Parallel: 4})
	if n := e.inspects.Load(); n > 20 {
		t.Errorf("%d calls to an engine that hangs", n)
	}
	if len(s.resources) != 501 {
		t.Errorf("%d resources, want the engine and 500 unknown containers", len(s.resources))
	}
}

// 2,000 containers are inspected a few at a time, each once.
func TestManyContainers(t *testing.T) {
	e := serveEngine(t, behaviour{containers: 2000})
	s := collect(t, Options{Hosts: e.host()})
	if len(s.resources) != 2001 || e.inspects.Load() != 2000 || e.most.Load() > 8 {
		t.Errorf("%d resources, %d inspections, %d at one time", len(s.resources), e.inspects.Load(), e.most.Load())
	}
}

// A scan that is cancelled ends at once, with the cause.
func TestCancelled(t *testing.T) {
	stop := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	e := serveEngine(t, behaviour{containers: 100, inspect: func(_ http.ResponseWriter, _ *http.Request, n int) bool {
		if n == 10 {
			cancel(stop)
		}
		return false
	}})
	err := New(Options{Hosts: e.host()}).Collect(ctx, &seen{resources: map[string]*facts.Resource{}})
	if !errors.Is(err, stop) {
		t.Errorf("%v", err)
	}
}

type outcomeCount struct{ unknown int }

func findingsReport(t testing.TB, o Options) outcomeCount {
	t.Helper()
	o.Detect = detect
	var n outcomeCount
	e := evaluator(t)
	s := &seen{resources: map[string]*facts.Resource{}}
	must(t, New(o).Collect(t.Context(), s))
	for _, r := range s.resources {
		outcomes, err := e.Evaluate(t.Context(), r)
		must(t, err)
		for _, oc := range outcomes {
			if oc.Gap == facts.Unknown {
				n.unknown++
			}
		}
	}
	return n
}

// A broken daemon.json makes what it decides unknown, and the rest goes on.
func TestBrokenDaemonJSON(t *testing.T) {
	root := folder(t)
	writeFile(t, root, "etc/docker/daemon.json", `{"iptables": fals`)
	e := serveEngine(t, behaviour{})
	s := collect(t, Options{Hosts: e.host(), Root: root})
	r := s.resources["docker"]
	for _, p := range []string{"iptables", "listeners", "userland_proxy"} {
		if m := r.Missing[p]; m.Status != facts.Unknown || !m.Partial || !strings.Contains(m.Reason, "daemon.json is broken") {
			t.Errorf("%s: %+v", p, m)
		}
	}
	// There is no /sys below the root: nobody knows what the kernel offers.
	if m := r.Missing["apparmor"]; m.Status != facts.Unknown {
		t.Errorf("apparmor: %+v", m)
	}
}

// A FIFO where a file should be holds nobody up, and is no configuration.
func TestFIFO(t *testing.T) {
	root := folder(t)
	must(t, os.MkdirAll(filepath.Join(root, "etc/docker"), 0o755))
	must(t, syscall.Mkfifo(filepath.Join(root, "etc/docker/daemon.json"), 0o644))
	must(t, syscall.Mkfifo(filepath.Join(root, "etc/machine-id"), 0o644))
	e := serveEngine(t, behaviour{})
	if m := collect(t, Options{Hosts: e.host(), Root: root}).resources["docker"].Missing["listeners"]; m.Status != facts.Unknown || !strings.Contains(m.Reason, "no regular file") {
		t.Errorf("listeners %+v", m)
	}
}

// A CRI-O whose configuration is broken, or which hangs.
func TestBrokenCRIO(t *testing.T) {
	root := folder(t)
	writeFile(t, root, "etc/crio/crio.conf", "[crio.api]\nlisten = \"/x\"\n")
	writeFile(t, root, "etc/crio/crio.conf.d/99.conf", "[crio.runtime\n")
	s := collect(t, Options{Hosts: []string{"unix://" + serveCRI(t, crioServer{})}, Root: root})
	for _, p := range []string{"cri", "seccomp", "listeners", "default_capabilities"} {
		if m := s.resources["cri-o"].Missing[p]; m.Status != facts.Unknown || !strings.Contains(m.Reason, "99.conf") {
			t.Errorf("%s: %+v", p, m)
		}
	}
	if len(s.resources) != 2 {
		t.Errorf("%d resources: its containers are looked at all the same", len(s.resources))
	}
	got := failure(t, Options{Hosts: []string{"unix://" + serveCRI(t, hangingCRIO{})}, CallTimeout: 100 * time.Millisecond})
	if !strings.Contains(got, "does not answer within 100ms") {
		t.Errorf("an engine that hangs: %q", got)
	}
}

// hangingCRIO takes calls and does not come back before they are given up.
type hangingCRIO struct{ crioServer }

func (hangingCRIO) Version(ctx context.Context, _ *cri.VersionRequest) (*cri.VersionResponse, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// The configuration of a machine, read below another root.
func TestDaemonJSON(t *testing.T) {
	root := folder(t)
	writeFile(t, root, "etc/docker/daemon.json", `{"iptables": false, "hosts": ["tcp://0.0.0.0:2376"], "tls": true, "tlsverify": true, "no-new-privileges": true, "metrics-addr": "0.0.0.0:9323"}`)
	writeFile(t, root, "etc/machine-id", "0123456789abcdef0123456789abcdef\n")
	writeFile(t, root, "etc/audit/rules.d/docker.rules", "-w /etc/docker -p wa\n-a always,exit -F path=/usr/bin/dockerd -F perm=x\n")
	e := serveEngine(t, behaviour{containers: 1})
	s := collect(t, Options{Hosts: e.host(), Root: root})
	f := s.engine(t, "docker")
	if f.IPTables || !f.NoNewPrivileges || len(f.Listeners) != 3 || !f.Listeners[1].ClientVerification || f.Listeners[1].Loopback || f.Listeners[2].Purpose != "metrics" {
		t.Errorf("engine %+v", f)
	}
	if len(f.Audit.Paths) != 2 || !strings.HasPrefix(s.targets[0].Identity, "0123456789abcdef0123456789abcdef docker at ") {
		t.Errorf("audit %+v, target %+v", f.Audit, s.targets)
	}
}

// Of an engine elsewhere its files are not assessed, and never taken for good; what its API tells is judged.
func TestElsewhere(t *testing.T) {
	e := serveEngine(t, behaviour{containers: 1, tcp: true})
	s := collect(t, Options{Hosts: e.host()})
	r := s.resources["docker"]
	f := s.engine(t, "docker")
	if f.Local || len(f.Listeners) != 1 || !f.Listeners[0].Loopback || f.Listeners[0].TLS || s.targets[0].Identity != "TEST docker" {
		t.Errorf("engine %+v, targets %+v", f, s.targets)
	}
	for _, p := range []string{"files", "audit", "apparmor", "selinux", "signature_policy", "iptables"} {
		if m := r.Missing[p]; m.Status != facts.NotAssessed || !strings.Contains(m.Reason, "another machine") {
			t.Errorf("%s: %+v", p, m)
		}
	}
}

// A volume that is a folder of the machine in disguise is told as one.
func TestVolumeThatBinds(t *testing.T) {
	e := serveEngine(t, behaviour{containers: 1, volume: map[string]string{"type": "none", "o": "bind,ro", "device": "/etc"}})
	got := findings(t, Options{Hosts: e.host()})
	for id, list := range got {
		if id != "docker" && !slices.Contains(list, "PS-ENG-012 critical /data") {
			t.Errorf("%s: %v", id, list)
		}
	}
}

// /proc that tells of another process is not believed: the control group must carry the container's id.
func TestLyingProc(t *testing.T) {
	root := folder(t)
	id := containerID(0)
	writeFile(t, root, "proc/77/status", "Uid:\t0\t0\t0\t0\nNoNewPrivs:\t1\nSeccomp:\t2\nCapBnd:\t00000000a80425fb\n")
	writeFile(t, root, "proc/77/uid_map", "0 100000 65536\n")
	writeFile(t, root, "proc/77/cgroup", "0::/somewhere/else\n")
	m := readMachine(root)
	if st, ok := m.status(77, id); ok {
		t.Errorf("believed %+v", st)
	}
	writeFile(t, root, "proc/77/cgroup", "0::/docker/"+id+"\n")
	st, ok := m.status(77, id)
	if !ok || !st.noNewPrivs || st.seccomp != 2 || !st.remapped || len(capabilityNames(st.bounding)) != 14 {
		t.Errorf("%t %+v %v", ok, st, capabilityNames(st.bounding))
	}
	// AppArmor's word on a process counts where the kernel has AppArmor: an engine names a profile that it could not load.
	writeFile(t, root, "proc/77/attr/current", "unconfined\n")
	if st, _ := m.status(77, id); st.apparmor != "" {
		t.Errorf("without AppArmor: %q", st.apparmor)
	}
	writeFile(t, root, "sys/module/apparmor/parameters/enabled", "Y\n")
	if st, _ := m.status(77, id); st.apparmor != "unconfined" {
		t.Errorf("AppArmor %q", st.apparmor)
	}
	writeFile(t, root, "proc/77/attr/apparmor/current", "docker-default (enforce)\n")
	if st, _ := m.status(77, id); st.apparmor != "docker-default" {
		t.Errorf("AppArmor %q", st.apparmor)
	}
	writeFile(t, root, "proc/77/status", "Uid:\tx\nNoNewPrivs:\t1\n")
	if _, ok := m.status(77, id); ok {
		t.Error("a status without its fields is believed")
	}
}

func BenchmarkContainers(b *testing.B) {
	for _, n := range []int{500, 2000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			e := serveEngine(b, behaviour{containers: n})
			judge := evaluator(b)
			for b.Loop() {
				count := &judging{evaluator: judge}
				if err := New(Options{Hosts: e.host(), Detect: detect}).Collect(b.Context(), count); err != nil {
					b.Fatal(err)
				}
				if got := count.n.Load(); got != int64(n)+1 {
					b.Fatalf("%d resources", got)
				}
			}
		})
	}
}

// judging judges what it is sent, as a scan does.
type judging struct {
	evaluator scanner.Evaluator
	n         atomic.Int64
}

func (j *judging) Target(facts.Target) error { return nil }
func (j *judging) Source(facts.Source) error { return nil }
func (j *judging) Resource(ctx context.Context, r *facts.Resource) error {
	r.Normalise()
	j.n.Add(1)
	_, err := j.evaluator.Evaluate(ctx, r)
	return err
}
