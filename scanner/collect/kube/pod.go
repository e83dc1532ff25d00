package kube

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/postscan/postscan/scanner/facts"
)

// unset stands for a field that the object does not have.
const unset = "unset"

// Annotations by which profiles were named before they had fields.
const (
	appArmorPrefix     = "container.apparmor.security.beta.kubernetes.io/"
	seccompPod         = "seccomp.security.alpha.kubernetes.io/pod"
	seccompContainers  = "container.seccomp.security.alpha.kubernetes.io/"
	automaticTokenName = "kube-api-access-"
)

// podFacts reduces a pod's spec and metadata to the part of the workload's
// facts that needs no other object. podPath and metaPath are where the two stand.
func (s *Set) podFacts(spec *corev1.PodSpec, meta *metav1.ObjectMeta, podPath, metaPath string) *facts.Workload {
	w := &facts.Workload{
		PodPath: podPath, MetaPath: metaPath, OS: unset,
		HostPID: spec.HostPID, HostIPC: spec.HostIPC, HostNetwork: spec.HostNetwork,
		HostUsers:             position(spec.HostUsers),
		ShareProcessNamespace: spec.ShareProcessNamespace != nil && *spec.ShareProcessNamespace,
		SecurityContext:       facts.SecurityContext{RunAsNonRoot: unset, RunAsUser: -1, RunAsGroup: -1, Seccomp: unset, AppArmor: unset, HostProcess: unset},
		FSGroup:               -1,
	}
	if spec.OS != nil {
		w.OS = s.intern(string(spec.OS.Name))
	}
	if sc := spec.SecurityContext; sc != nil {
		w.SecurityContext = s.securityContext(sc.RunAsNonRoot, sc.RunAsUser, sc.RunAsGroup, sc.SeccompProfile, sc.AppArmorProfile, sc.SELinuxOptions, sc.WindowsOptions)
		w.SupplementalGroups = slices.Clone(sc.SupplementalGroups)
		w.FSGroup = number(sc.FSGroup)
		for i := range sc.Sysctls {
			w.Sysctls = append(w.Sysctls, facts.Sysctl{
				Name: s.intern(sc.Sysctls[i].Name), Value: s.intern(sc.Sysctls[i].Value), Path: s.at(podPath+".securityContext.sysctls", i),
			})
		}
	}
	s.annotations(w, spec, meta)
	s.containers(w, spec, meta, podPath)
	s.volumesOf(w, spec, podPath)
	w.Identity = facts.WorkloadIdentity{
		ServiceAccount: s.intern(cmp.Or(spec.ServiceAccountName, spec.DeprecatedServiceAccount, "default")),
		Declared:       spec.ServiceAccountName != "" || spec.DeprecatedServiceAccount != "",
		Exists:         "unknown", Automount: true, AutomountFrom: "default",
	}
	if spec.AutomountServiceAccountToken != nil {
		w.Identity.Automount, w.Identity.AutomountFrom = *spec.AutomountServiceAccountToken, "pod"
	}
	if spec.RuntimeClassName != nil {
		w.RuntimeClass.Name = s.intern(*spec.RuntimeClassName)
	}
	w.Placement = s.placement(spec, podPath)
	w.Class = classify(meta.Labels, meta.Annotations)
	return w
}

// position turns an optional switch into one of three words.
func position(b *bool) string {
	if b == nil {
		return unset
	}
	return strconv.FormatBool(*b)
}

// number turns an optional id into itself or -1.
func number(n *int64) int64 {
	if n == nil {
		return -1
	}
	return *n
}

