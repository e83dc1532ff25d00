package engine

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/postscan/postscan/scanner/facts"
)

// CRI-O is not in Debian, and the machines of the tests have neither AppArmor nor SELinux. What follows is therefore no
// real engine: the documents below are WRITTEN BY HAND after CRI-O's and Docker's own documentation of their formats, and
// served over the real protocols. What real engines said is in recorded_test.go.

// crioSpec is an OCI specification as CRI-O gives it in the verbose status of a container.
const crioSpec = `{"sandboxID": "pod1", "pid": 4242, "privileged": false, "runtimeSpec": {
  "ociVersion": "1.2.0",
  "process": {"user": {"uid": 0, "gid": 0}, "args": ["/app"], "env": ["SECRET_KEY=0123456789abcdef"], "cwd": "/",
    "capabilities": {"bounding": ["CAP_CHOWN", "CAP_SYS_PTRACE"], "effective": ["CAP_CHOWN", "CAP_SYS_PTRACE"], "permitted": ["CAP_CHOWN", "CAP_SYS_PTRACE"]},
    "selinuxLabel": "system_u:system_r:spc_t:s0", "noNewPrivileges": false},
  "root": {"path": "/x", "readonly": false},
  "linux": {"namespaces": [{"type": "pid"}, {"type": "network", "path": "/var/run/netns/a"}, {"type": "ipc", "path": "/p"}, {"type": "uts", "path": "/p"}, {"type": "mount"}, {"type": "cgroup"}],
    "resources": {"memory": {"limit": 1048576}, "pids": {"limit": 100}}, "maskedPaths": ["/proc/kcore"],
    "devices": [{"path": "/dev/null", "type": "c", "major": 1, "minor": 3}, {"path": "/dev/sda", "type": "b", "major": 8, "minor": 0}]}}}`

// crioServer answers as CRI-O does.
type crioServer struct {
	cri.UnimplementedRuntimeServiceServer
}

func (crioServer) Version(context.Context, *cri.VersionRequest) (*cri.VersionResponse, error) {
	return &cri.VersionResponse{Version: "0.1.0", RuntimeName: "cri-o", RuntimeVersion: "1.34.1", RuntimeApiVersion: "v1"}, nil
}

func (crioServer) Status(context.Context, *cri.StatusRequest) (*cri.StatusResponse, error) {
	return &cri.StatusResponse{Status: &cri.RuntimeStatus{}, RuntimeHandlers: []*cri.RuntimeHandler{{Name: ""}, {Name: "crun"}, {Name: "kata"}}}, nil
}

func (crioServer) ListContainers(context.Context, *cri.ListContainersRequest) (*cri.ListContainersResponse, error) {
	return &cri.ListContainersResponse{Containers: []*cri.Container{{Id: "one"}, {Id: "gone"}}}, nil
}

func (crioServer) ContainerStatus(_ context.Context, r *cri.ContainerStatusRequest) (*cri.ContainerStatusResponse, error) {
	if r.GetContainerId() != "one" {
		return &cri.ContainerStatusResponse{}, nil
	}
	return &cri.ContainerStatusResponse{
		Status: &cri.ContainerStatus{
			Id: "one", Metadata: &cri.ContainerMetadata{Name: "app"}, State: cri.ContainerState_CONTAINER_RUNNING,
			Image: &cri.ImageSpec{Image: "quay.example/team/app:2"}, ImageRef: "quay.example/team/app@sha256:0000",
			Labels: map[string]string{"io.kubernetes.pod.namespace": "shop", "io.kubernetes.pod.name": "web", "io.kubernetes.pod.uid": "u1", "io.kubernetes.container.name": "app"},
			Mounts: []*cri.Mount{
				{HostPath: "/var/lib/kubelet/pods/u1/volumes/kubernetes.io~empty-dir/tmp", ContainerPath: "/tmp"},
				{HostPath: "/var/run/crio/crio.sock", ContainerPath: "/crio.sock", Propagation: cri.MountPropagation_PROPAGATION_BIDIRECTIONAL},
			},
		},
		Info: map[string]string{"info": crioSpec},
	}, nil
}

