package engine

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/facts"
)

const baseImage = "registry.example/team/base:1"

// criClient speaks to the engine as the kubelet does.
type criClient struct {
	t   testing.TB
	run cri.RuntimeServiceClient
}

func kubelet(t testing.TB, socket string) *criClient {
	t.Helper()
	conn, err := grpc.NewClient("unix://"+socket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	must(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return &criClient{t, cri.NewRuntimeServiceClient(conn)}
}

// pod starts a pod of one container, as the kubelet does, and removes it at the end.
func (c *criClient) pod(name string, o *cri.LinuxSandboxSecurityContext, container *cri.ContainerConfig, ports ...*cri.PortMapping) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	labels := map[string]string{"io.kubernetes.pod.namespace": "shop", "io.kubernetes.pod.name": name, "io.kubernetes.pod.uid": "uid-" + name, "io.kubernetes.container.name": "app"}
	conf := &cri.PodSandboxConfig{
		Metadata: &cri.PodSandboxMetadata{Name: name, Namespace: "shop", Uid: "uid-" + name}, Labels: labels, LogDirectory: c.t.TempDir(),
		PortMappings: ports,
		Linux:        &cri.LinuxPodSandboxConfig{SecurityContext: o},
	}
	sb, err := c.run.RunPodSandbox(ctx, &cri.RunPodSandboxRequest{Config: conf})
	must(c.t, err)
	c.t.Cleanup(func() {
		ctx := context.Background()
		_, errStop := c.run.StopPodSandbox(ctx, &cri.StopPodSandboxRequest{PodSandboxId: sb.GetPodSandboxId()})
		_, errRemove := c.run.RemovePodSandbox(ctx, &cri.RemovePodSandboxRequest{PodSandboxId: sb.GetPodSandboxId()})
		if errStop != nil || errRemove != nil {
			c.t.Errorf("remove pod %s: %v, %v", name, errStop, errRemove)
		}
	})
	container.Metadata = &cri.ContainerMetadata{Name: "app"}
	container.Image = &cri.ImageSpec{Image: baseImage}
	container.Labels = labels
	container.Command = []string{"/bin/sleep", "600"}
	made, err := c.run.CreateContainer(ctx, &cri.CreateContainerRequest{PodSandboxId: sb.GetPodSandboxId(), Config: container, SandboxConfig: conf})
	must(c.t, err)
	_, err = c.run.StartContainer(ctx, &cri.StartContainerRequest{ContainerId: made.GetContainerId()})
	must(c.t, err)
}

// base is the image of the pods: busybox, which sleeps.
func base(t testing.TB) v1.Image {
	t.Helper()
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(rootfs(t))), nil })
	must(t, err)
	img, err := mutate.AppendLayers(empty.Image, layer)
	must(t, err)
	conf, err := img.ConfigFile()
	must(t, err)
	conf.OS, conf.Architecture, conf.Config.Cmd = "linux", "amd64", []string{"/bin/sleep", "600"}
	img, err = mutate.ConfigFile(img, conf)
	must(t, err)
	return img
}

// startContainerd runs containerd with the configuration, to which its own places are added, and imports the base image.
func startContainerd(t testing.TB, plugins string) (dir, socket string) {
	t.Helper()
	need(t, "containerd", "ctr", "runc", "busybox", "ip", "unshare")
	dir = folder(t)
	socket = filepath.Join(dir, "containerd.sock")
	writeFile(t, dir, "cni/10-net.conflist", `{"cniVersion": "0.4.0", "name": "net", "plugins": [{"type": "bridge", "bridge": "cni0", "ipam": {"type": "host-local", "subnet": "10.88.0.0/24", "dataDir": "`+dir+`/ipam"}}]}`)
	config := writeFile(t, dir, "config.toml", fmt.Sprintf(`version = 2
root = %q
state = %q
[grpc]
  address = %q
[ttrpc]
  address = %q
[plugins."io.containerd.internal.v1.opt"]
  path = %q
[plugins."io.containerd.grpc.v1.cri"]
  restrict_oom_score_adj = true
  sandbox_image = %q
  stream_server_address = "127.0.0.1"
%s
[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "/usr/lib/cni"
  conf_dir = %q
`, dir+"/root", dir+"/state", socket, socket+".ttrpc", dir+"/opt", baseImage, plugins, dir+"/cni"))
	start(t, socket, "containerd", "-c", config)
	archive := filepath.Join(dir, "base.tar")
	tag, err := name.NewTag(baseImage)
	must(t, err)
	must(t, tarball.WriteToFile(archive, tag, base(t)))
	runner(t, "ctr", "-a", socket, "-n", "k8s.io")("images", "import", archive)
	return dir, socket
}