// securityContext keeps the fields that pod and container have in common, as written.
func (s *Set) securityContext(nonRoot *bool, user, group *int64, sec *corev1.SeccompProfile, aa *corev1.AppArmorProfile, se *corev1.SELinuxOptions, win *corev1.WindowsSecurityContextOptions) facts.SecurityContext {
	c := facts.SecurityContext{
		RunAsNonRoot: position(nonRoot), RunAsUser: number(user), RunAsGroup: number(group),
		Seccomp: unset, AppArmor: unset, HostProcess: unset,
	}
	if sec != nil {
		c.Seccomp = s.intern(string(sec.Type))
	}
	if aa != nil {
		c.AppArmor = s.intern(string(aa.Type))
	}
	if se != nil {
		c.SELinux = facts.SELinux{User: s.intern(se.User), Role: s.intern(se.Role), Type: s.intern(se.Type), Level: s.intern(se.Level)}
	}
	if win != nil {
		c.HostProcess = position(win.HostProcess)
	}
	return c
}

// annotations keeps the annotations that name security profiles.
func (s *Set) annotations(w *facts.Workload, spec *corev1.PodSpec, meta *metav1.ObjectMeta) {
	for _, key := range slices.Sorted(maps.Keys(meta.Annotations)) {
		note := facts.ProfileAnnotation{Value: s.intern(meta.Annotations[key]), Path: s.intern(keyPath(w.MetaPath+".annotations", key))}
		if c, ok := strings.CutPrefix(key, appArmorPrefix); ok {
			note.Container, note.Exists = s.intern(c), hasContainer(spec, c)
			w.AppArmorNotes = append(w.AppArmorNotes, note)
		}
		if c, ok := strings.CutPrefix(key, seccompContainers); ok {
			note.Container, note.Exists = s.intern(c), hasContainer(spec, c)
			w.SeccompNotes = append(w.SeccompNotes, note)
		}
		if key == seccompPod {
			note.Exists = true
			w.SeccompNotes = append(w.SeccompNotes, note)
		}
	}
}

func hasContainer(spec *corev1.PodSpec, name string) bool {
	found := false
	eachContainer(spec, func(c *corev1.Container, _ string, _ int) { found = found || c.Name == name })
	return found
}

// eachContainer visits init containers, containers and ephemeral containers;
// list is the field that holds them.
func eachContainer(spec *corev1.PodSpec, visit func(c *corev1.Container, list string, i int)) {
	for i := range spec.InitContainers {
		visit(&spec.InitContainers[i], "initContainers", i)
	}
	for i := range spec.Containers {
		visit(&spec.Containers[i], "containers", i)
	}
	for i := range spec.EphemeralContainers {
		c := corev1.Container(spec.EphemeralContainers[i].EphemeralContainerCommon)
		visit(&c, "ephemeralContainers", i)
	}
}

// containers reduces every container.
func (s *Set) containers(w *facts.Workload, spec *corev1.PodSpec, meta *metav1.ObjectMeta, podPath string) {
	w.Containers = make([]facts.Container, 0, len(spec.InitContainers)+len(spec.Containers)+len(spec.EphemeralContainers))
	eachContainer(spec, func(c *corev1.Container, list string, i int) {
		at := s.at(podPath+"."+list, i)
		out := facts.Container{
			Name: s.intern(c.Name), Path: at, ProcMount: unset, AllowPrivilegeEscalation: unset,
			SecurityContext: facts.SecurityContext{RunAsNonRoot: unset, RunAsUser: -1, RunAsGroup: -1, Seccomp: unset, AppArmor: unset, HostProcess: unset},
		}
		switch {
		case list == "containers":
			out.Role = "container"
		case list == "ephemeralContainers":
			out.Role = "ephemeral"
		case c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways:
			out.Role = "sidecar"
		default:
			out.Role = "init"
		}
		out.Image = s.image(c.Image)
		out.PullPolicy = pullPolicy(c.ImagePullPolicy, out.Image)
		if sc := c.SecurityContext; sc != nil {
			out.Privileged = sc.Privileged != nil && *sc.Privileged
			out.AllowPrivilegeEscalation = position(sc.AllowPrivilegeEscalation)
			out.ReadOnlyRootFilesystem = sc.ReadOnlyRootFilesystem != nil && *sc.ReadOnlyRootFilesystem
			if sc.ProcMount != nil {
				out.ProcMount = s.intern(string(*sc.ProcMount))
			}
			if sc.Capabilities != nil {
				out.CapabilitiesAdd = s.internAll(capabilityStrings(sc.Capabilities.Add))
				out.CapabilitiesDrop = s.internAll(capabilityStrings(sc.Capabilities.Drop))
			}
			out.SecurityContext = s.securityContext(sc.RunAsNonRoot, sc.RunAsUser, sc.RunAsGroup, sc.SeccompProfile, sc.AppArmorProfile, sc.SELinuxOptions, sc.WindowsOptions)
		}
		out.Effective = effective(w, &out, meta.Annotations[appArmorPrefix+c.Name])
		out.Resources = resources(c, spec.Resources)
		for j := range c.Ports {
			p := &c.Ports[j]
			out.Ports = append(out.Ports, facts.ContainerPort{
				Name: s.intern(p.Name), Port: int(p.ContainerPort), HostPort: int(p.HostPort),
				Protocol: s.intern(cmp.Or(string(p.Protocol), "TCP")), Path: s.at(at+".ports", j),
			})
		}
		out.HostProbes = s.hostProbes(c, at)
		out.APIProxy = apiProxy(c)
		s.environment(&out, c, at)
		w.Containers = append(w.Containers, out)
	})
}