func (crioServer) PodSandboxStatus(context.Context, *cri.PodSandboxStatusRequest) (*cri.PodSandboxStatusResponse, error) {
	return &cri.PodSandboxStatusResponse{Status: &cri.PodSandboxStatus{
		Id: "pod1", RuntimeHandler: "crun", Linux: &cri.LinuxPodSandboxStatus{Namespaces: &cri.Namespace{Options: &cri.NamespaceOption{Pid: cri.NamespaceMode_CONTAINER}}},
	}, Info: map[string]string{"info": crioPod}}, nil
}

// crioPod is the verbose status of a pod as CRI-O gives it.
const crioPod = `{"image": "registry.k8s.io/pause:3.10", "pid": 4200, "runtimeSpec": {"ociVersion": "1.2.0", "annotations": {
  "io.kubernetes.cri-o.PortMappings": "[{\"HostPort\":8080,\"ContainerPort\":80,\"Protocol\":\"TCP\",\"HostIP\":\"\"},{\"HostPort\":9090,\"ContainerPort\":90,\"Protocol\":\"UDP\",\"HostIP\":\"127.0.0.1\"}]"}}}`

// silentCRIO tells nothing of a pod beyond what CRI promises.
type silentCRIO struct{ crioServer }

func (s silentCRIO) PodSandboxStatus(ctx context.Context, r *cri.PodSandboxStatusRequest) (*cri.PodSandboxStatusResponse, error) {
	out, err := s.crioServer.PodSandboxStatus(ctx, r)
	out.Info = nil
	return out, err
}

// serveCRI serves CRI on a socket.
func serveCRI(t *testing.T, s cri.RuntimeServiceServer) (socket string) {
	t.Helper()
	socket = filepath.Join(folder(t), "crio.sock")
	listener, err := net.Listen("unix", socket)
	must(t, err)
	server := grpc.NewServer()
	cri.RegisterRuntimeServiceServer(server, s)
	go func() { _ = server.Serve(listener) }() // ends with Stop
	t.Cleanup(server.Stop)
	return socket
}

// Ports that an engine does not tell are unknown, and never none.
func TestPortsUnseen(t *testing.T) {
	s := collect(t, Options{Hosts: []string{"unix://" + serveCRI(t, silentCRIO{})}, Root: folder(t)})
	r := s.resources["cri-o/shop/web/app"]
	if r == nil {
		t.Fatalf("resources %v", s.resources)
	}
	if m := r.Missing["ports"]; m.Status != facts.Unknown || !strings.Contains(m.Reason, "which ports of the machine") {
		t.Errorf("ports %+v", m)
	}
	outcomes, err := evaluator(t).Evaluate(t.Context(), r)
	must(t, err)
	for _, o := range outcomes {
		if o.Rule.ID == "PS-ENG-015" && o.Gap != facts.Unknown {
			t.Errorf("PS-ENG-015 is %+v", o)
		}
	}
	for text, want := range map[string]string{
		"": "does not tell", "{": "cannot be read", `{"runtimeSpec": {}}`: "does not tell", `{"config": {}}`: "",
		`{"runtimeSpec": {"annotations": {"io.kubernetes.cri-o.PortMappings": "{"}}}`:  "cannot be read",
		`{"runtimeSpec": {"annotations": {"io.kubernetes.cri-o.PortMappings": "[]"}}}`: "",
	} {
		if ports, unseen := hostPorts(text); len(ports) > 0 || (unseen == "") != (want == "") || !strings.Contains(unseen, want) {
			t.Errorf("%s: %v, %q", text, ports, unseen)
		}
	}
}

