package isolation_test

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	nodev1 "k8s.io/api/node/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/collect/kube"
	"github.com/postscan/postscan/scanner/facts"
	"github.com/postscan/postscan/scanner/isolation"
)

// node is a virtual machine with AppArmor and user namespaces, that bounds nothing.
func node() *corev1.Node {
	yes := true
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: "n1", Labels: map[string]string{"node.kubernetes.io/instance-type": "m5.large"}},
		Spec:       corev1.NodeSpec{ProviderID: "aws:///eu-central-1a/i-0"},
		Status: corev1.NodeStatus{
			NodeInfo:        corev1.NodeSystemInfo{KubeletVersion: "v1.37.2", ContainerRuntimeVersion: "containerd://2.2.0", OperatingSystem: "linux"},
			RuntimeHandlers: []corev1.NodeRuntimeHandler{{Features: &corev1.NodeRuntimeHandlerFeatures{UserNamespaces: &yes}}, {Name: "runsc"}, {Name: "kata-qemu"}},
			Conditions:      []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue, Message: "kubelet is posting ready status. AppArmor enabled"}},
		},
	}
}

// bare is a pod without any security context.
func bare() *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "p", Namespace: "shop"},
		Spec:       corev1.PodSpec{NodeName: "n1", Containers: []corev1.Container{{Name: "app", Image: "registry.example/app:1"}}},
	}
}

// restricted is a pod with everything that a pod spec can do on a shared kernel.
func restricted() *corev1.Pod {
	yes, no := true, false
	p := bare()
	p.Spec.SecurityContext = &corev1.PodSecurityContext{RunAsNonRoot: &yes, SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeLocalhost}}
	c := &p.Spec.Containers[0]
	c.SecurityContext = &corev1.SecurityContext{
		AllowPrivilegeEscalation: &no, ReadOnlyRootFilesystem: &yes,
		Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
	}
	c.Resources.Limits = corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("64Mi")}
	return p
}