func (s *Set) image(written string) facts.ImageReference {
	r := imageReference(s.intern(written))
	r.Registry, r.Repository = s.intern(r.Registry), s.intern(r.Repository)
	r.Tag, r.Digest = s.intern(r.Tag), s.intern(r.Digest)
	return r
}

// effective puts pod and container settings together. The runtime's default
// capabilities are containerd's until the nodes are known.
func effective(w *facts.Workload, c *facts.Container, appArmorNote string) facts.Effective {
	pod, own := &w.SecurityContext, &c.SecurityContext
	e := facts.Effective{User: own.RunAsUser, Group: own.RunAsGroup, NonRoot: own.RunAsNonRoot, CapabilityDefault: defaultAssumed}
	if e.User < 0 {
		e.User = pod.RunAsUser
	}
	if e.Group < 0 {
		e.Group = pod.RunAsGroup
	}
	if e.NonRoot == unset {
		e.NonRoot = pod.RunAsNonRoot
	}
	switch {
	case e.User == 0:
		e.Root = "yes"
	case e.User > 0, e.NonRoot == "true":
		e.Root = "no"
	default:
		e.Root = "image"
	}
	e.Seccomp = profile(own.Seccomp, pod.Seccomp)
	written := profile(own.AppArmor, pod.AppArmor)
	if written == "node" && appArmorNote != "" {
		written = profileOfNote(appArmorNote)
	}
	e.AppArmor = written
	if c.Privileged { // runtimes drop the default profiles of a privileged container; AppArmor's Localhost stays
		e.Seccomp = "Unconfined"
		if e.AppArmor != "Localhost" {
			e.AppArmor = "Unconfined"
		}
	}
	e.SELinux = cmp.Or(own.SELinux.Type, pod.SELinux.Type)
	e.NoNewPriv = c.AllowPrivilegeEscalation == "false"
	e.Capabilities, e.CapabilityBase = effectiveCapabilities(c.Privileged, c.CapabilitiesAdd, c.CapabilitiesDrop, facts.DefaultCapabilities("containerd"))
	return e
}

// profile picks the container's profile, else the pod's, else the node's.
func profile(own, pod string) string {
	if own == unset {
		own = pod
	}
	switch own {
	case unset:
		return "node"
	case "RuntimeDefault", "Localhost":
		return own
	default:
		return "Unconfined"
	}
}

// profileOfNote reads the value of the AppArmor annotation.
func profileOfNote(v string) string {
	switch {
	case v == "runtime/default":
		return "RuntimeDefault"
	case strings.HasPrefix(v, "localhost/"):
		return "Localhost"
	default:
		return "Unconfined"
	}
}

