package engine

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"

	versionapi "github.com/containerd/containerd/api/services/version/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/postscan/postscan/scanner/facts"
)

// criAPI is an engine that serves Kubernetes: containerd or CRI-O.
type criAPI struct {
	conn *grpc.ClientConn
	run  cri.RuntimeServiceClient
	mu   sync.Mutex
	pods map[string]*sandbox // by id
}

// sandbox is a pod as the engine has it.
type sandbox struct {
	once   sync.Once
	err    error
	status *cri.PodSandboxStatus
	ports  []facts.PublishedPort // of the machine
	// portsUnseen says why they are not known; "" where they are.
	portsUnseen string
}

// criSandboxInfo is the verbose part of a pod's status, as containerd and CRI-O write it.
type criSandboxInfo struct {
	Config *struct { // containerd: what the kubelet asked for
		PortMappings []struct {
			Protocol      int32  `json:"protocol"`
			ContainerPort int    `json:"container_port"`
			HostPort      int    `json:"host_port"`
			HostIP        string `json:"host_ip"`
		} `json:"port_mappings"`
	} `json:"config"`
	RuntimeSpec *struct { // CRI-O: the specification of the pod's first container
		Annotations map[string]string `json:"annotations"`
	} `json:"runtimeSpec"`
}

// crioPorts is the annotation in which CRI-O keeps the ports of a pod.
const crioPorts = "io.kubernetes.cri-o.PortMappings"

// maxMessage bounds one answer: the list of thousands of containers with their annotations.
const maxMessage = 64 << 20

// openCRI connects to a socket that speaks CRI.
func (s *session) openCRI(ctx context.Context) (api, error) {
	if s.place.path == "" {
		return nil, errors.New("containerd and CRI-O are reached by their Unix socket only; run postscan on the machine itself")
	}
	d := net.Dialer{Timeout: s.opts.CallTimeout}
	c, err := d.DialContext(ctx, "unix", s.place.path) // its error says best what is wrong
	if err != nil {
		return nil, fmt.Errorf("open the socket: %w", err)
	}
	_ = c.Close()
	conn, err := grpc.NewClient("unix://"+s.place.path, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage)), grpc.WithUserAgent("postscan"))
	if err != nil {
		return nil, fmt.Errorf("prepare the connection: %w", err)
	}
	return &criAPI{conn: conn, run: cri.NewRuntimeServiceClient(conn), pods: map[string]*sandbox{}}, nil
}

func (a *criAPI) close() { _ = a.conn.Close() } // nothing was written

// describe implements [api].
func (a *criAPI) describe(ctx context.Context, s *session) error {
	var v *cri.VersionResponse
	err := s.call(ctx, "speak to the engine", func(ctx context.Context) (err error) {
		v, err = a.run.Version(ctx, &cri.VersionRequest{})
		return err
	})
	f := &s.facts
	switch {
	case status.Code(errors.Unwrap(err)) == codes.Unimplemented:
		if err := a.plainContainerd(ctx, s); err != nil {
			return err
		}
	case err != nil:
		return err
	default:
		f.Name, f.Version, f.API = criName(v.GetRuntimeName()), strings.TrimPrefix(v.GetRuntimeVersion(), "v"), v.GetRuntimeApiVersion()
		f.CRI.Served = true
	}
	f.DefaultCapabilities = facts.DefaultCapabilities(f.Name)
	f.UserlandProxy = false
	f.AppArmor, f.SELinux = "unknown", "unknown"
	s.component(f.Name, f.Version)
	s.facts.Listeners = append(s.facts.Listeners, facts.Listener{Purpose: "api", Network: "unix", Address: s.place.path, Loopback: true, Source: "the socket"})
	s.file(s.place.path, "socket")
	s.file("/etc/crictl.yaml", "config")
	if f.Name == crio {
		s.crioFacts(ctx, a)
	} else {
		s.containerdFacts(ctx, a)
	}
	return nil
}

// plainContainerd is a containerd without the part that serves Kubernetes.
func (a *criAPI) plainContainerd(ctx context.Context, s *session) error {
	var v *versionapi.VersionResponse
	err := s.call(ctx, "ask for the version", func(ctx context.Context) (err error) {
		v, err = versionapi.NewVersionClient(a.conn).Version(ctx, &emptypb.Empty{})
		return err
	})
	if err != nil {
		return fmt.Errorf("neither CRI nor containerd's own API answers: %w", err)
	}
	s.facts.Name, s.facts.Version, s.facts.API = containerd, strings.TrimPrefix(v.GetVersion(), "v"), "v1"
	return nil
}

