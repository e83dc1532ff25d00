package manifests

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
	"sigs.k8s.io/yaml"

	"github.com/postscan/postscan/checks"
	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/facts"
	"github.com/postscan/postscan/scanner/regoeval"
)

// asked are the versions that are given as the parameter; the others stand on the
// namespace, for which nothing has to be compiled anew.
var asked = []string{"v1.0", "v1.24", "v1.37"}

// label makes the namespace enforce a version.
func label(t testing.TB, r *facts.Resource, version string) {
	t.Helper()
	minor, err := strconv.Atoi(strings.TrimPrefix(version, "v1."))
	w, ok := r.Facts.(*facts.Workload)
	if err != nil || !ok {
		t.Fatalf("%s: facts %T, version %s", r.ID, r.Facts, version)
	}
	w.Namespace.PodSecurity.EnforceMinor = minor
	for path := range r.Missing {
		if strings.HasPrefix(path, "namespace") {
			delete(r.Missing, path)
		}
	}
}

// fixtures is how many pods k8s.io/pod-security-admission v0.37.2 brings.
const fixtures = 4537

// Over every fixture of the admission plugin, of every version and level, each
// control and each level of the Pod Security Standards is decided as the
// plugin's own library decides it.
func TestPodSecurityFixtures(t *testing.T) {
	root := fixtureFolder(t)
	ours, theirs := newOurs(t), newTheirs(t)
	byLabel := ours.at(t, "")
	versions, err := filepath.Glob(filepath.Join(root, "restricted", "v1.*"))
	if err != nil || len(versions) < 38 {
		t.Fatalf("fixtures of %d versions found in %s, want 38 (error %v)", len(versions), root, err)
	}
	var mu sync.Mutex
	seen, failed := 0, map[string]int{} // by control
	t.Run("versions", func(t *testing.T) {
		for _, dir := range versions {
			version := filepath.Base(dir)
			t.Run(version, func(t *testing.T) {
				t.Parallel()
				eval := byLabel
				if slices.Contains(asked, version) {
					eval = ours.at(t, version)
				}
				for _, level := range []api.Level{api.LevelBaseline, api.LevelRestricted} {
					for _, want := range []string{"pass", "fail"} {
						pods := collectPods(t, filepath.Join(root, string(level), version, want))
						for name, p := range pods {
							if eval.version == "" {
								label(t, p.facts, version)
							}
							got := eval.judge(t, p.facts)
							if (got.levels[level] == "pass") != (want == "pass") {
								t.Errorf("%s/%s/%s/%s: level %s", level, version, want, name, got.levels[level])
							}
							compare(t, path.Join(string(level), version, want, name), got, theirs.judge(t, version, p.pod))
							mu.Lock()
							seen++
							for control, status := range got.controls {
								if status == "fail" {
									failed[control]++
								}
							}
							mu.Unlock()
						}
					}
				}
			})
		}
	})
	if seen != fixtures {
		t.Errorf("%d fixtures compared, want %d", seen, fixtures)
	}
	for _, control := range theirs.names {
		if failed[control] == 0 {
			t.Errorf("no fixture failed the control %s", control)
		}
	}
}

// fixtureFolder is where the module cache holds the fixtures.
func fixtureFolder(t *testing.T) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "k8s.io/pod-security-admission").Output()
	if err != nil {
		t.Fatalf("look for the fixtures: %v", err)
	}
	return filepath.Join(strings.TrimSpace(string(out)), "test", "testdata")
}

// verdict is "pass" or "fail" for each control and for each level.
type verdict struct {
	controls map[string]string
	levels   map[api.Level]string
}

func word(pass bool) string {
	if pass {
		return "pass"
	}
	return "fail"
}

func compare(t *testing.T, what string, got, want verdict) {
	t.Helper()
	for control, status := range want.controls {
		if got.controls[control] != status {
			t.Errorf("%s: control %s: %s, the library says %s", what, control, got.controls[control], status)
		}
	}
	for level, status := range want.levels {
		if got.levels[level] != status {
			t.Errorf("%s: level %s: %s, the library says %s", what, level, got.levels[level], status)
		}
	}
}

// theirs is the library.
type theirs struct {
	names    []string // of the controls
	controls map[string]policy.Evaluator
	whole    policy.Evaluator
}

