package engine

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/netip"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/containerd/errdefs"
	mobycontainer "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/api/types/system"
	"github.com/moby/moby/client"

	"github.com/postscan/postscan/scanner/facts"
)

// dockerAPI is Docker's own API.
type dockerAPI struct {
	cli  *client.Client
	http *http.Client
	info system.Info
	// bound are the folders of the machine behind volumes that are none of the engine's own, by name.
	bound map[string]string
}

func (d *dockerAPI) close() {
	d.http.CloseIdleConnections()
	_ = d.cli.Close() // nothing was written
}

// describe implements [api].
func (d *dockerAPI) describe(ctx context.Context, s *session) error {
	s.facts.Name = docker
	s.facts.DefaultCapabilities = facts.DefaultCapabilities(docker)
	if err := d.common(ctx, s); err != nil {
		return err
	}
	d.components(ctx, s)
	d.networks(ctx, s)
	d.volumes(ctx, s)
	if s.place.local {
		s.dockerConfig(d.info.DockerRootDir)
	} else {
		s.remoteListener()
	}
	s.swarm(ctx, d)
	return nil
}

// common reads what Docker and Podman tell alike.
func (d *dockerAPI) common(ctx context.Context, s *session) error {
	err := s.call(ctx, "ask the engine about itself", func(ctx context.Context) error {
		r, err := d.cli.Info(ctx, client.InfoOptions{})
		d.info = r.Info
		return err
	})
	if err != nil {
		return err
	}
	f, info := &s.facts, d.info
	s.id = info.ID
	f.Version, f.API, f.CgroupVersion, f.LogDriver = info.ServerVersion, d.cli.ClientVersion(), info.CgroupVersion, info.LoggingDriver
	f.OS = cmp.Or(info.OSType, "linux")
	f.LiveRestore = info.LiveRestoreEnabled
	f.Experimental = info.ExperimentalBuild && f.Name == docker // Podman always says so
	f.AuthorizationPlugins = info.Plugins.Authorization
	f.Seccomp = "unsupported"
	for _, o := range info.SecurityOptions {
		d.securityOption(f, o)
	}
	if f.Rootless {
		f.UserNamespaces = "rootless"
	}
	if info.ID != "" {
		s.aliases = append(s.aliases, facts.Alias{Type: "engine-id", Value: info.ID})
	}
	if rc := info.RegistryConfig; rc != nil {
		for _, p := range rc.InsecureRegistryCIDRs {
			f.InsecureRegistries = append(f.InsecureRegistries, facts.InsecureRegistry{Registry: p.String(), Loopback: p.Addr().IsLoopback(), Source: "the engine"})
		}
		for _, name := range slices.Sorted(maps.Keys(rc.IndexConfigs)) {
			if i := rc.IndexConfigs[name]; i != nil && !i.Secure {
				f.InsecureRegistries = append(f.InsecureRegistries, facts.InsecureRegistry{Registry: name, Loopback: loopback(name), Source: "the engine"})
			}
		}
	}
	return nil
}

// securityOption reads "name=seccomp,profile=default".
func (d *dockerAPI) securityOption(f *facts.Engine, text string) {
	opt := map[string]string{}
	for part := range strings.SplitSeq(text, ",") {
		k, v, ok := strings.Cut(part, "=")
		if !ok {
			k, v = "name", part
		}
		opt[k] = v
	}
	switch opt["name"] {
	case "seccomp":
		switch p := cmp.Or(opt["profile"], "default"); p {
		case "default", "builtin":
			f.Seccomp = "default"
		default:
			f.Seccomp = p
		}
	case "apparmor":
		f.AppArmor = "enabled"
	case "selinux":
		f.SELinux = "enabled"
	case "userns":
		f.UserNamespaces = "remap"
	case "rootless":
		f.Rootless = true
	case "no-new-privileges":
		f.NoNewPrivileges = true
	}
}