// criName is the engine's name as facts have it.
func criName(name string) string {
	switch n := strings.ToLower(name); n {
	case "crio", "cri-o":
		return crio
	default:
		return n
	}
}

// list implements [api].
func (a *criAPI) list(ctx context.Context) ([]string, error) {
	r, err := a.run.ListContainers(ctx, &cri.ListContainersRequest{})
	if status.Code(err) == codes.Unimplemented {
		return a.plainList(ctx)
	}
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(r.GetContainers()))
	for i, c := range r.GetContainers() {
		ids[i] = c.GetId()
	}
	slices.Sort(ids)
	return ids, nil
}

// criInfo is the verbose part of a container's status, as containerd and CRI-O write it.
type criInfo struct {
	SandboxID   string   `json:"sandboxID"`
	PID         int      `json:"pid"`
	Privileged  *bool    `json:"privileged"` // CRI-O since 1.19
	RuntimeType string   `json:"runtimeType"`
	RuntimeSpec *ociSpec `json:"runtimeSpec"`
	Config      struct { // containerd: what the kubelet asked for
		Linux struct {
			SecurityContext struct {
				Privileged   bool `json:"privileged"`
				Capabilities struct {
					Add  []string `json:"add_capabilities"`
					Drop []string `json:"drop_capabilities"`
				} `json:"capabilities"`
				Seccomp *struct {
					Type int `json:"profile_type"`
				} `json:"seccomp"`
			} `json:"security_context"`
		} `json:"linux"`
		Devices []struct {
			ContainerPath string `json:"container_path"`
			HostPath      string `json:"host_path"`
			Permissions   string `json:"permissions"`
		} `json:"devices"`
	} `json:"config"`
}

// container implements [api].
func (a *criAPI) container(ctx context.Context, s *session, id string) (*container, error) {
	if ns, plain, ok := strings.Cut(id, "/"); ok {
		return a.plainContainer(ctx, s, ns, plain)
	}
	r, err := a.run.ContainerStatus(ctx, &cri.ContainerStatusRequest{ContainerId: id, Verbose: true})
	if status.Code(err) == codes.NotFound || err == nil && r.GetStatus() == nil {
		return nil, errGone
	}
	if err != nil {
		return nil, err
	}
	st := r.GetStatus()
	c := &container{id: id, missing: map[string]facts.Missing{}}
	d := &c.doc
	*d = facts.EngineContainer{
		Name: st.GetMetadata().GetName(), Engine: s.facts.Name, State: criState(st.GetState()),
		Image:            imageReference(cmp.Or(st.GetImage().GetUserSpecifiedImage(), st.GetImage().GetImage(), st.GetImageRef())),
		CapabilitiesFrom: "spec", PublicAddress: s.facts.PublicAddress, IPTables: true, Rootless: s.facts.Rootless,
		AppArmor: "none", SELinux: "none", Seccomp: "RuntimeDefault", Root: "unknown",
		Namespaces: facts.ContainerNamespaces{PID: "private", Network: "pod", IPC: "pod", UTS: "pod", Cgroup: "private", User: "host"},
	}
	var info criInfo
	if err := json.Unmarshal([]byte(r.GetInfo()["info"]), &info); err != nil || info.RuntimeSpec == nil {
		reason := "the engine does not give the container's OCI specification"
		if err != nil {
			reason += ": " + err.Error()
		}
		for _, f := range specFields() {
			c.missing[f] = facts.Missing{Status: facts.Unknown, Reason: reason}
		}
	} else {
		a.fill(s, c, &info)
	}
	labels := maps.Clone(st.GetLabels())
	for k, v := range st.GetAnnotations() {
		if _, ok := labels[k]; !ok && labels != nil {
			labels[k] = v
		}
	}
	for _, m := range st.GetMounts() {
		d.Mounts = append(d.Mounts, s.criMount(m, labels["io.kubernetes.pod.uid"]))
	}
	slices.SortFunc(d.Mounts, func(a, b facts.ContainerMount) int { return cmp.Compare(a.Destination, b.Destination) })
	s.kubernetes(c, labels)
	if d.Pod.Namespace != "" {
		d.Pod.Container = d.Name
		d.Name = d.Pod.Namespace + "/" + d.Pod.Name + "/" + d.Name
	}
	if ref := st.GetImageRef(); ref != "" {
		c.aliases = append(c.aliases, facts.Alias{Type: "image-id", Value: ref})
		c.links = append(c.links, facts.Link{Type: "runs-image", To: ref, Evidence: "the engine says so", Confidence: "certain"})
	}
	a.sandbox(ctx, s, c, info.SandboxID)
	return c, nil
}