// TestCRIO reads CRI-O from documents written after its documentation.
func TestCRIO(t *testing.T) {
	dir := folder(t)
	socket := serveCRI(t, crioServer{})
	root := filepath.Join(dir, "root")
	writeFile(t, root, "sys/fs/selinux/enforce", "1")
	writeFile(t, root, "sys/kernel/x", "")
	writeFile(t, root, "etc/crio/crio.conf", "[crio.runtime]\nselinux = true\ndefault_capabilities = [\"CHOWN\", \"SYS_PTRACE\"]\nhooks_dir = [\"/etc/hooks\"]\n")
	writeFile(t, root, "etc/crio/crio.conf.d/10-more.conf", `[crio.api]
stream_address = "0.0.0.0"
stream_port = "10010"
[crio.runtime]
seccomp_profile = "unconfined"
add_inheritable_capabilities = true
allowed_devices = ["/dev/fuse", "/dev/mem"]
[crio.runtime.runtimes.crun]
allowed_annotations = ["io.kubernetes.cri-o.Devices"]
[crio.runtime.runtimes.kata]
runtime_type = "vm"
privileged_without_host_devices = false
[crio.image]
insecure_registries = ["registry.example:5000"]
`)
	writeFile(t, root, "etc/containers/policy.json", `{"default": [{"type": "insecureAcceptAnything"}]}`)
	must(t, os.MkdirAll(filepath.Join(root, "etc/hooks"), 0o777))
	must(t, os.Chmod(filepath.Join(root, "etc/hooks"), 0o777))
	o := Options{Hosts: []string{"unix://" + socket}, Root: root}
	s := collect(t, o)
	e := s.engine(t, "cri-o")
	if e.Version != "1.34.1" || e.SELinux != "enabled" || e.AppArmor != "absent" || !slices.Equal(e.CRI.AddedCapabilities, []string{"SYS_PTRACE"}) || len(e.CRI.Runtimes) != 2 || !e.CRI.Runtimes[1].Sandboxed {
		t.Errorf("engine %+v", e)
	}
	c := s.container(t, "cri-o/shop/web/app")
	if c.Mounts[1].Type != "volume" || c.Limits.PIDs != 100 || c.SELinux != "unconfined" || c.Runtime != "crun" || len(s.resources) != 2 {
		t.Errorf("container %+v", c)
	}
	if p := c.Ports; len(p) != 2 || p[0] != (facts.PublishedPort{Port: 80, HostPort: 8080, Protocol: "tcp", Reach: "all"}) || p[1].Reach != "loopback" || p[1].Protocol != "udp" {
		t.Errorf("ports %+v", p)
	}
	want := []string{
		"PS-ENG-003 critical /crio.sock", "PS-ENG-005 high SYS_PTRACE", "PS-ENG-008 low user", "PS-ENG-009 high seccomp", "PS-ENG-010 high selinux",
		"PS-ENG-011 low no_new_privileges", "PS-ENG-012 high device /dev/sda", "PS-ENG-012 high propagation /crio.sock", "PS-ENG-013 info cpu", "PS-ENG-014 low root",
	}
	got := findings(t, o)
	if diff := gocmp.Diff(want, got["cri-o/shop/web/app"]); diff != "" {
		t.Errorf("container (-want +got):\n%s", diff)
	}
	wantEngine := []string{
		"PS-ENG-001 critical stream 0.0.0.0:10010", "PS-ENG-009 high default", "PS-ENG-016 medium registry registry.example:5000", "PS-ENG-016 medium signatures",
		"PS-ENG-019 info devices kata", "PS-ENG-019 medium annotation crun io.kubernetes.cri-o.Devices", "PS-ENG-019 medium capability SYS_PTRACE",
		"PS-ENG-019 medium device /dev/mem", "PS-ENG-019 medium inheritable",
	}
	if diff := gocmp.Diff(wantEngine, got["cri-o"]); diff != "" {
		t.Errorf("engine (-want +got):\n%s", diff)
	}
}