// collect makes the facts of a pod as the collector of clusters does.
func collect(t testing.TB, p *corev1.Pod, n *corev1.Node) *facts.Resource {
	t.Helper()
	s := kube.New(kube.Options{Live: true, Target: "cluster"})
	s.Add(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop"}}, kube.Place{})
	s.Add(n, kube.Place{})
	s.AddKubelet(n.Name, facts.Kubelet{PodPidsLimit: -1})
	for _, handler := range []string{"runsc", "kata-qemu"} {
		s.Add(&nodev1.RuntimeClass{ObjectMeta: metav1.ObjectMeta{Name: handler}, Handler: handler}, kube.Place{})
	}
	s.Add(p, kube.Place{})
	for r := range s.Resources() {
		if r.Kind == facts.KindWorkload {
			return r
		}
	}
	t.Fatal("the pod became no workload")
	return nil
}

// perfect fills in what no collector sees yet, at its best.
func perfect(in *isolation.Input) {
	for _, f := range []*isolation.Fact{&in.Reserved, &in.PIDBound, &in.VirtualMachine, &in.Sound, &in.OffControlPlane} {
		f.State = isolation.Yes
	}
}

func input(t testing.TB, r *facts.Resource) *isolation.Input {
	t.Helper()
	in, ok := isolation.FromWorkload(r, nil)
	if !ok {
		t.Fatalf("%s is no workload", r.ID)
	}
	return in
}

// The values that the model promises.
func TestSanity(t *testing.T) {
	yes, no := true, false
	runtime := func(name string) func(*corev1.Pod) {
		return func(p *corev1.Pod) { p.Spec.RuntimeClassName = &name }
	}
	for _, c := range []struct {
		name   string
		pod    *corev1.Pod
		change func(*corev1.Pod)
		node   func(*facts.Workload)
		facts  func(*isolation.Input)
		level  int
		score  int
		grade  string
	}{
		{name: "privileged", pod: restricted(), change: func(p *corev1.Pod) {
			p.Spec.Containers[0].SecurityContext = &corev1.SecurityContext{Privileged: &yes}
		}, facts: perfect, level: 0, score: 5, grade: "E"},
		{name: "no security context", pod: bare(), level: 2, score: 21, grade: "D"},
		{name: "no security context on a sound node", pod: bare(), facts: func(in *isolation.Input) { in.Sound.State = isolation.Yes }, level: 2, score: 23, grade: "D"},
		{name: "no security context and no security module", pod: bare(), node: func(w *facts.Workload) { w.Nodes.AppArmor, w.Nodes.SELinux = "false", "false" }, level: 1, score: 15, grade: "E"},
		{name: "restricted on the shared kernel", pod: restricted(), facts: perfect, level: 5, score: 55, grade: "C"},
		{name: "restricted on a shared bare-metal node", pod: restricted(), facts: func(in *isolation.Input) { in.VirtualMachine.State = isolation.No }, level: 3, score: 44, grade: "C"},
		{name: "restricted with a user namespace", pod: restricted(), change: func(p *corev1.Pod) { p.Spec.HostUsers = &no }, facts: perfect, level: 5, score: 70, grade: "B"},
		{name: "user namespace alone, with seccomp", pod: bare(), change: func(p *corev1.Pod) {
			p.Spec.HostUsers = &no
			p.Spec.SecurityContext = &corev1.PodSecurityContext{SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault}}
		}, level: 3, score: 48, grade: "C"},
		{name: "gVisor", pod: restricted(), change: runtime("runsc"), facts: func(in *isolation.Input) { perfect(in); in.VirtualMachine.State = isolation.No }, level: 4, score: 83, grade: "A"},
		{name: "gVisor at its best", pod: restricted(), change: runtime("runsc"), facts: perfect, level: 5, score: 85, grade: "A"},
		{name: "Kata", pod: restricted(), change: runtime("kata-qemu"), facts: perfect, level: 5, score: 95, grade: "A"},
		{name: "Kata beside the host's network", pod: restricted(), change: func(p *corev1.Pod) {
			runtime("kata-qemu")(p)
			p.Spec.HostNetwork = true
		}, facts: perfect, level: 1, score: 20, grade: "D"},
		{name: "a runtime class that does not exist", pod: restricted(), change: runtime("kata-none"), level: 3, score: 46, grade: "C"},
		{name: "attested", pod: restricted(), change: runtime("kata-qemu"), facts: func(in *isolation.Input) {
			perfect(in)
			in.Boundary, in.Attested.State = isolation.ConfidentialVM, isolation.Yes
		}, level: 6, score: 100, grade: "A"},
		{name: "hypervisor facts without a high finding", pod: restricted(), change: runtime("kata-qemu"), facts: func(in *isolation.Input) {
			perfect(in)
			in.HypervisorSound.State = isolation.Yes
		}, level: 6, score: 95, grade: "A"},
		{name: "a known escape holds a shared kernel at 35", pod: restricted(), facts: func(in *isolation.Input) { perfect(in); in.EscapeKnown = "runc 1.1.11" }, level: 5, score: 35, grade: "D"},
		{name: "a known escape is no matter behind gVisor", pod: restricted(), change: runtime("runsc"), facts: func(in *isolation.Input) { perfect(in); in.EscapeKnown = "runc 1.1.11" }, level: 5, score: 85, grade: "A"},
		{name: "a flaw of the hypervisor holds all at 60", pod: restricted(), change: runtime("kata-qemu"), facts: func(in *isolation.Input) { perfect(in); in.HypervisorFlaw = "PS-HV-005" }, level: 4, score: 60, grade: "B"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.change != nil {
				c.change(c.pod)
			}
			r := collect(t, c.pod, node())
			if c.node != nil {
				c.node(r.Facts.(*facts.Workload))
				delete(r.Missing, "nodes.apparmor")
				delete(r.Missing, "nodes.selinux")
			}
			in := input(t, r)
			if c.facts != nil {
				c.facts(in)
			}
			g, _ := isolation.Score(in)
			if g.Level != c.level || g.Score != c.score || g.Grade != c.grade {
				t.Errorf("L%d %d %s, want L%d %d %s; breakers %v, ceiling %v\n%s", g.Level, g.Score, g.Grade, c.level, c.score, c.grade, g.Breakers, g.Ceiling, lines(g))
			}
		})
	}
}

func lines(g scanner.IsolationGroup) string {
	out := ""
	for _, p := range g.Points {
		out += p.Part + " (" + p.What + "): " + p.State + " " + p.Fact + "=" + p.Value + ": " + p.Reason + "\n"
	}
	return out
}