// components asks for the versions of what the engine is made of.
func (d *dockerAPI) components(ctx context.Context, s *session) {
	var v client.ServerVersionResult
	err := s.call(ctx, "ask for versions", func(ctx context.Context) (err error) {
		v, err = d.cli.ServerVersion(ctx, client.ServerVersionOptions{})
		return err
	})
	if err != nil {
		s.gap(facts.Unknown, s.explain(err).Error(), true, "components")
	}
	s.component(s.facts.Name, s.facts.Version)
	for _, c := range v.Components {
		switch name := strings.ToLower(c.Name); name {
		case "containerd", "runc", "crun", "docker-init":
			s.component(name, c.Version)
		case "conmon":
			s.component(name, lastWord(c.Version))
		case "oci runtime (crun)", "oci runtime (runc)":
			s.component(strings.TrimSuffix(strings.TrimPrefix(name, "oci runtime ("), ")"), ociVersion(c.Version))
		}
	}
}

// networks lists the engine's networks.
func (d *dockerAPI) networks(ctx context.Context, s *session) {
	var list client.NetworkListResult
	err := s.call(ctx, "list the networks", func(ctx context.Context) (err error) {
		list, err = d.cli.NetworkList(ctx, client.NetworkListOptions{})
		return err
	})
	if err != nil {
		s.gap(facts.Unknown, s.explain(err).Error(), false, "networks")
		s.containerGaps["networks"] = facts.Missing{Status: facts.Unknown, Reason: s.explain(err).Error()}
		return
	}
	for _, n := range list.Items {
		s.network(n)
	}
	slices.SortFunc(s.facts.Networks, func(a, b facts.EngineNetwork) int { return cmp.Compare(a.Name, b.Name) })
}

// volumes finds those that are folders of the machine in disguise: the driver
// local binds any path where it is told to.
func (d *dockerAPI) volumes(ctx context.Context, s *session) {
	d.bound = map[string]string{}
	err := s.call(ctx, "list the volumes", func(ctx context.Context) error {
		list, err := d.cli.VolumeList(ctx, client.VolumeListOptions{})
		for _, v := range list.Items {
			options := strings.Split(v.Options["o"], ",")
			if v.Driver == "local" && (slices.Contains(options, "bind") || slices.Contains(options, "rbind")) && v.Options["device"] != "" {
				d.bound[v.Name] = v.Options["device"]
			}
		}
		return err
	})
	if err != nil {
		s.containerGaps["mounts"] = facts.Missing{Status: facts.Unknown, Reason: s.explain(err).Error(), Partial: true}
	}
}

func (s *session) network(n network.Summary) {
	_, encrypted := n.Options["encrypted"]
	if v := n.Options["encrypted"]; v == "false" {
		encrypted = false
	}
	f := facts.EngineNetwork{
		Name: n.Name, Driver: n.Driver, Scope: n.Scope, Internal: n.Internal, Ingress: n.Ingress, Encrypted: n.Driver == "overlay" && encrypted,
		Default: n.Options["com.docker.network.bridge.default_bridge"] == "true",
		ICC:     n.Driver != "none" && n.Driver != "null" && n.Options["com.docker.network.bridge.enable_icc"] != "false" && n.Options["isolate"] != "true",
	}
	if s.facts.Name == podman && (n.Name == "podman" || n.Name == "bridge") {
		f.Name, f.Default = podman, true // its compatible list calls it as Docker would
	}
	s.facts.Networks = append(s.facts.Networks, f)
	s.networks[f.Name] = f
}

// list implements [api].
func (d *dockerAPI) list(ctx context.Context) ([]string, error) {
	r, err := d.cli.ContainerList(ctx, client.ContainerListOptions{All: true})
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(r.Items))
	for i, c := range r.Items {
		ids[i] = c.ID
	}
	return ids, nil
}

// container implements [api].
func (d *dockerAPI) container(ctx context.Context, s *session, id string) (*container, error) {
	r, err := d.cli.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
	if errdefs.IsNotFound(err) {
		return nil, errGone
	}
	if err != nil {
		return nil, err
	}
	in := r.Container
	if in.HostConfig == nil || in.Config == nil || in.State == nil {
		return nil, fmt.Errorf("the engine's answer lacks its settings")
	}
	c := s.dockerContainer(in)
	c.doc.PrivilegedExecs = d.execs(ctx, c, in.ExecIDs)
	for i, m := range c.doc.Mounts {
		for name, device := range d.bound {
			if m.Type == "volume" && slices.ContainsFunc(in.Mounts, func(v mobycontainer.MountPoint) bool { return v.Name == name && v.Destination == m.Destination }) {
				c.doc.Mounts[i].Type, c.doc.Mounts[i].Source = "bind", s.resolve(device)
			}
		}
	}
	s.process(c)
	return c, nil
}