// resources says where each bound comes from; the namespace's defaults are put
// in when resources are joined.
func resources(c *corev1.Container, pod *corev1.ResourceRequirements) facts.Resources {
	var podLimits, podRequests corev1.ResourceList
	if pod != nil {
		podLimits, podRequests = pod.Limits, pod.Requests
	}
	from := func(own, whole corev1.ResourceList, kind corev1.ResourceName) string {
		switch {
		case holds(own, kind):
			return "container"
		case holds(whole, kind):
			return "pod"
		default:
			return unset
		}
	}
	request := func(kind corev1.ResourceName, limit string) string {
		r := from(c.Resources.Requests, podRequests, kind)
		if r == unset && limit != unset {
			return "limit"
		}
		return r
	}
	var r facts.Resources
	r.CPULimit = from(c.Resources.Limits, podLimits, corev1.ResourceCPU)
	r.MemoryLimit = from(c.Resources.Limits, podLimits, corev1.ResourceMemory)
	r.StorageLimit = from(c.Resources.Limits, podLimits, corev1.ResourceEphemeralStorage)
	r.CPURequest = request(corev1.ResourceCPU, r.CPULimit)
	r.MemoryRequest = request(corev1.ResourceMemory, r.MemoryLimit)
	return r
}

// holds tells a bound from its absence; a bound of 0 is none.
func holds(list corev1.ResourceList, kind corev1.ResourceName) bool {
	q, ok := list[kind]
	return ok && q.Sign() > 0
}

// hostProbes finds probes and hooks that name a host.
func (s *Set) hostProbes(c *corev1.Container, at string) []facts.HostProbe {
	var out []facts.HostProbe
	look := func(hook, where string, get *corev1.HTTPGetAction, tcp *corev1.TCPSocketAction) {
		if get != nil && get.Host != "" {
			out = append(out, facts.HostProbe{Hook: hook, Host: s.intern(get.Host), Path: s.intern(where + ".httpGet.host")})
		}
		if tcp != nil && tcp.Host != "" {
			out = append(out, facts.HostProbe{Hook: hook, Host: s.intern(tcp.Host), Path: s.intern(where + ".tcpSocket.host")})
		}
	}
	probe := func(hook string, p *corev1.Probe) {
		if p != nil {
			look(hook, at+"."+hook, p.HTTPGet, p.TCPSocket)
		}
	}
	probe("livenessProbe", c.LivenessProbe)
	probe("readinessProbe", c.ReadinessProbe)
	probe("startupProbe", c.StartupProbe)
	if c.Lifecycle != nil {
		hook := func(name string, h *corev1.LifecycleHandler) {
			if h != nil {
				look(name, at+".lifecycle."+name, h.HTTPGet, h.TCPSocket)
			}
		}
		hook("postStart", c.Lifecycle.PostStart)
		hook("preStop", c.Lifecycle.PreStop)
	}
	return out
}

// environment finds literal credentials and Secrets that become variables. The
// values themselves are not kept.
func (s *Set) environment(out *facts.Container, c *corev1.Container, at string) {
	note := func(where, variable, value, path string) {
		for _, d := range s.detect(DetectInput{Where: where, Name: variable, Value: value}) {
			out.LiteralSecrets = append(out.LiteralSecrets, facts.LiteralSecret{
				Where: where, Name: s.intern(variable), Rule: d.Rule, Category: d.Category, Title: d.Title,
				Severity: d.Severity, Length: d.Length, Path: path,
			})
		}
	}
	for i := range c.Env {
		e := &c.Env[i]
		path := s.at(at+".env", i)
		if e.ValueFrom != nil {
			if ref := e.ValueFrom.SecretKeyRef; ref != nil {
				out.SecretEnv = append(out.SecretEnv, facts.SecretEnv{Name: s.intern(e.Name), Secret: s.intern(ref.Name), Path: s.intern(path + ".valueFrom.secretKeyRef")})
			}
			continue
		}
		note("env", e.Name, e.Value, path)
	}
	for i := range c.EnvFrom {
		if ref := c.EnvFrom[i].SecretRef; ref != nil {
			out.SecretEnv = append(out.SecretEnv, facts.SecretEnv{Secret: s.intern(ref.Name), Path: s.intern(s.at(at+".envFrom", i) + ".secretRef")})
		}
	}
	words := func(where string, list []string) {
		for i, v := range list {
			if i > 0 && bareOption(list[i-1]) {
				v = list[i-1] + " " + v // the option's name says what its value is
			}
			note(where, "", v, s.at(at+"."+where, i))
		}
	}
	words("command", c.Command)
	words("args", c.Args)
}