func newTheirs(t testing.TB) theirs {
	t.Helper()
	out := theirs{controls: map[string]policy.Evaluator{}}
	for _, c := range policy.DefaultChecks() {
		e, err := policy.NewEvaluator([]policy.Check{c}, nil)
		if err != nil {
			t.Fatal(err)
		}
		out.controls[string(c.ID)] = e
		out.names = append(out.names, string(c.ID))
	}
	whole, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	out.whole = whole
	return out
}

func (e theirs) judge(t testing.TB, version string, pod *corev1.Pod) verdict {
	t.Helper()
	v, err := api.ParseVersion(version)
	if err != nil {
		t.Fatal(err)
	}
	// The API server makes a volume without a source an emptyDir.
	pod = pod.DeepCopy()
	for i := range pod.Spec.Volumes {
		if s := &pod.Spec.Volumes[i].VolumeSource; *s == (corev1.VolumeSource{}) {
			s.EmptyDir = &corev1.EmptyDirVolumeSource{}
		}
	}
	allowed := func(e policy.Evaluator, level api.Level) string {
		return word(policy.AggregateCheckResults(e.EvaluatePod(api.LevelVersion{Level: level, Version: v}, &pod.ObjectMeta, &pod.Spec)).Allowed)
	}
	out := verdict{controls: map[string]string{}, levels: map[api.Level]string{}}
	for name, c := range e.controls {
		out.controls[name] = allowed(c, api.LevelRestricted)
	}
	for _, l := range []api.Level{api.LevelBaseline, api.LevelRestricted} {
		out.levels[l] = allowed(e.whole, l)
	}
	// PS-K8S-023 tells the highest level. A pod of Windows may meet restricted, which exempts it from some
	// controls, and not baseline, which does not; the API server accepts no such pod.
	if out.levels[api.LevelRestricted] == "pass" {
		out.levels[api.LevelBaseline] = "pass"
	}
	return out
}

// ours are the policies of postscan.
type ours struct {
	catalogue *checks.Catalogue
	selected  []*checks.Check
	controls  map[string][]string // of each check, by id
}

const rollup = "PS-K8S-023"

func newOurs(t testing.TB) ours {
	t.Helper()
	cat, err := checks.Load(checks.BuiltIn())
	if err != nil {
		t.Fatal(err)
	}
	selected, err := cat.Select([]string{"framework:pss-baseline", "framework:pss-restricted", rollup}, nil)
	if err != nil {
		t.Fatal(err)
	}
	out := ours{cat, selected, map[string][]string{}}
	for _, c := range selected {
		for _, r := range c.References {
			if r.Framework == "pss-baseline" || r.Framework == "pss-restricted" {
				out.controls[c.ID] = append(out.controls[c.ID], r.Control)
			}
		}
	}
	return out
}

// judge decides by one version of the standards.
type judge struct {
	ours
	version   string // "" is that of the namespace
	evaluator *regoeval.Evaluator
}

func (o ours) at(t testing.TB, version string) judge {
	t.Helper()
	e, err := regoeval.New(t.Context(), o.catalogue, o.selected, regoeval.Options{
		Params: map[string]any{"pss_version": version}, Now: time.Unix(0, 0),
	})
	if err != nil {
		t.Fatal(err)
	}
	return judge{o, version, e}
}

func (j judge) judge(t testing.TB, r *facts.Resource) verdict {
	t.Helper()
	outcomes, err := j.evaluator.Evaluate(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	out := verdict{controls: map[string]string{}, levels: map[api.Level]string{api.LevelBaseline: "fail", api.LevelRestricted: "fail"}}
	for _, o := range outcomes {
		switch o.Status {
		case scanner.Pass, scanner.Fail, scanner.NotApplicable:
		default:
			t.Errorf("%s: %s is %s: %s", r.ID, o.Rule.ID, o.Status, strings.Join(o.Reasons, "; "))
		}
		if o.Rule.ID == rollup {
			level := "restricted" // which is no finding
			if len(o.Violations) == 1 {
				level = fmt.Sprint(o.Violations[0].Value.(map[string]any)["level"])
			}
			out.levels[api.LevelBaseline] = word(level != "privileged")
			out.levels[api.LevelRestricted] = word(level == "restricted")
			continue
		}
		for _, control := range j.controls[o.Rule.ID] {
			out.controls[control] = cmp.Or(map[bool]string{true: "fail"}[o.Status == scanner.Fail], out.controls[control], "pass")
		}
	}
	return out
}

// fixture is one pod, as it is written and as facts.
type fixture struct {
	pod   *corev1.Pod
	facts *facts.Resource
}

// workloads keeps the workloads of a collection by their file.
type workloads struct {
	mu   sync.Mutex
	list map[string]*facts.Resource
}

func (w *workloads) Target(target facts.Target) error {
	if target.Error != "" {
		return fmt.Errorf("%s: %s", target.Ref, target.Error)
	}
	return nil
}

func (w *workloads) Source(facts.Source) error { return nil }

func (w *workloads) Resource(_ context.Context, r *facts.Resource) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if r.Kind == facts.KindWorkload {
		w.list[path.Base(r.Origin.File)] = r
	}
	return nil
}