// TestModules reads Docker on machines with AppArmor or SELinux, from documents written after Docker's documentation.
func TestModules(t *testing.T) {
	for name, tt := range map[string]struct {
		options            []string
		container          map[string]any
		hostConfig         []string
		apparmor, selinux  string
		engine, engineAlso string
	}{
		"AppArmor, default":      {options: []string{"name=apparmor"}, container: map[string]any{"AppArmorProfile": "docker-default"}, apparmor: "docker-default", selinux: "none", engine: "enabled"},
		"AppArmor, switched off": {options: []string{"name=apparmor"}, container: map[string]any{"AppArmorProfile": "unconfined"}, hostConfig: []string{"apparmor=unconfined"}, apparmor: "Unconfined", selinux: "none", engine: "enabled"},
		"SELinux, default":       {options: []string{"name=selinux"}, container: map[string]any{"ProcessLabel": "system_u:system_r:container_t:s0:c1,c2"}, apparmor: "none", selinux: "container_t", engineAlso: "enabled"},
		"SELinux, switched off":  {options: []string{"name=selinux"}, hostConfig: []string{"label=disable"}, apparmor: "none", selinux: "disabled", engineAlso: "enabled"},
		"SELinux, spc_t":         {options: []string{"name=selinux"}, hostConfig: []string{"label=type:spc_t"}, container: map[string]any{"ProcessLabel": "system_u:system_r:spc_t:s0"}, apparmor: "none", selinux: "unconfined", engineAlso: "enabled"},
	} {
		t.Run(name, func(t *testing.T) {
			e := serveEngine(t, behaviour{
				containers: 1,
				info: func(w http.ResponseWriter, _ *http.Request) {
					_ = json.NewEncoder(w).Encode(map[string]any{"ID": "T", "ServerVersion": "28.2.2", "OSType": "linux", "CgroupVersion": "2", "SecurityOptions": append(tt.options, "name=seccomp,profile=builtin")})
				},
				inspect: func(w http.ResponseWriter, r *http.Request, _ int) bool {
					doc := inspected(r.PathValue("id"))
					for k, v := range tt.container {
						doc[k] = v
					}
					doc["HostConfig"].(map[string]any)["SecurityOpt"] = tt.hostConfig
					_ = json.NewEncoder(w).Encode(doc)
					return true
				},
			})
			s := collect(t, Options{Hosts: e.host()})
			for id, r := range s.resources {
				switch f := r.Facts.(type) {
				case *facts.EngineContainer:
					if f.AppArmor != tt.apparmor || f.SELinux != tt.selinux || f.Seccomp != "RuntimeDefault" {
						t.Errorf("%s: AppArmor %q, SELinux %q, seccomp %q", id, f.AppArmor, f.SELinux, f.Seccomp)
					}
				case *facts.Engine:
					if tt.engine != "" && f.AppArmor != tt.engine || tt.engineAlso != "" && f.SELinux != tt.engineAlso {
						t.Errorf("engine: AppArmor %q, SELinux %q", f.AppArmor, f.SELinux)
					}
				}
			}
		})
	}
}

// Both versions of containerd's configuration, and the first one, tell the same.
func TestContainerdConfigVersions(t *testing.T) {
	const settings = `
  unset_seccomp_profile = "runtime/default"
  enable_unprivileged_icmp = true
  disable_apparmor = true
`
	for name, text := range map[string]string{
		"3": "version = 3\n[plugins.'io.containerd.cri.v1.runtime']" + settings + "[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.kata]\nruntime_type = 'io.containerd.kata.v2'\nprivileged_without_host_devices = true\n" +
			"[plugins.'io.containerd.cri.v1.images'.registry]\nconfig_path = '/etc/containerd/certs.d'\n",
		"2": "version = 2\n[plugins.'io.containerd.grpc.v1.cri']" + settings + "[plugins.'io.containerd.grpc.v1.cri'.containerd.runtimes.kata]\nruntime_type = 'io.containerd.kata.v2'\nprivileged_without_host_devices = true\n" +
			"[plugins.'io.containerd.grpc.v1.cri'.registry]\nconfig_path = '/etc/containerd/certs.d'\n",
		"1": "[plugins.cri]" + settings + "[plugins.cri.containerd.runtimes.kata]\nruntime_type = 'io.containerd.kata.v2'\nprivileged_without_host_devices = true\n[plugins.cri.registry]\nconfig_path = '/etc/containerd/certs.d'\n",
	} {
		t.Run(name, func(t *testing.T) {
			root := folder(t)
			writeFile(t, root, "etc/containerd/config.toml", text)
			writeFile(t, root, "etc/containerd/certs.d/registry.example/hosts.toml", "server = 'https://registry.example'\n[host.'http://mirror.example']\n")
			writeFile(t, root, "sys/module/apparmor/parameters/enabled", "Y\n")
			s := &session{machine: readMachine(root), opts: Options{Root: root}, missing: map[string]facts.Missing{}, sandboxed: sandboxRuntime}
			s.facts.CRI.Served = true
			conf, err := s.machine.containerdConfig("/etc/containerd/config.toml")
			must(t, err)
			s.containerdRuntime(conf.section(criRuntime()...), nil)
			s.containerdRegistries(conf.section(criImages()...).table("registry"))
			f := s.facts
			if f.Seccomp != "default" || !f.CRI.UnprivilegedICMP || f.AppArmor == "enabled" || len(f.CRI.Runtimes) != 1 || !f.CRI.Runtimes[0].Sandboxed || f.CRI.Runtimes[0].HostDevices {
				t.Errorf("facts %+v", f)
			}
			if len(f.InsecureRegistries) != 1 || f.InsecureRegistries[0].Registry != "mirror.example" {
				t.Errorf("registries %+v", f.InsecureRegistries)
			}
		})
	}
	if _, err := readMachine(folder(t)).containerdConfig("/etc/containerd/config.toml"); !os.IsNotExist(err) {
		t.Errorf("no file: %v", err)
	}
}