// bareOption tells an option whose value may be the next argument.
func bareOption(arg string) bool {
	return strings.HasPrefix(arg, "-") && !strings.ContainsAny(arg, "= ")
}

// volumesOf reduces the volumes and joins their mounts.
func (s *Set) volumesOf(w *facts.Workload, spec *corev1.PodSpec, podPath string) {
	index := map[string]int{}
	for i := range spec.Volumes {
		v := &spec.Volumes[i]
		if automaticToken(v) || automaticSecret(v, spec) {
			continue
		}
		index[v.Name] = len(w.Volumes)
		w.Volumes = append(w.Volumes, s.volume(v, s.at(podPath+".volumes", i)))
	}
	s.mounts(w, spec, podPath, index)
}

// mounts joins mounts and devices to the volumes that index names.
func (s *Set) mounts(w *facts.Workload, spec *corev1.PodSpec, podPath string, index map[string]int) {
	eachContainer(spec, func(c *corev1.Container, list string, i int) {
		at := s.at(podPath+"."+list, i)
		for j := range c.VolumeMounts {
			m := &c.VolumeMounts[j]
			k, ok := index[m.Name]
			if !ok {
				continue
			}
			fm := facts.VolumeMount{
				Container: s.intern(c.Name), MountPath: s.intern(m.MountPath), ReadOnly: m.ReadOnly,
				RecursiveReadOnly: unset, Propagation: "None", SubPath: s.intern(cmp.Or(m.SubPath, m.SubPathExpr)), Path: s.at(at+".volumeMounts", j),
			}
			if m.RecursiveReadOnly != nil {
				fm.RecursiveReadOnly = s.intern(string(*m.RecursiveReadOnly))
			}
			if m.MountPropagation != nil {
				fm.Propagation = s.intern(string(*m.MountPropagation))
			}
			w.Volumes[k].Mounts = append(w.Volumes[k].Mounts, fm)
		}
		for j := range c.VolumeDevices {
			d := &c.VolumeDevices[j]
			if k, ok := index[d.Name]; ok {
				w.Volumes[k].Devices = append(w.Volumes[k].Devices, facts.VolumeDevice{
					Container: s.intern(c.Name), DevicePath: s.intern(d.DevicePath), Path: s.at(at+".volumeDevices", j),
				})
			}
		}
	})
}

// automaticToken recognises the volume that the API server adds for the service
// account's token. What a person declares, they name otherwise.
func automaticToken(v *corev1.Volume) bool {
	if !strings.HasPrefix(v.Name, automaticTokenName) || v.Projected == nil {
		return false
	}
	return slices.ContainsFunc(v.Projected.Sources, func(p corev1.VolumeProjection) bool {
		return p.ServiceAccountToken != nil && p.ServiceAccountToken.Audience == ""
	})
}