// The points add up to a hundred, each names its fact, and confidence is the
// share of those that are known.
func TestPointsAreWhole(t *testing.T) {
	for name, pod := range map[string]*corev1.Pod{"bare": bare(), "restricted": restricted()} {
		g, _ := isolation.Score(input(t, collect(t, pod, node())))
		most, given, unknown := 0, 0, 0
		for _, p := range g.Points {
			most += p.Max
			given += p.Given
			unknown += p.Unknown
			if p.Fact == "" || p.Reason == "" || p.What == "" {
				t.Errorf("%s: %+v does not say why", name, p)
			}
			if p.State == scanner.PointsUnknown != (p.Unknown > 0) {
				t.Errorf("%s: %+v", name, p)
			}
		}
		if most != 100 || given != g.Score || g.Confidence != 100-unknown || g.BestScore != given+unknown {
			t.Errorf("%s: %d points in all, %d given, %d unknown; score %d to %d, confidence %d", name, most, given, unknown, g.Score, g.BestScore, g.Confidence)
		}
	}
}

// What breaks the isolation, and what does not although it looks like it.
func TestBreakers(t *testing.T) {
	yes := true
	mount := func(path string, readOnly bool, kind corev1.HostPathType) func(*corev1.Pod) {
		return func(p *corev1.Pod) {
			p.Spec.Volumes = []corev1.Volume{{Name: "v", VolumeSource: corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: path, Type: &kind}}}}
			p.Spec.Containers[0].VolumeMounts = []corev1.VolumeMount{{Name: "v", MountPath: "/v", ReadOnly: readOnly}}
		}
	}
	add := func(names ...corev1.Capability) func(*corev1.Pod) {
		return func(p *corev1.Pod) {
			p.Spec.Containers[0].SecurityContext = &corev1.SecurityContext{Capabilities: &corev1.Capabilities{Add: names}}
		}
	}
	both := func(a, b func(*corev1.Pod)) func(*corev1.Pod) {
		return func(p *corev1.Pod) { a(p); b(p) }
	}
	host := func(p *corev1.Pod) { p.Spec.HostPID = true }
	network := func(p *corev1.Pod) { p.Spec.HostNetwork = true }
	harmless := func(p *corev1.Pod) {
		no, user := false, int64(1000)
		sc := p.Spec.Containers[0].SecurityContext
		sc.AllowPrivilegeEscalation, sc.RunAsUser = &no, &user
	}
	for name, c := range map[string]struct {
		change func(*corev1.Pod)
		level  int
		fact   string
	}{
		"HostProcess": {func(p *corev1.Pod) {
			p.Spec.SecurityContext = &corev1.PodSecurityContext{WindowsOptions: &corev1.WindowsSecurityContextOptions{HostProcess: &yes}}
		}, 0, "security_context.host_process"},
		"ephemeral privileged container": {func(p *corev1.Pod) {
			p.Spec.EphemeralContainers = []corev1.EphemeralContainer{{EphemeralContainerCommon: corev1.EphemeralContainerCommon{Name: "debug", SecurityContext: &corev1.SecurityContext{Privileged: &yes}}}}
		}, 0, "containers[1].privileged"},
		"SYS_ADMIN":                      {add("SYS_ADMIN"), 0, "containers[0].effective.capabilities"},
		"SYS_ADMIN out of reach":         {both(add("SYS_ADMIN"), harmless), 2, ""},
		"SYS_PTRACE in its own":          {add("SYS_PTRACE"), 2, ""},
		"SYS_PTRACE with hostPID":        {both(add("SYS_PTRACE"), host), 0, "containers[0].effective.capabilities"},
		"NET_ADMIN in its own":           {add("NET_ADMIN"), 2, ""},
		"NET_ADMIN with hostNetwork":     {both(add("NET_ADMIN"), network), 0, "containers[0].effective.capabilities"},
		"socket, although read-only":     {mount("/var/run/docker.sock", true, corev1.HostPathSocket), 0, "volumes[0].host_path"},
		"folder above a socket":          {mount("/run", true, corev1.HostPathDirectory), 0, "volumes[0].host_path"},
		"writable sensitive path":        {mount("/etc", false, corev1.HostPathDirectory), 0, "volumes[0].host_path"},
		"readable sensitive path":        {mount("/etc/kubernetes", true, corev1.HostPathDirectory), 1, "volumes[0].host_path"},
		"device":                         {mount("/data/disk", true, corev1.HostPathBlockDev), 1, "volumes[0].host_path"},
		"harmless file":                  {mount("/etc/localtime", false, corev1.HostPathFile), 2, ""},
		"public folder":                  {mount("/etc/ssl/certs", true, corev1.HostPathDirectory), 2, ""},
		"public folder, written":         {mount("/etc/ssl/certs", false, corev1.HostPathDirectory), 0, "volumes[0].host_path"},
		"path of the application":        {mount("/srv/app", false, corev1.HostPathDirectory), 2, ""},
		"hostPID":                        {host, 1, "host_pid"},
		"hostIPC":                        {func(p *corev1.Pod) { p.Spec.HostIPC = true }, 1, "host_ipc"},
		"hostNetwork":                    {network, 1, "host_network"},
		"declared volume, never mounted": {func(p *corev1.Pod) { mount("/etc", false, "")(p); p.Spec.Containers[0].VolumeMounts = nil }, 2, ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := bare()
			c.change(p)
			g, _ := isolation.Score(input(t, collect(t, p, node())))
			if g.Level != c.level {
				t.Errorf("L%d, want L%d; %v", g.Level, c.level, g.Breakers)
			}
			if c.fact == "" {
				if len(g.Breakers) > 0 {
					t.Errorf("it is broken by %v", g.Breakers)
				}
				return
			}
			if !slices.ContainsFunc(g.Breakers, func(b scanner.IsolationBreaker) bool { return b.Fact == c.fact && b.Known && b.Level == c.level }) {
				t.Errorf("no breaker names %s: %v", c.fact, g.Breakers)
			}
			if len(g.Steps) == 0 || g.Steps[0].Level <= g.Level {
				t.Errorf("no step leads out: %v", g.Steps)
			}
		})
	}
}