func criState(st cri.ContainerState) string {
	switch st {
	case cri.ContainerState_CONTAINER_CREATED:
		return "created"
	case cri.ContainerState_CONTAINER_RUNNING:
		return "running"
	case cri.ContainerState_CONTAINER_EXITED:
		return "exited"
	default:
		return "unknown"
	}
}

// fill adds what the OCI specification says.
func (a *criAPI) fill(s *session, c *container, info *criInfo) {
	d, sec := &c.doc, info.Config.Linux.SecurityContext
	c.pid = info.PID
	d.Privileged = sec.Privileged || info.Privileged != nil && *info.Privileged
	d.CapabilitiesAdd, d.CapabilitiesDrop = names(sec.Capabilities.Add), names(sec.Capabilities.Drop)
	d.Runtime = info.RuntimeType
	s.spec(c, info.RuntimeSpec)
	if s.facts.Name == crio && info.Privileged == nil {
		d.Privileged = looksPrivileged(d)
	}
	if sec.Seccomp != nil && sec.Seccomp.Type == 2 && d.Seccomp == "RuntimeDefault" {
		d.Seccomp = "Localhost"
	}
	d.Devices = nil
	for _, dev := range info.Config.Devices {
		d.Devices = append(d.Devices, facts.ContainerDevice{Host: dev.HostPath, Container: dev.ContainerPath, Permissions: dev.Permissions})
	}
	if s.facts.Name == crio && !d.Privileged {
		for _, dev := range info.RuntimeSpec.devices() {
			d.Devices = append(d.Devices, facts.ContainerDevice{Host: dev, Container: dev, Permissions: "rwm"})
		}
	}
}

// criMount is one mount that the kubelet asked for. Those of the pod's own
// volumes are no paths that somebody chose.
func (s *session) criMount(m *cri.Mount, uid string) facts.ContainerMount {
	out := facts.ContainerMount{Type: "bind", Source: s.resolve(m.GetHostPath()), Destination: m.GetContainerPath(), ReadOnly: m.GetReadonly(), Propagation: "rprivate"}
	switch m.GetPropagation() {
	case cri.MountPropagation_PROPAGATION_HOST_TO_CONTAINER:
		out.Propagation = "rslave"
	case cri.MountPropagation_PROPAGATION_BIDIRECTIONAL:
		out.Propagation = "rshared"
	}
	if uid != "" && strings.Contains(m.GetHostPath(), "/pods/"+uid+"/") {
		out.Type = "volume"
	}
	if m.GetImage() != nil {
		out.Type = "image"
	}
	return out
}