// execs counts the running exec sessions that are privileged.
func (d *dockerAPI) execs(ctx context.Context, c *container, ids []string) int {
	n := 0
	for _, id := range ids {
		var e struct {
			Running       bool
			ProcessConfig struct{ Privileged bool }
		}
		if err := d.get(ctx, "/v"+d.cli.ClientVersion()+"/exec/"+id+"/json", &e); err != nil {
			if !strings.Contains(err.Error(), "404") {
				c.missing["privileged_execs"] = facts.Missing{Status: facts.Unknown, Reason: "an exec session cannot be looked at: " + err.Error(), Partial: true}
			}
			continue
		}
		if e.Running && e.ProcessConfig.Privileged {
			n++
		}
	}
	return n
}

// get asks for one document that the client has no call for.
func (d *dockerAPI) get(ctx context.Context, path string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://engine"+path, nil)
	if err != nil {
		return err
	}
	resp, err := d.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close() //nolint:errcheck // read only
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %s", path, resp.Status)
	}
	return json.NewDecoder(io.LimitReader(resp.Body, 64<<20)).Decode(into)
}

// dockerContainer turns what Docker says of a container into facts.
func (s *session) dockerContainer(in mobycontainer.InspectResponse) *container {
	hc, conf := in.HostConfig, in.Config
	c := &container{id: in.ID, pid: in.State.Pid, missing: map[string]facts.Missing{}}
	d := &c.doc
	*d = facts.EngineContainer{
		Name: strings.TrimPrefix(in.Name, "/"), Engine: s.facts.Name, Image: imageReference(conf.Image), State: string(in.State.Status),
		Runtime: hc.Runtime, Rootless: s.facts.Rootless, Privileged: hc.Privileged, User: conf.User, Root: rootUser(conf.User),
		CapabilitiesAdd: names(hc.CapAdd), CapabilitiesDrop: names(hc.CapDrop), CapabilitiesFrom: "computed",
		Capabilities: computed(hc.Privileged, hc.CapAdd, hc.CapDrop, s.facts.DefaultCapabilities),
		EngineRemaps: s.facts.UserNamespaces == "remap", NoNewPrivileges: s.facts.NoNewPrivileges,
		MaskedPaths: !hc.Privileged && (len(hc.MaskedPaths) > 0 || s.facts.Name == podman), ReadOnlyRoot: hc.ReadonlyRootfs, CgroupParent: hc.CgroupParent,
		DeviceRules: hc.DeviceCgroupRules, Restart: cmp.Or(string(hc.RestartPolicy.Name), "no"),
		Health:        conf.Healthcheck != nil && len(conf.Healthcheck.Test) > 0 && conf.Healthcheck.Test[0] != "NONE",
		PublicAddress: s.facts.PublicAddress, IPTables: s.facts.IPTables, Sysctls: slices.Sorted(maps.Keys(hc.Sysctls)),
		Limits: facts.ContainerLimits{Memory: max(hc.Memory, 0), CPU: hc.NanoCPUs > 0 || hc.CPUQuota > 0 || hc.CpusetCpus != ""},
	}
	if hc.PidsLimit != nil {
		d.Limits.PIDs = max(*hc.PidsLimit, 0)
	}
	d.Sandboxed = s.sandboxed(d.Runtime)
	d.State = cmp.Or(d.State, "unknown")
	s.dockerNamespaces(c, hc)
	s.dockerConfinement(d, in)
	s.dockerMounts(d, in)
	for _, dev := range hc.Devices {
		d.Devices = append(d.Devices, facts.ContainerDevice{Host: dev.PathOnHost, Container: dev.PathInContainer, Permissions: dev.CgroupPermissions})
	}
	s.dockerNetwork(d, in)
	d.LiteralSecrets = s.secrets("config", conf.Env, append(slices.Clone(conf.Entrypoint), conf.Cmd...))
	if in.Image != "" {
		c.aliases = append(c.aliases, facts.Alias{Type: "image-id", Value: in.Image})
		c.links = append(c.links, facts.Link{Type: "runs-image", To: in.Image, Evidence: "the engine says so", Confidence: "certain"})
	}
	s.kubernetes(c, conf.Labels)
	return c
}