// The weakest container counts.
func TestWeakestContainer(t *testing.T) {
	p := restricted()
	p.Spec.InitContainers = []corev1.Container{{Name: "setup", Image: "registry.example/setup:1"}}
	g, weakest := isolation.Score(input(t, collect(t, p, node())))
	alone, _ := isolation.Score(input(t, collect(t, restricted(), node())))
	if weakest != 0 || g.Score >= alone.Score || g.Level != 2 || alone.Level != 3 {
		t.Errorf("container %d, L%d %d; without the weak one L%d %d", weakest, g.Level, g.Score, alone.Level, alone.Score)
	}
}

// A manifest says nothing of nodes: that lowers the confidence, and a runtime
// class that is not among the files is not taken at its name.
func TestManifest(t *testing.T) {
	manifest := func(p *corev1.Pod, with ...any) *facts.Resource {
		s := kube.New(kube.Options{Target: "deploy"})
		for _, o := range with {
			s.Add(o, kube.Place{})
		}
		p.Spec.NodeName = ""
		s.Add(p, kube.Place{})
		for r := range s.Resources() {
			if r.Kind == facts.KindWorkload {
				return r
			}
		}
		t.Fatal("no workload")
		return nil
	}
	g, _ := isolation.Score(input(t, manifest(restricted())))
	if g.Level != 2 || g.BestLevel != 3 || g.Confidence >= 90 || g.Score >= g.BestScore {
		t.Errorf("L%d to L%d, %d to %d, confidence %d", g.Level, g.BestLevel, g.Score, g.BestScore, g.Confidence)
	}
	p := restricted()
	name := "kata-qemu"
	p.Spec.RuntimeClassName = &name
	g, _ = isolation.Score(input(t, manifest(p)))
	if g.Level != 2 || g.BestLevel != 6 || g.Points[0].Given != 0 || g.Points[0].Unknown != 40 {
		t.Errorf("a class that is not there: L%d to L%d, %+v", g.Level, g.BestLevel, g.Points[0])
	}
	g, _ = isolation.Score(input(t, manifest(p, &nodev1.RuntimeClass{ObjectMeta: metav1.ObjectMeta{Name: name}, Handler: name})))
	if g.Level != 5 || g.Points[0].Given != 40 {
		t.Errorf("a class that is there: L%d, %+v", g.Level, g.Points[0])
	}
}

// What stands for workloads that were not seen is not scored as if it were one.
func TestNothingSeen(t *testing.T) {
	s := kube.New(kube.Options{Live: true, Target: "cluster"})
	s.Miss(kube.Pods, facts.Missing{Status: facts.Unknown, Reason: "listing pods is forbidden"})
	for r := range s.Resources() {
		if r.Kind != facts.KindWorkload {
			continue
		}
		g, _ := isolation.Score(input(t, r))
		if g.Level != 0 || g.BestLevel != 6 || g.Score != 0 || g.Confidence != 0 || g.Points[0].Reason != "listing pods is forbidden" {
			t.Errorf("%+v", g)
		}
		return
	}
	t.Error("nothing stands for the pods that were not seen")
}