// sandbox adds what the pod says: whose namespaces it uses, and its host ports.
func (a *criAPI) sandbox(ctx context.Context, s *session, c *container, id string) {
	a.mu.Lock()
	sb := a.pods[id]
	if sb == nil {
		sb = &sandbox{}
		a.pods[id] = sb
	}
	a.mu.Unlock()
	sb.once.Do(func() {
		r, err := a.run.PodSandboxStatus(ctx, &cri.PodSandboxStatusRequest{PodSandboxId: id, Verbose: true})
		if err != nil {
			sb.err = err
			return
		}
		sb.status = r.GetStatus()
		sb.ports, sb.portsUnseen = hostPorts(r.GetInfo()["info"])
	})
	d := &c.doc
	if sb.err != nil || sb.status == nil {
		reason := "the engine does not tell of the container's pod"
		if sb.err != nil {
			reason += ": " + sb.err.Error()
		}
		for _, p := range []string{"namespaces", "ports"} {
			c.missing[p] = facts.Missing{Status: facts.Unknown, Reason: reason}
		}
		return
	}
	o := sb.status.GetLinux().GetNamespaces().GetOptions()
	whose := func(m cri.NamespaceMode, container string) string {
		switch m {
		case cri.NamespaceMode_NODE:
			return "host"
		case cri.NamespaceMode_POD:
			return "pod"
		case cri.NamespaceMode_TARGET:
			return "container"
		default:
			return container
		}
	}
	d.Namespaces.Network, d.Namespaces.IPC, d.Namespaces.PID = whose(o.GetNetwork(), "pod"), whose(o.GetIpc(), "pod"), whose(o.GetPid(), "private")
	if d.Namespaces.Network == "host" && d.Namespaces.UTS != "private" {
		d.Namespaces.UTS = "host"
	}
	if o.GetUsernsOptions().GetMode() == cri.NamespaceMode_POD && o.GetUsernsOptions() != nil && len(o.GetUsernsOptions().GetUids()) > 0 {
		d.Namespaces.User = "private"
	}
	if h := sb.status.GetRuntimeHandler(); h != "" {
		d.Runtime = h
		for _, r := range s.facts.CRI.Runtimes {
			if r.Name == h {
				d.Sandboxed = r.Sandboxed
			}
		}
	} else if d.Runtime == "" {
		for _, r := range s.facts.CRI.Runtimes {
			if r.Default {
				d.Runtime, d.Sandboxed = r.Name, r.Sandboxed
			}
		}
	}
	d.Sandboxed = d.Sandboxed || s.sandboxed(d.Runtime)
	d.Ports = slices.Clone(sb.ports)
	if sb.portsUnseen != "" && d.Namespaces.Network != "host" { // there a pod opens the machine's ports itself
		c.missing["ports"] = facts.Missing{Status: facts.Unknown, Reason: sb.portsUnseen}
	}
}

// hostPorts are the ports of the machine that the verbose status of a pod names. What it
// does not tell is unseen, and says why: no list is not an empty one.
func hostPorts(text string) (ports []facts.PublishedPort, unseen string) {
	if text == "" {
		return nil, "the engine does not tell which ports of the machine the pod opens"
	}
	var info criSandboxInfo
	if err := json.Unmarshal([]byte(text), &info); err != nil {
		return nil, "what the engine tells of the pod cannot be read, and with it the ports of the machine that it opens: " + err.Error()
	}
	add := func(container, host int, ip, protocol string) {
		if host == 0 {
			return
		}
		port := facts.PublishedPort{Port: container, HostPort: host, HostIP: ip, Protocol: strings.ToLower(protocol), Reach: "all"}
		if addr, err := netip.ParseAddr(ip); err == nil {
			port.Reach = reach(addr)
		}
		ports = append(ports, port)
	}
	if info.Config != nil {
		for _, p := range info.Config.PortMappings {
			add(p.ContainerPort, p.HostPort, p.HostIP, cri.Protocol(p.Protocol).String())
		}
		return ports, ""
	}
	if info.RuntimeSpec != nil {
		if list, ok := info.RuntimeSpec.Annotations[crioPorts]; ok {
			var mappings []struct {
				HostPort, ContainerPort int
				Protocol, HostIP        string
			}
			if err := json.Unmarshal([]byte(list), &mappings); err != nil {
				return nil, "the annotation " + crioPorts + " of the pod cannot be read: " + err.Error()
			}
			for _, p := range mappings {
				add(p.ContainerPort, p.HostPort, p.HostIP, cmp.Or(p.Protocol, "tcp"))
			}
			return ports, ""
		}
	}
	return nil, "the engine does not tell which ports of the machine the pod opens"
}

// statusConfig asks for the configuration that the engine runs with.
func (a *criAPI) statusConfig(ctx context.Context, s *session) (raw string, handlers []string) {
	err := s.call(ctx, "ask the engine for its configuration", func(ctx context.Context) error {
		r, err := a.run.Status(ctx, &cri.StatusRequest{Verbose: true})
		raw = r.GetInfo()["config"]
		for _, h := range r.GetRuntimeHandlers() {
			handlers = append(handlers, h.GetName())
		}
		return err
	})
	if err != nil && s.facts.CRI.Served {
		s.gap(facts.Unknown, s.explain(err).Error(), true, "cri", "seccomp", "apparmor", "selinux")
	}
	return raw, handlers
}

func hostPort(host string, port any) string {
	return net.JoinHostPort(cmp.Or(host, "127.0.0.1"), strings.TrimSpace(fmt.Sprint(port)))
}