// rootUser says whether a configured user is uid 0.
func rootUser(user string) string {
	name, _, _ := strings.Cut(user, ":")
	if name == "" || name == "root" {
		return "yes"
	}
	if n, err := strconv.Atoi(name); err == nil {
		if n == 0 {
			return "yes"
		}
		return "no"
	}
	return "unknown"
}

// dockerNamespaces reads the modes of the namespaces.
func (s *session) dockerNamespaces(c *container, hc *mobycontainer.HostConfig) {
	mode := func(m, none string) (kind, of string) {
		head, rest, _ := strings.Cut(m, ":")
		switch head {
		case "host":
			return "host", ""
		case "container":
			return "container", rest
		case "ns":
			return "container", rest
		case "shareable", "none":
			return head, ""
		case "":
			return none, ""
		default:
			return "private", ""
		}
	}
	n := &c.doc.Namespaces
	n.PID, n.PIDOf = mode(string(hc.PidMode), "private")
	n.Network, n.NetworkOf = mode(string(hc.NetworkMode), "private")
	n.IPC, _ = mode(string(hc.IpcMode), "private")
	n.UTS, _ = mode(string(hc.UTSMode), "private")
	cgroups := "private"
	if s.facts.CgroupVersion == "1" {
		cgroups = "host"
	}
	n.Cgroup, _ = mode(string(hc.CgroupnsMode), cgroups)
	c.doc.CgroupNamespaceAsked = hc.CgroupnsMode == "host" && s.facts.CgroupVersion != "1"
	if n.Network == "host" && hc.UTSMode == "" && s.facts.Name == podman {
		n.UTS = "private"
	}
	c.other = cmp.Or(n.PIDOf, n.NetworkOf)
	switch {
	case s.facts.Rootless, hc.UsernsMode != "" && hc.UsernsMode != "host":
		n.User = "private"
	case hc.UsernsMode == "host", s.facts.UserNamespaces != "remap":
		n.User = "host"
	default:
		n.User = "private"
	}
}

// dockerConfinement reads seccomp, AppArmor, SELinux and no-new-privileges.
func (s *session) dockerConfinement(d *facts.EngineContainer, in mobycontainer.InspectResponse) {
	switch s.facts.Seccomp {
	case "default":
		d.Seccomp = "RuntimeDefault"
	case "unconfined", "unsupported":
		d.Seccomp = "Unconfined"
	default:
		d.Seccomp = "Localhost"
	}
	d.AppArmor, d.SELinux = "none", "none"
	if s.facts.AppArmor == "enabled" {
		d.AppArmor = cmp.Or(in.AppArmorProfile, "docker-default")
	}
	if t := selinuxType(in.ProcessLabel); t != "" {
		d.SELinux = t
	}
	for _, opt := range in.HostConfig.SecurityOpt {
		name, value, ok := strings.Cut(opt, "=")
		if !ok {
			name, value, _ = strings.Cut(opt, ":")
		}
		switch name {
		case "seccomp":
			switch value {
			case "unconfined":
				d.Seccomp = "Unconfined"
			case "builtin", "default":
				d.Seccomp = "RuntimeDefault"
			default:
				d.Seccomp = "Localhost"
			}
		case "apparmor":
			d.AppArmor = value
		case "label":
			// Docker itself writes "disable" for privileged containers, also where there is no SELinux.
			if value == "disable" && s.facts.SELinux == "enabled" {
				d.SELinux = "disabled"
			} else if t, ok := strings.CutPrefix(value, "type:"); ok && t == "spc_t" {
				d.SELinux = "unconfined"
			}
		case "no-new-privileges":
			d.NoNewPrivileges = value != "false"
		case "systempaths":
			d.MaskedPaths = d.MaskedPaths && value != "unconfined"
		case "unmask":
			d.MaskedPaths = false
		}
	}
	if d.AppArmor == "unconfined" {
		d.AppArmor = "Unconfined"
	}
	if d.Privileged {
		d.Seccomp = "Unconfined"
		if s.facts.AppArmor == "enabled" {
			d.AppArmor = "Unconfined"
		}
		if s.facts.SELinux == "enabled" {
			d.SELinux = "disabled"
		}
	}
}

// selinuxType is the type of a label: "system_u:system_r:container_t:s0:c1,c2".
func selinuxType(label string) string {
	p := strings.Split(label, ":")
	switch {
	case len(p) < 3:
		return ""
	case p[2] == "spc_t", p[2] == "unconfined_t":
		return "unconfined"
	default:
		return p[2]
	}
}