func collectPods(t *testing.T, dir string) map[string]fixture {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	seen := workloads{list: map[string]*facts.Resource{}}
	if err := New(Options{Paths: []string{dir}, Parallel: 1}).Collect(t.Context(), &seen); err != nil {
		t.Fatal(err)
	}
	out := map[string]fixture{}
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		f := fixture{pod: &corev1.Pod{}, facts: seen.list[e.Name()]}
		if err := yaml.UnmarshalStrict(b, f.pod); err != nil {
			t.Fatalf("%s: %v", e.Name(), err)
		}
		if f.facts == nil {
			t.Fatalf("%s/%s: no workload was collected", dir, e.Name())
		}
		out[e.Name()] = f
	}
	return out
}

// FuzzPodSecurity mutates the spec of a pod and compares the verdicts, by every
// version that changed something.
func FuzzPodSecurity(f *testing.F) {
	ours, theirs := newOurs(f), newTheirs(f)
	eval := ours.at(f, "")
	versions := []int{0, 7, 8, 18, 19, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37}
	for i := range 150 {
		seed := make([]byte, 4+i%40)
		for k := range seed {
			seed[k] = byte((i+1)*(k+7)*2654435761>>9) ^ byte(i*31+k)
		}
		f.Add(byte(i), seed)
	}
	f.Fuzz(func(t *testing.T, version byte, changes []byte) {
		sameVerdict(t, eval, theirs, "v1."+strconv.Itoa(versions[int(version)%len(versions)]), mutated(changes))
	})
}

// sameVerdict compares the two over one pod that is written to a manifest and read.
func sameVerdict(t *testing.T, eval judge, lib theirs, version string, pod *corev1.Pod) {
	t.Helper()
	b, err := yaml.Marshal(pod)
	if err != nil {
		t.Fatal(err)
	}
	seen := workloads{list: map[string]*facts.Resource{}}
	if err := New(Options{Paths: []string{"-"}, Stdin: bytes.NewReader(b), Parallel: 1}).Collect(t.Context(), &seen); err != nil {
		t.Fatal(err)
	}
	if len(seen.list) != 1 {
		t.Fatalf("%d workloads of one pod", len(seen.list))
	}
	label(t, seen.list["stdin"], version)
	compare(t, fmt.Sprintf("%s of\n%s", version, b), eval.judge(t, seen.list["stdin"]), lib.judge(t, version, pod))
}

// mutated makes a pod that meets the restricted level and changes a field of it
// for each pair of bytes: what, and to which value.
func mutated(changes []byte) *corev1.Pod {
	yes, no := true, false
	user := int64(1000)
	container := func(name string) corev1.Container {
		return corev1.Container{Name: name, Image: "registry.example.com/a:1", SecurityContext: &corev1.SecurityContext{
			AllowPrivilegeEscalation: &no, Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
		}}
	}
	pod := &corev1.Pod{}
	pod.APIVersion, pod.Kind, pod.Name, pod.Namespace = "v1", "Pod", "p", "shop"
	pod.Annotations = map[string]string{}
	pod.Spec = corev1.PodSpec{
		SecurityContext: &corev1.PodSecurityContext{
			RunAsNonRoot: &yes, RunAsUser: &user, SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
		},
		InitContainers: []corev1.Container{container("first")},
		Containers:     []corev1.Container{container("app"), container("side")},
	}
	pod.Spec.EphemeralContainers = []corev1.EphemeralContainer{{EphemeralContainerCommon: corev1.EphemeralContainerCommon(container("debug"))}}
	for i := 0; i+1 < len(changes); i += 2 {
		change(pod, changes[i], int(changes[i+1]))
	}
	return pod
}

// pick chooses one of some values.
func pick[T any](n int, values ...T) T { return values[n%len(values)] }

// optional chooses one of some values, or none.
func optional[T any](n int, values ...T) *T {
	if n %= len(values) + 1; n < len(values) {
		return &values[n]
	}
	return nil
}