// What a distribution built is told by its version.
func TestVersions(t *testing.T) {
	for version, packaged := range map[string]bool{
		"20.10.24+dfsg1": true, "1.6.20~ds1-1+deb12u3": true, "1.1.5+ds1-1+deb12u1": true, "24.0.7-0ubuntu4": true, "4.6.1-19.el9": true,
		"28.2.2": false, "1.7.27": false, "2.0.0-rc.1": false,
	} {
		if got := packagedVersion.MatchString(version); got != packaged {
			t.Errorf("%s: packaged %t", version, got)
		}
	}
	for text, want := range map[string]string{
		"runc version 1.1.5+ds1\ncommit: x": "1.1.5+ds1", "crun version 1.8.1\ncommit: y": "1.8.1", "conmon version 2.1.6, commit: unknown": "2.1.6", "1.0": "1.0", "no idea": "",
	} {
		if got := ociVersion(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// Modules whose advisories tell of a program; what has none is not assessed, and never good.
func TestModulesOfPrograms(t *testing.T) {
	for program, want := range map[[2]string]string{
		{"docker", "28.2.2"}: "github.com/docker/docker", {"docker", "29.0.1"}: "", {"containerd", "1.7.27"}: "github.com/containerd/containerd", {"containerd", "2.1.0"}: "github.com/containerd/containerd/v2",
		{"podman", "5.2.0"}: "github.com/containers/podman/v5", {"cri-o", "1.33.0"}: "github.com/cri-o/cri-o", {"crun", "1.8.1"}: "", {"runc", "1.2.0"}: "github.com/opencontainers/runc",
	} {
		if got := moduleOf(program[0], program[1]); got != want {
			t.Errorf("%v: %q, want %q", program, got, want)
		}
	}
	s := &session{missing: map[string]facts.Missing{}, opts: Options{Match: func(context.Context, []facts.Package) ([]facts.Vulnerability, error) { return nil, nil }}}
	s.component("crun", "1.14")
	s.component("runc", "1.1.12+ds1")
	s.vulnerabilities(t.Context())
	if m := s.missing["vulnerabilities"]; m.Status != facts.NotAssessed || !m.Partial || !strings.Contains(m.Reason, "crun") || !strings.Contains(m.Reason, "distribution built runc") {
		t.Errorf("missing %+v", m)
	}
}

// Dockerd lets a capability win that is added by name, unless all are added.
func TestComputedCapabilities(t *testing.T) {
	defaults := []string{"CHOWN", "NET_RAW"}
	for name, tt := range map[string]struct {
		privileged bool
		add, drop  []string
		want       []string
	}{
		"nothing":              {want: []string{"CHOWN", "NET_RAW"}},
		"added and dropped":    {add: []string{"cap_net_raw"}, drop: []string{"NET_RAW"}, want: []string{"CHOWN", "NET_RAW"}},
		"dropped, in any case": {drop: []string{"CAP_CHOWN"}, want: []string{"NET_RAW"}},
		"all dropped":          {add: []string{"KILL"}, drop: []string{"all"}, want: []string{"KILL"}},
		"all added":            {add: []string{"ALL"}, want: []string{"ALL"}},
		"privileged":           {privileged: true, drop: []string{"ALL"}, want: []string{"ALL"}},
	} {
		if got := computed(tt.privileged, tt.add, tt.drop, defaults); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
	if got := computed(false, []string{"ALL"}, []string{"SYS_ADMIN"}, defaults); slices.Contains(got, "SYS_ADMIN") || len(got) != len(facts.AllCapabilities())-1 {
		t.Errorf("all but one: %v", got)
	}
}