// TestContainerd looks at a real containerd by CRI, with a hardened and a careless pod.
func TestContainerd(t *testing.T) {
	_, socket := startContainerd(t, `  enable_unprivileged_ports = true
[plugins."io.containerd.grpc.v1.cri".registry.configs."registry.example:5000".tls]
  insecure_skip_verify = true
`)
	k := kubelet(t, socket)
	k.pod("hardened", &cri.LinuxSandboxSecurityContext{NamespaceOptions: &cri.NamespaceOption{Pid: cri.NamespaceMode_CONTAINER}}, &cri.ContainerConfig{Linux: &cri.LinuxContainerConfig{
		Resources: &cri.LinuxContainerResources{MemoryLimitInBytes: 32 << 20, CpuQuota: 50000, CpuPeriod: 100000},
		SecurityContext: &cri.LinuxContainerSecurityContext{
			RunAsUser: &cri.Int64Value{Value: 10001}, ReadonlyRootfs: true, NoNewPrivs: true, Capabilities: &cri.Capability{DropCapabilities: []string{"ALL"}},
			Seccomp: &cri.SecurityProfile{ProfileType: cri.SecurityProfile_RuntimeDefault}, NamespaceOptions: &cri.NamespaceOption{Pid: cri.NamespaceMode_CONTAINER},
			MaskedPaths: []string{"/proc/kcore"},
		},
	}}, &cri.PortMapping{ContainerPort: 80, HostPort: 8080, HostIp: "127.0.0.1"})
	all := &cri.NamespaceOption{Network: cri.NamespaceMode_NODE, Pid: cri.NamespaceMode_NODE, Ipc: cri.NamespaceMode_NODE}
	k.pod("careless", &cri.LinuxSandboxSecurityContext{NamespaceOptions: all}, &cri.ContainerConfig{
		Mounts: []*cri.Mount{{HostPath: "/etc", ContainerPath: "/host"}, {HostPath: socket, ContainerPath: "/c", Readonly: true}},
		Envs:   []*cri.KeyValue{{Key: "SECRET_KEY", Value: []byte(fakeSecret())}},
		Linux: &cri.LinuxContainerConfig{SecurityContext: &cri.LinuxContainerSecurityContext{
			NamespaceOptions: all, Capabilities: &cri.Capability{AddCapabilities: []string{"SYS_ADMIN"}},
			Seccomp: &cri.SecurityProfile{ProfileType: cri.SecurityProfile_Unconfined},
		}},
	})
	host := Options{Hosts: []string{"unix://" + socket}}
	s := collect(t, host)
	e := s.engine(t, "containerd")
	if e.Version == "" || e.API != "v1" || !e.CRI.Served || len(e.CRI.Runtimes) != 1 || e.CRI.Runtimes[0].Name != "runc" || !e.CRI.UnprivilegedPorts || e.Command != "containerd" {
		t.Errorf("engine %+v", e)
	}
	r := s.resources["containerd/shop/careless/app"]
	if r == nil {
		t.Fatalf("resources %v", s.resources)
	}
	linked := false
	for _, l := range r.Links {
		linked = linked || l.Type == "part-of" && l.To == "pod-uid/uid-careless"
	}
	if c := s.container(t, "containerd/shop/careless/app"); !linked || len(c.LiteralSecrets) != 1 || c.Pod.Name != "careless" || c.CapabilitiesFrom != "spec" {
		t.Errorf("careless %+v, links %+v", c, r.Links)
	}
	if p := s.container(t, "containerd/shop/hardened/app").Ports; len(p) != 1 || p[0] != (facts.PublishedPort{Port: 80, HostPort: 8080, HostIP: "127.0.0.1", Protocol: "tcp", Reach: "loopback"}) {
		t.Errorf("ports %+v", p)
	}
	want := map[string][]string{
		"containerd": {"PS-ENG-009 medium default", "PS-ENG-016 medium registry registry.example:5000", "PS-ENG-019 info ports"},
		"containerd/shop/careless/app": {
			"PS-ENG-003 critical /c", "PS-ENG-005 high SYS_ADMIN", "PS-ENG-006 high network", "PS-ENG-006 high pid", "PS-ENG-007 medium ipc", "PS-ENG-008 low user",
			"PS-ENG-009 high seccomp", "PS-ENG-011 low no_new_privileges", "PS-ENG-012 critical /host", "PS-ENG-013 info cpu", "PS-ENG-013 low memory", "PS-ENG-014 low root",
		},
	}
	if diff := gocmp.Diff(want, findings(t, host)); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	t.Run("images", func(t *testing.T) { containerdImages(t, socket) })
}

// containerdImages reads an image blob by blob.
func containerdImages(t *testing.T, socket string) {
	calls := 0
	o := Options{Hosts: []string{"unix://" + socket}}
	o.Images = func(ctx context.Context, held []HeldImage, _ scanner.Sink) error {
		calls++
		if len(held) != 1 || held[0].Ref != baseImage || held[0].Engine != "containerd" || held[0].Content == nil {
			t.Fatalf("held %+v", held)
		}
		ok, err := held[0].Content.Has(ctx, held[0].Target)
		must(t, err)
		missing, err := held[0].Content.Has(ctx, "sha256:"+fmt.Sprintf("%064d", 0))
		must(t, err)
		if !ok || missing {
			t.Errorf("has %t, %t", ok, missing)
		}
		layers, err := base(t).Layers()
		must(t, err)
		digest, err := layers[0].DiffID() // tarballs of docker save hold layers unpacked or packed: the engine says which
		must(t, err)
		packed, err := layers[0].Digest()
		must(t, err)
		if ok, err := held[0].Content.Has(ctx, packed.String()); err == nil && ok {
			digest = packed
		}
		body, err := held[0].Content.Open(ctx, digest.String())
		must(t, err)
		defer body.Close()
		n, err := io.Copy(io.Discard, body)
		must(t, err)
		if n == 0 {
			t.Error("the layer is empty")
		}
		return nil
	}
	collect(t, o)
	if calls != 1 {
		t.Errorf("asked for images %d times", calls)
	}
	if _, err := os.Stat(socket); err != nil {
		t.Error(err)
	}
}