// dockerMounts reads the mounts. Links are followed where the machine is this
// one: what a container sees is the place they lead to.
func (s *session) dockerMounts(d *facts.EngineContainer, in mobycontainer.InspectResponse) {
	for _, m := range in.Mounts {
		d.Mounts = append(d.Mounts, facts.ContainerMount{
			Type: string(m.Type), Source: s.resolve(m.Source), Destination: m.Destination, ReadOnly: !m.RW, Propagation: string(m.Propagation),
		})
	}
	for dest := range in.HostConfig.Tmpfs {
		if !slices.ContainsFunc(d.Mounts, func(m facts.ContainerMount) bool { return m.Destination == dest }) {
			d.Mounts = append(d.Mounts, facts.ContainerMount{Type: "tmpfs", Destination: dest})
		}
	}
	slices.SortFunc(d.Mounts, func(a, b facts.ContainerMount) int { return cmp.Compare(a.Destination, b.Destination) })
}

// resolve follows the links of a path of this machine.
func (s *session) resolve(path string) string {
	if !s.place.local || s.opts.Root != "/" || !filepath.IsAbs(path) {
		return path
	}
	if target, err := filepath.EvalSymlinks(path); err == nil {
		return target
	}
	return path
}

// dockerNetwork reads ports and networks.
func (s *session) dockerNetwork(d *facts.EngineContainer, in mobycontainer.InspectResponse) {
	for port, bindings := range in.HostConfig.PortBindings {
		for _, b := range bindings {
			n, _ := strconv.Atoi(b.HostPort) // "" is any free one: 0
			p := facts.PublishedPort{Port: int(port.Num()), Protocol: string(port.Proto()), HostPort: n, Reach: "all"}
			if b.HostIP.IsValid() {
				p.HostIP = b.HostIP.String()
				p.Reach = reach(b.HostIP)
			}
			d.Ports = append(d.Ports, p)
		}
	}
	if in.HostConfig.PublishAllPorts && in.NetworkSettings != nil {
		for port := range in.NetworkSettings.Ports {
			if !slices.ContainsFunc(d.Ports, func(p facts.PublishedPort) bool {
				return p.Port == int(port.Num()) && p.Protocol == string(port.Proto())
			}) {
				d.Ports = append(d.Ports, facts.PublishedPort{Port: int(port.Num()), Protocol: string(port.Proto()), Reach: "all"})
			}
		}
	}
	slices.SortFunc(d.Ports, func(a, b facts.PublishedPort) int {
		return cmp.Or(cmp.Compare(a.Port, b.Port), cmp.Compare(a.Protocol, b.Protocol), cmp.Compare(a.HostIP, b.HostIP), cmp.Compare(a.HostPort, b.HostPort))
	})
	if in.NetworkSettings == nil || d.Namespaces.Network != "private" {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(in.NetworkSettings.Networks)) {
		n := s.networks[name]
		d.Networks = append(d.Networks, facts.ContainerNetwork{Name: name, Driver: n.Driver, Default: n.Default, ICC: n.ICC})
	}
}

// reach says who gets to an address of the machine.
func reach(ip netip.Addr) string {
	switch ip = ip.Unmap(); {
	case !ip.IsValid(), ip.IsUnspecified():
		return "all"
	case ip.IsLoopback():
		return "loopback"
	default:
		return "address"
	}
}

// process adds what /proc shows and the API hides, where the container runs on this machine.
func (s *session) process(c *container) {
	d := &c.doc
	if d.State != "running" || !s.place.local {
		if !s.facts.NoNewPrivileges && !d.NoNewPrivileges && !s.place.local && s.facts.Name == docker {
			c.missing["no_new_privileges"] = facts.Missing{
				Status: facts.NotAssessed, Reason: "the container does not ask for it, and whether the engine sets it for all is in the engine's files, which are on another machine",
			}
		}
		return
	}
	st, ok := s.machine.status(c.pid, c.id)
	if !ok {
		if m, bad := s.missing["no_new_privileges"]; bad && !d.NoNewPrivileges {
			c.missing["no_new_privileges"] = m
		}
		return
	}
	d.NoNewPrivileges = d.NoNewPrivileges || st.noNewPrivs
	if st.seccomp == 0 {
		d.Seccomp = "Unconfined"
	} else if d.Seccomp == "Unconfined" {
		d.Seccomp = "Localhost" // a filter that the API does not tell of
	}
	if !d.Privileged {
		d.Capabilities, d.CapabilitiesFrom = whole(capabilityNames(st.bounding)), "process"
	}
	if st.apparmor == "unconfined" && s.facts.AppArmor == "enabled" { // the engine names a profile also where it could not load it
		d.AppArmor = "Unconfined"
	}
	if d.Root == "unknown" && !st.remapped {
		d.Root = "no"
		if st.uid == 0 {
			d.Root = "yes"
		}
	}
	if st.remapped {
		d.Namespaces.User = "private"
	}
	s.sharedNamespaces(c)
}