// automaticSecret recognises what API servers before 1.21 added instead: the
// account's token Secret, mounted where client libraries look for it.
func automaticSecret(v *corev1.Volume, spec *corev1.PodSpec) bool {
	if v.Secret == nil || v.Secret.SecretName != v.Name {
		return false
	}
	if i := strings.LastIndex(v.Name, "-token-"); i < 0 || len(v.Name)-i != len("-token-12345") {
		return false
	}
	found := false
	eachContainer(spec, func(c *corev1.Container, _ string, _ int) {
		for i := range c.VolumeMounts {
			found = found || c.VolumeMounts[i].Name == v.Name && c.VolumeMounts[i].MountPath == "/var/run/secrets/kubernetes.io/serviceaccount"
		}
	})
	return found
}

// volume reduces one volume.
func (s *Set) volume(v *corev1.Volume, at string) facts.Volume {
	out := facts.Volume{Name: s.intern(v.Name), Path: at, Type: volumeType(&v.VolumeSource)}
	switch {
	case v.HostPath != nil:
		out.HostPath = s.intern(nodePath(v.HostPath.Path))
		if v.HostPath.Type != nil {
			out.HostPathType = s.intern(string(*v.HostPath.Type))
		}
	case v.CSI != nil:
		out.Driver = s.intern(v.CSI.Driver)
	case v.FlexVolume != nil:
		out.Driver = s.intern(v.FlexVolume.Driver)
	case v.Image != nil:
		out.Image = s.image(v.Image.Reference)
	case v.Secret != nil:
		out.Object = s.intern(v.Secret.SecretName)
	case v.ConfigMap != nil:
		out.Object = s.intern(v.ConfigMap.Name)
	case v.PersistentVolumeClaim != nil:
		out.Object = s.intern(v.PersistentVolumeClaim.ClaimName)
	case v.Projected != nil:
		for i := range v.Projected.Sources {
			t := v.Projected.Sources[i].ServiceAccountToken
			if t == nil {
				continue
			}
			tok := facts.ProjectedToken{Audience: s.intern(t.Audience), ExpirationSeconds: 3600, Path: s.intern(s.at(at+".projected.sources", i) + ".serviceAccountToken")}
			if t.ExpirationSeconds != nil {
				tok.ExpirationSeconds = *t.ExpirationSeconds
			}
			out.Tokens = append(out.Tokens, tok)
		}
	}
	return out
}

// volumeType is the name of the source that is set. Of several, which no API
// server accepts, hostPath wins.
func volumeType(v *corev1.VolumeSource) string {
	switch {
	case v.HostPath != nil:
		return "hostPath"
	case v.EmptyDir != nil:
		return "emptyDir"
	case v.ConfigMap != nil:
		return "configMap"
	case v.Secret != nil:
		return "secret"
	case v.PersistentVolumeClaim != nil:
		return "persistentVolumeClaim"
	case v.Projected != nil:
		return "projected"
	case v.DownwardAPI != nil:
		return "downwardAPI"
	case v.CSI != nil:
		return "csi"
	case v.Ephemeral != nil:
		return "ephemeral"
	case v.Image != nil:
		return "image"
	case v.GCEPersistentDisk != nil:
		return "gcePersistentDisk"
	case v.AWSElasticBlockStore != nil:
		return "awsElasticBlockStore"
	case v.GitRepo != nil:
		return "gitRepo"
	case v.NFS != nil:
		return "nfs"
	case v.ISCSI != nil:
		return "iscsi"
	case v.Glusterfs != nil:
		return "glusterfs"
	case v.RBD != nil:
		return "rbd"
	case v.FlexVolume != nil:
		return "flexVolume"
	case v.Cinder != nil:
		return "cinder"
	case v.CephFS != nil:
		return "cephfs"
	case v.Flocker != nil:
		return "flocker"
	case v.FC != nil:
		return "fc"
	case v.AzureFile != nil:
		return "azureFile"
	case v.VsphereVolume != nil:
		return "vsphereVolume"
	case v.Quobyte != nil:
		return "quobyte"
	case v.AzureDisk != nil:
		return "azureDisk"
	case v.PhotonPersistentDisk != nil:
		return "photonPersistentDisk"
	case v.PortworxVolume != nil:
		return "portworxVolume"
	case v.ScaleIO != nil:
		return "scaleIO"
	case v.StorageOS != nil:
		return "storageos"
	default:
		return "emptyDir" // the API server's default for a volume without a source
	}
}