// change sets one field. Half of the kinds of change are of the pod, half of one
// of its containers.
func change(pod *corev1.Pod, what byte, n int) {
	const unusual = corev1.SeccompProfileType("Other")
	spec := &pod.Spec
	if spec.SecurityContext == nil {
		spec.SecurityContext = &corev1.PodSecurityContext{}
	}
	ps := spec.SecurityContext
	seccomp := func() *corev1.SeccompProfile {
		if t := optional(n, corev1.SeccompProfileTypeRuntimeDefault, corev1.SeccompProfileTypeLocalhost, corev1.SeccompProfileTypeUnconfined, unusual, ""); t != nil {
			return &corev1.SeccompProfile{Type: *t}
		}
		return nil
	}
	apparmor := func() *corev1.AppArmorProfile {
		if t := optional(n, corev1.AppArmorProfileTypeRuntimeDefault, corev1.AppArmorProfileTypeLocalhost, corev1.AppArmorProfileTypeUnconfined, ""); t != nil {
			return &corev1.AppArmorProfile{Type: *t}
		}
		return nil
	}
	selinux := func() *corev1.SELinuxOptions {
		return pick(n, nil, &corev1.SELinuxOptions{}, &corev1.SELinuxOptions{Level: "s0:c1"}, &corev1.SELinuxOptions{User: "u"}, &corev1.SELinuxOptions{Role: "r"},
			&corev1.SELinuxOptions{Type: "container_t"}, &corev1.SELinuxOptions{Type: "container_init_t"}, &corev1.SELinuxOptions{Type: "container_kvm_t"},
			&corev1.SELinuxOptions{Type: "container_engine_t"}, &corev1.SELinuxOptions{Type: "spc_t"})
	}
	windows := func() *corev1.WindowsSecurityContextOptions {
		return pick(n, nil, &corev1.WindowsSecurityContextOptions{}, &corev1.WindowsSecurityContextOptions{HostProcess: optional(n/4, true, false)})
	}
	profiles := []string{"", "runtime/default", "docker/default", "localhost/x", "localhost/", "unconfined", "other", "runtime/default "}
	switch what % 38 {
	case 0:
		spec.HostPID = n%2 == 0
	case 1:
		spec.HostIPC = n%2 == 0
	case 2:
		spec.HostNetwork = n%2 == 0
	case 3:
		spec.HostUsers = optional(n, true, false)
	case 4:
		spec.OS = pick(n, nil, &corev1.PodOS{Name: corev1.Windows}, &corev1.PodOS{Name: corev1.Linux}, &corev1.PodOS{})
	case 5:
		ps.RunAsNonRoot = optional(n, true, false)
	case 6:
		ps.RunAsUser = optional(n, int64(0), 1, 1000)
	case 7:
		ps.SeccompProfile = seccomp()
	case 8:
		ps.AppArmorProfile = apparmor()
	case 9:
		ps.SELinuxOptions = selinux()
	case 10:
		ps.WindowsOptions = windows()
	case 11, 12:
		ps.Sysctls = append(ps.Sysctls, corev1.Sysctl{Value: "1", Name: pick(n, "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.tcp_syncookies",
			"net.ipv4.ping_group_range", "net.ipv4.ip_unprivileged_port_start", "net.ipv4.ip_local_reserved_ports", "net.ipv4.tcp_keepalive_time",
			"net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes", "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem",
			"net.ipv4.tcp_slow_start_after_idle", "net.ipv4.tcp_notsent_lowat", "kernel.msgmax", "net/ipv4/tcp_syncookies", "")})
	case 13:
		pod.Annotations["container.apparmor.security.beta.kubernetes.io/"+pick(n/8, "app", "first", "nobody")] = pick(n, profiles...)
	case 14:
		pod.Annotations["seccomp.security.alpha.kubernetes.io/pod"] = pick(n, profiles...)
	case 15:
		pod.Annotations["container.seccomp.security.alpha.kubernetes.io/"+pick(n/8, "app", "debug", "nobody")] = pick(n, profiles...)
	case 16, 17, 18:
		spec.Volumes = append(spec.Volumes, corev1.Volume{Name: fmt.Sprintf("v%d", len(spec.Volumes)), VolumeSource: volumeSource(n)})
	case 19:
		spec.SecurityContext = pick(n, nil, &corev1.PodSecurityContext{}, ps)
	default:
		changeContainer(containerOf(spec, n), what%38-20, n/4, seccomp, apparmor, selinux, windows)
	}
}