// sharedNamespaces finds namespaces that are those of the engine's own process:
// Podman's API calls the machine's IPC namespace one of the container's own.
func (s *session) sharedNamespaces(c *container) {
	n := &c.doc.Namespaces
	for name, to := range map[string]*string{"pid": &n.PID, "net": &n.Network, "ipc": &n.IPC, "uts": &n.UTS} {
		if *to != "container" && s.machine.sameNamespace(s.peer.pid, c.pid, name) {
			*to = "host"
		}
	}
}

// kubernetes links a container to its pod by the labels of the kubelet.
func (s *session) kubernetes(c *container, labels map[string]string) {
	ns, pod, uid := labels["io.kubernetes.pod.namespace"], labels["io.kubernetes.pod.name"], labels["io.kubernetes.pod.uid"]
	if ns == "" || pod == "" {
		return
	}
	c.doc.Pod = facts.ContainerPod{Namespace: ns, Name: pod, Container: cmp.Or(labels["io.kubernetes.container.name"], c.doc.Name)}
	to := "pod/" + ns + "/" + pod
	if uid != "" {
		c.aliases = append(c.aliases, facts.Alias{Type: "pod-uid", Value: uid})
		to = "pod-uid/" + uid
	}
	c.links = append(c.links, facts.Link{Type: "part-of", To: to, Evidence: "label io.kubernetes.pod.uid of the container", Confidence: "claimed"})
}

// secrets finds credentials in the environment and the command.
func (s *session) secrets(at string, env, command []string) []facts.LiteralSecret {
	if s.opts.Detect == nil {
		return nil
	}
	var out []facts.LiteralSecret
	add := func(where, name, path, value string) {
		for _, f := range s.opts.Detect(where, name, value) {
			out = append(out, facts.LiteralSecret{Where: where, Name: name, Rule: f.Rule, Category: f.Category, Title: f.Title, Severity: f.Severity, Length: f.Length, Path: path})
		}
	}
	for i, e := range env {
		name, value, _ := strings.Cut(e, "=")
		add("env", name, fmt.Sprintf("%s.env[%d]", at, i), value)
	}
	for i, a := range command {
		add("command", "", fmt.Sprintf("%s.cmd[%d]", at, i), a)
	}
	return out
}

// sandboxRuntime knows the runtimes that put a kernel or a machine between.
func sandboxRuntime(name string) bool {
	name = strings.ToLower(name)
	return strings.Contains(name, "runsc") || strings.Contains(name, "gvisor") || strings.Contains(name, "kata") || strings.Contains(name, "krun") || strings.Contains(name, "firecracker")
}

// imageReference takes the name of an image apart. A bare id has only its reference.
func imageReference(ref string) facts.ImageReference {
	out := facts.ImageReference{Reference: ref}
	rest, digest, _ := strings.Cut(ref, "@")
	if strings.HasPrefix(ref, "sha256:") || len(ref) == 64 && !strings.ContainsAny(ref, "/:.") || rest == "" {
		return out
	}
	out.Digest = digest
	if i := strings.LastIndexByte(rest, ':'); i > strings.LastIndexByte(rest, '/') {
		rest, out.Tag = rest[:i], rest[i+1:]
	}
	host, path, ok := strings.Cut(rest, "/")
	switch {
	case ok && (strings.ContainsAny(host, ".:") || host == "localhost"):
		out.Registry, out.Repository = host, path
	case ok:
		out.Registry, out.Repository = "docker.io", rest
	default:
		out.Registry, out.Repository = "docker.io", "library/"+rest
	}
	return out
}