// claimTemplates adds a StatefulSet's claim templates as volumes.
func (s *Set) claimTemplates(w *facts.Workload, spec *corev1.PodSpec, claims []corev1.PersistentVolumeClaim) {
	index := map[string]int{}
	for i := range claims {
		c := &claims[i]
		if slices.ContainsFunc(w.Volumes, func(v facts.Volume) bool { return v.Name == c.Name }) {
			continue
		}
		v := facts.Volume{Name: s.intern(c.Name), Path: s.at("spec.volumeClaimTemplates", i), Type: "persistentVolumeClaim", VolumeMode: "Filesystem"}
		if c.Spec.VolumeMode != nil {
			v.VolumeMode = s.intern(string(*c.Spec.VolumeMode))
		}
		index[c.Name] = len(w.Volumes)
		w.Volumes = append(w.Volumes, v)
	}
	s.mounts(w, spec, w.PodPath, index)
}

// placement reduces what the spec says about nodes.
func (s *Set) placement(spec *corev1.PodSpec, podPath string) facts.Placement {
	p := facts.Placement{NodeName: spec.NodeName != "", NodeSelector: len(spec.NodeSelector) > 0}
	if a := spec.Affinity; a != nil && a.NodeAffinity != nil && a.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution != nil {
		p.NodeSelector = true
	}
	for i := range spec.Tolerations {
		t := &spec.Tolerations[i]
		hit := false
		switch {
		case t.Effect != "" && t.Effect != corev1.TaintEffectNoSchedule && (t.Key == "" || controlPlaneTaint(t.Key)): // theirs is NoSchedule
		case t.Key == "" && t.Operator == corev1.TolerationOpExists:
			p.ToleratesEverything, hit = true, true
		case controlPlaneTaint(t.Key):
			p.ToleratesControlPlane, hit = true, true
		case !ownTaint(t.Key) || t.Effect == corev1.TaintEffectPreferNoSchedule:
		default:
			p.DedicatedToleration = true
		}
		if hit && p.TolerationPath == "" {
			p.TolerationPath = s.at(podPath+".tolerations", i)
		}
	}
	return p
}

// controlPlaneTaint names the taints of control-plane nodes.
func controlPlaneTaint(key string) bool {
	return key == "node-role.kubernetes.io/control-plane" || key == "node-role.kubernetes.io/master"
}

// ownTaint tells a taint that people set from one of Kubernetes itself.
func ownTaint(key string) bool {
	return key != "" && !strings.HasPrefix(key, "node.kubernetes.io/") && !strings.HasPrefix(key, "node.cloudprovider.kubernetes.io/") && !controlPlaneTaint(key)
}

// The labels or annotations by which people classify workloads and namespaces.
const (
	classTrust       = "postscan/trust"
	classTenant      = "postscan/tenant"
	classSensitivity = "postscan/sensitivity"
	classAPIFree     = "postscan/api-free"
)

// classify reads the classification from the first of the maps that has it.
func classify(places ...map[string]string) facts.Classification {
	get := func(key string) string {
		for _, m := range places {
			if v := m[key]; v != "" {
				return strings.Clone(v)
			}
		}
		return ""
	}
	return facts.Classification{
		Trust: get(classTrust), Tenant: get(classTenant), Sensitivity: get(classSensitivity), APIFree: get(classAPIFree) == "true",
	}
}

// inherit fills what is not said by what the outer object says.
func inherit(c, outer facts.Classification) facts.Classification {
	return facts.Classification{
		Trust: cmp.Or(c.Trust, outer.Trust), Tenant: cmp.Or(c.Tenant, outer.Tenant),
		Sensitivity: cmp.Or(c.Sensitivity, outer.Sensitivity), APIFree: c.APIFree || outer.APIFree,
	}
}