func containerOf(spec *corev1.PodSpec, n int) *corev1.Container {
	switch n % 4 {
	case 0:
		return &spec.InitContainers[0]
	case 1:
		return &spec.Containers[0]
	case 2:
		return &spec.Containers[1]
	default:
		return (*corev1.Container)(&spec.EphemeralContainers[0].EphemeralContainerCommon)
	}
}

func changeContainer(c *corev1.Container, what byte, n int, seccomp func() *corev1.SeccompProfile, apparmor func() *corev1.AppArmorProfile,
	selinux func() *corev1.SELinuxOptions, windows func() *corev1.WindowsSecurityContextOptions,
) {
	if c.SecurityContext == nil {
		c.SecurityContext = &corev1.SecurityContext{}
	}
	sc := c.SecurityContext
	if sc.Capabilities == nil {
		sc.Capabilities = &corev1.Capabilities{}
	}
	handler := func() corev1.ProbeHandler {
		return pick(n, corev1.ProbeHandler{}, corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{}}, corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Host: "h"}},
			corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Host: "127.0.0.1"}}, corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{}})
	}
	hook := func() *corev1.LifecycleHandler {
		h := handler()
		return &corev1.LifecycleHandler{HTTPGet: h.HTTPGet, TCPSocket: h.TCPSocket}
	}
	switch what {
	case 0:
		sc.Privileged = optional(n, true, false)
	case 1:
		sc.AllowPrivilegeEscalation = optional(n, true, false)
	case 2:
		sc.ProcMount = optional(n, corev1.DefaultProcMount, corev1.UnmaskedProcMount, "Other", "")
	case 3:
		sc.RunAsNonRoot = optional(n, true, false)
	case 4:
		sc.RunAsUser = optional(n, int64(0), 1, 1000)
	case 5:
		sc.SeccompProfile = seccomp()
	case 6:
		sc.AppArmorProfile = apparmor()
	case 7:
		sc.SELinuxOptions = selinux()
	case 8:
		sc.WindowsOptions = windows()
	case 9, 10:
		sc.Capabilities.Add = append(sc.Capabilities.Add, pick[corev1.Capability](n, "NET_BIND_SERVICE", "NET_RAW", "CHOWN", "ALL", "CAP_CHOWN", "chown", "SYS_ADMIN", "MKNOD", ""))
	case 11:
		sc.Capabilities.Drop = pick(n, nil, []corev1.Capability{"ALL"}, []corev1.Capability{"NET_RAW"}, []corev1.Capability{"all"}, []corev1.Capability{"NET_RAW", "ALL"})
	case 12:
		c.Ports = append(c.Ports, corev1.ContainerPort{ContainerPort: 80, HostPort: int32(pick(n, 0, 80, 8080))})
	case 13:
		c.LivenessProbe = &corev1.Probe{ProbeHandler: handler()}
	case 14:
		c.ReadinessProbe, c.StartupProbe = &corev1.Probe{ProbeHandler: handler()}, &corev1.Probe{ProbeHandler: handler()}
	case 15:
		c.Lifecycle = &corev1.Lifecycle{PostStart: hook()}
	case 16:
		c.Lifecycle = &corev1.Lifecycle{PreStop: hook()}
	default:
		c.SecurityContext = nil
	}
}

func volumeSource(n int) corev1.VolumeSource {
	return pick(n, corev1.VolumeSource{}, corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}},
		corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/srv"}}, corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{}},
		corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{}}, corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{}},
		corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{}}, corev1.VolumeSource{DownwardAPI: &corev1.DownwardAPIVolumeSource{}},
		corev1.VolumeSource{CSI: &corev1.CSIVolumeSource{Driver: "d"}}, corev1.VolumeSource{Ephemeral: &corev1.EphemeralVolumeSource{}},
		corev1.VolumeSource{Image: &corev1.ImageVolumeSource{Reference: "i"}}, corev1.VolumeSource{NFS: &corev1.NFSVolumeSource{Server: "s", Path: "/"}},
		corev1.VolumeSource{GitRepo: &corev1.GitRepoVolumeSource{Repository: "r"}}, corev1.VolumeSource{FlexVolume: &corev1.FlexVolumeSource{Driver: "d"}},
		corev1.VolumeSource{ISCSI: &corev1.ISCSIVolumeSource{}}, corev1.VolumeSource{AzureFile: &corev1.AzureFileVolumeSource{}})
}
