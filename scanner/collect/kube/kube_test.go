package kube

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	psa "k8s.io/pod-security-admission/api"
	"sigs.k8s.io/yaml"

	"github.com/postscan/postscan/scanner/facts"
)

func TestPodSecurityLabelsAgreeWithAdmission(t *testing.T) {
	levels := []string{"-", "privileged", "baseline", "restricted", "Restricted", ""}
	versions := []string{"-", "latest", "v1.0", "v1.24", "v1.024", "1.24", ""}
	defaults := psa.Policy{
		Enforce: psa.LevelVersion{Level: psa.LevelPrivileged, Version: psa.LatestVersion()},
		Audit:   psa.LevelVersion{Level: psa.LevelPrivileged, Version: psa.LatestVersion()},
		Warn:    psa.LevelVersion{Level: psa.LevelPrivileged, Version: psa.LatestVersion()},
	}
	minor := func(v psa.Version) int {
		if v.Latest() {
			return latest
		}
		return v.Minor()
	}
	cases := 0
	for _, el := range levels {
		for _, ev := range versions {
			for _, wl := range levels {
				for _, wv := range versions {
					for _, al := range levels {
						l := map[string]string{}
						for k, v := range map[string]string{"enforce": el, "enforce-version": ev, "warn": wl, "warn-version": wv, "audit": al} {
							if v != "-" {
								l[psaPrefix+k] = v
							}
						}
						want, errs := psa.PolicyToEvaluate(l, defaults)
						got := podSecurity(l)
						cases++
						if got.Enforce != string(want.Enforce.Level) || got.EnforceMinor != minor(want.Enforce.Version) || got.Warn != string(want.Warn.Level) ||
							got.WarnMinor != minor(want.Warn.Version) || got.Audit != string(want.Audit.Level) || len(got.Invalid) != len(errs) {
							t.Fatalf("%v: got %+v, admission reads %v, errors %v", l, got, want, errs)
						}
					}
				}
			}
		}
	}
	if cases < 10000 {
		t.Errorf("only %d cases", cases)
	}
}

func TestEffectiveCapabilities(t *testing.T) {
	for _, c := range []struct {
		name       string
		privileged bool
		add, drop  []string
		runtime    string
		base       string
		has, not   []string
		size       int
	}{
		{"nothing said, containerd", false, nil, nil, "containerd", "default", []string{"NET_RAW", "MKNOD"}, []string{"SYS_ADMIN"}, 14},
		{"nothing said, CRI-O", false, nil, nil, "cri-o", "default", []string{"CHOWN"}, []string{"NET_RAW"}, 9},
		{"nothing said, Podman", false, nil, nil, "podman", "default", []string{"SYS_CHROOT"}, []string{"NET_RAW"}, 11},
		{"privileged wins over drop", true, nil, []string{"ALL"}, "containerd", "full", []string{"ALL"}, nil, 1},
		{"drop ALL", false, nil, []string{"ALL"}, "containerd", "none", nil, []string{"CHOWN"}, 0},
		{"drop ALL, add one", false, []string{"NET_RAW"}, []string{"ALL"}, "containerd", "none", []string{"NET_RAW"}, nil, 1},
		{"same name in both: drop wins", false, []string{"NET_RAW"}, []string{"ALL", "NET_RAW"}, "containerd", "none", nil, []string{"NET_RAW"}, 0},
		{"add ALL", false, []string{"ALL"}, nil, "containerd", "full", []string{"ALL"}, nil, 1},
		{"add ALL but one", false, []string{"ALL"}, []string{"SYS_ADMIN"}, "containerd", "full", []string{"SYS_PTRACE"}, []string{"SYS_ADMIN", "ALL"}, 40},
		{"add ALL and drop ALL", false, []string{"ALL"}, []string{"ALL"}, "containerd", "none", nil, []string{"CHOWN"}, 0},
		{"CAP_ and lower case", false, []string{"CAP_SYS_ADMIN"}, []string{"net_raw"}, "containerd", "default", []string{"SYS_ADMIN"}, []string{"NET_RAW"}, 14},
	} {
		caps, base := effectiveCapabilities(c.privileged, c.add, c.drop, facts.DefaultCapabilities(c.runtime))
		if base != c.base || len(caps) != c.size {
			t.Errorf("%s: base %s, %d capabilities %v; want %s, %d", c.name, base, len(caps), caps, c.base, c.size)
		}
		for _, h := range c.has {
			if !slices.Contains(caps, h) {
				t.Errorf("%s: %s is missing", c.name, h)
			}
		}
		for _, n := range c.not {
			if slices.Contains(caps, n) {
				t.Errorf("%s: %s should not be there", c.name, n)
			}
		}
	}
}

func TestImageReferences(t *testing.T) {
	for written, want := range map[string]facts.ImageReference{
		"nginx":                            {Registry: "docker.io", Repository: "library/nginx"},
		"nginx:1.27":                       {Registry: "docker.io", Repository: "library/nginx", Tag: "1.27"},
		"team/app@sha256:aa":               {Registry: "docker.io", Repository: "team/app", Digest: "sha256:aa"},
		"reg.example:5000/a/b:c@sha256:aa": {Registry: "reg.example:5000", Repository: "a/b", Tag: "c", Digest: "sha256:aa"},
		"localhost/a":                      {Registry: "localhost", Repository: "a"},
		"index.docker.io/library/x:y":      {Registry: "docker.io", Repository: "library/x", Tag: "y"},
		"":                                 {},
		"bad image":                        {},
	} {
		want.Reference = written
		if got := imageReference(written); got != want {
			t.Errorf("%q: got %+v, want %+v", written, got, want)
		}
	}
}

func TestPullPolicyDefaults(t *testing.T) {
	for image, want := range map[string]string{"a": "Always", "a:latest": "Always", "a:1": "IfNotPresent", "a@sha256:b": "IfNotPresent", "a:latest@sha256:b": "Always"} {
		if got := pullPolicy("", imageReference(image)); got != want {
			t.Errorf("%s: %s, want %s", image, got, want)
		}
	}
	if got := pullPolicy("Never", imageReference("a")); got != "Never" {
		t.Errorf("a written policy stays, got %s", got)
	}
}

// decode reads YAML into a typed object.
func decode[T any](t *testing.T, text string) *T {
	t.Helper()
	var o T
	if err := yaml.UnmarshalStrict([]byte(text), &o); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return &o
}

// workloads joins a set and returns its workloads by id.
func workloads(s *Set) map[string]*facts.Resource {
	out := map[string]*facts.Resource{}
	for r := range s.Resources() {
		if r.Kind == facts.KindWorkload {
			out[r.ID] = r
		}
	}
	return out
}

const template = `
metadata: {labels: {app: web}}
spec:
  containers:
  - name: web
    image: nginx:1.27
    ports: [{containerPort: 8080}]
    volumeMounts: [{name: data, mountPath: /data}]
  volumes: [{name: data, emptyDir: {}}]
`

// podOf makes the pod that a controller and the API server make of a template.
func podOf(t *testing.T, name, node string, owner metav1.OwnerReference) *corev1.Pod {
	t.Helper()
	tpl := decode[corev1.PodTemplateSpec](t, template)
	p := &corev1.Pod{ObjectMeta: tpl.ObjectMeta, Spec: tpl.Spec}
	yes := true
	owner.Controller = &yes
	p.Name, p.Namespace, p.OwnerReferences = name, "shop", []metav1.OwnerReference{owner}
	p.Spec.NodeName = node
	p.Spec.ServiceAccountName = "default"
	p.Spec.DeprecatedServiceAccount = "default"
	p.Spec.Tolerations = []corev1.Toleration{{Key: "node.kubernetes.io/not-ready", Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoExecute}}
	p.Spec.Containers[0].VolumeMounts = append(p.Spec.Containers[0].VolumeMounts, corev1.VolumeMount{Name: "kube-api-access-x7k2p", ReadOnly: true, MountPath: "/var/run/secrets/kubernetes.io/serviceaccount"})
	p.Spec.Volumes = append(p.Spec.Volumes, corev1.Volume{Name: "kube-api-access-x7k2p", VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{
		Sources: []corev1.VolumeProjection{{ServiceAccountToken: &corev1.ServiceAccountTokenProjection{Path: "token"}}},
	}}})
	p.Status.Phase = corev1.PodRunning
	p.Status.ContainerStatuses = []corev1.ContainerStatus{{ImageID: "docker.io/library/nginx@sha256:abc"}}
	return p
}

func deployment(t *testing.T) *appsv1.Deployment {
	t.Helper()
	d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "shop"}}
	d.Spec.Template = *decode[corev1.PodTemplateSpec](t, template)
	return d
}

func replicaSet(t *testing.T, owner string) *appsv1.ReplicaSet {
	t.Helper()
	yes := true
	rs := &appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{Name: "web-5d4", Namespace: "shop", OwnerReferences: []metav1.OwnerReference{{Kind: owner, Name: "web", Controller: &yes}}}}
	rs.Spec.Template = *decode[corev1.PodTemplateSpec](t, template)
	return rs
}

func TestOwnedPodsAreInstances(t *testing.T) {
	s := New(Options{Live: true})
	s.Add(deployment(t), Place{})
	s.Add(replicaSet(t, "Deployment"), Place{})
	owner := metav1.OwnerReference{Kind: "ReplicaSet", Name: "web-5d4"}
	for i, node := range []string{"n1", "n2", "n1"} {
		s.Add(podOf(t, "web-5d4-"+string(rune('a'+i)), node, owner), Place{})
	}
	odd := podOf(t, "web-5d4-z", "n3", owner)
	odd.Spec.EphemeralContainers = []corev1.EphemeralContainer{{EphemeralContainerCommon: corev1.EphemeralContainerCommon{Name: "debug", Image: "busybox"}}}
	s.Add(odd, Place{})
	done := podOf(t, "web-5d4-old", "n4", owner)
	done.Status.Phase = corev1.PodFailed
	s.Add(done, Place{})
	got := workloads(s)
	if len(got) != 2 {
		t.Fatalf("want the Deployment and the pod that differs, got %v", keys(got))
	}
	d := got["shop/Deployment/web"]
	f := d.Facts.(*facts.Workload)
	if !f.Running || f.Containers[0].Path != "spec.template.spec.containers[0]" || len(f.Volumes) != 1 || len(f.Volumes[0].Mounts) != 1 {
		t.Errorf("the Deployment's facts are %+v", f)
	}
	var nodes, imgs []string
	for _, l := range d.Links {
		switch l.Type {
		case "runs-on":
			nodes = append(nodes, l.To)
		case "runs-image":
			imgs = append(imgs, l.To)
		}
	}
	if !slices.Equal(nodes, []string{"Node/n1", "Node/n2", "Node/n3"}) || !slices.Equal(imgs, []string{"docker.io/library/nginx@sha256:abc"}) {
		t.Errorf("links to %v and %v", nodes, imgs)
	}
	p := got["shop/Pod/web-5d4-z"]
	if p == nil {
		t.Fatalf("the pod with an ephemeral container is not told apart: %v", keys(got))
	}
	pf := p.Facts.(*facts.Workload)
	if !pf.Drifted || pf.Containers[1].Role != "ephemeral" || p.Key != "shop/Deployment/web/pod" {
		t.Errorf("the drifted pod is %+v with key %q", pf, p.Key)
	}
}

// The API server gives pods in the host's network a host port for each port, and
// templates none.
func TestHostPortsThatTheServerFillsIn(t *testing.T) {
	s := New(Options{Live: true})
	d := deployment(t)
	d.Spec.Template.Spec.HostNetwork = true
	s.Add(d, Place{})
	s.Add(replicaSet(t, "Deployment"), Place{})
	p := podOf(t, "web-5d4-a", "n1", metav1.OwnerReference{Kind: "ReplicaSet", Name: "web-5d4"})
	p.Spec.HostNetwork = true
	p.Spec.Containers[0].Ports[0].HostPort = 8080
	s.Add(p, Place{})
	if got := workloads(s); len(got) != 1 {
		t.Errorf("got %v", keys(got))
	}
}

func TestOrphansStandForTheirController(t *testing.T) {
	s := New(Options{Live: true})
	s.Add(replicaSet(t, "Rollout"), Place{}) // its owner is of a kind that is not read
	s.Add(podOf(t, "web-5d4-a", "n1", metav1.OwnerReference{Kind: "ReplicaSet", Name: "web-5d4"}), Place{})
	set := metav1.OwnerReference{Kind: "StrimziPodSet", Name: "kafka"}
	s.Add(podOf(t, "kafka-0", "n1", set), Place{})
	s.Add(podOf(t, "kafka-1", "n2", set), Place{})
	got := workloads(s)
	if want := []string{"shop/ReplicaSet/web-5d4", "shop/StrimziPodSet/kafka"}; !slices.Equal(keys(got), want) {
		t.Errorf("got %v, want %v", keys(got), want)
	}
}

func TestBarePods(t *testing.T) {
	s := New(Options{Live: true})
	s.Add(decode[corev1.Pod](t, "metadata: {name: a-x9, generateName: a-, namespace: shop}\nspec: {nodeName: n1, containers: [{name: c, image: i}]}"), Place{})
	s.Add(decode[corev1.Pod](t, "metadata: {name: kube-apiserver-n1, namespace: kube-system, annotations: {kubernetes.io/config.mirror: x}}\nspec: {containers: [{name: kube-apiserver, image: registry.k8s.io/kube-apiserver:v1.37.2, command: [kube-apiserver, --anonymous-auth=false, --secret-thing=hunter2]}]}"), Place{})
	got := workloads(s)
	a := got["shop/Pod/a-x9"]
	if a == nil || a.Key != "shop/Pod/a-" || a.Facts.(*facts.Workload).Placement.NodeName {
		t.Errorf("the pod is %+v", a)
	}
	k := got["kube-system/Pod/kube-apiserver-n1"].Facts.(*facts.Workload)
	if !k.Static || k.Component != "kube-apiserver" {
		t.Errorf("the static pod is %+v", k)
	}
	if c := s.cluster.apiServers; len(c) != 1 || len(c[0].Flags) != 1 || c[0].Flags[0] != (facts.Flag{Name: "anonymous-auth", Value: "false", Path: "spec.containers[0].command[1]"}) {
		t.Errorf("the API server's flags are %+v", c)
	}
}

func keys(m map[string]*facts.Resource) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

func TestDetectorSeesValuesAndFactsDoNot(t *testing.T) {
	const secret = "hunter2hunter2"
	s := New(Options{Live: true, Detect: func(in DetectInput) []Detection {
		if in.Value == secret {
			return []Detection{{Rule: "r", Severity: "high", Length: len(in.Value)}}
		}
		return nil
	}})
	s.Add(decode[corev1.Pod](t, `
metadata: {name: a, namespace: shop}
spec:
  containers:
  - name: c
    image: i
    command: [sh, hunter2hunter2]
    env:
    - {name: PASSWORD, value: hunter2hunter2}
    - {name: REF, valueFrom: {secretKeyRef: {name: s, key: k}}}
    envFrom: [{secretRef: {name: all}}]
`), Place{})
	s.Add(decode[corev1.ConfigMap](t, "metadata: {name: m, namespace: shop}\ndata: {app.conf: hunter2hunter2}"), Place{})
	var all strings.Builder
	for r := range s.Resources() {
		r.Normalise()
		b, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(b)
		switch f := r.Facts.(type) {
		case *facts.Workload:
			c := f.Containers[0]
			if len(c.LiteralSecrets) != 2 || c.LiteralSecrets[0].Path != "spec.containers[0].env[0]" || c.LiteralSecrets[1].Where != "command" {
				t.Errorf("literal secrets: %+v", c.LiteralSecrets)
			}
			if len(c.SecretEnv) != 2 || c.SecretEnv[1].Path != "spec.containers[0].envFrom[0].secretRef" {
				t.Errorf("secret variables: %+v", c.SecretEnv)
			}
		case *facts.ConfigMap:
			if len(f.Secrets) != 1 || f.Secrets[0].Path != "data[app.conf]" {
				t.Errorf("config map: %+v", f.Secrets)
			}
		}
	}
	if strings.Contains(all.String(), secret) {
		t.Error("the secret is in the facts")
	}
	if strings.Contains(all.String(), "null") {
		t.Errorf("the facts hold a null: %s", all.String())
	}
}

func TestRootAndProfiles(t *testing.T) {
	s := New(Options{})
	s.Add(decode[corev1.Pod](t, `
metadata: {name: a, annotations: {container.apparmor.security.beta.kubernetes.io/d: unconfined, container.apparmor.security.beta.kubernetes.io/gone: unconfined}}
spec:
  securityContext: {runAsUser: 1000, seccompProfile: {type: RuntimeDefault}}
  initContainers: [{name: s, restartPolicy: Always, securityContext: {runAsUser: 0}}]
  containers:
  - {name: a}
  - {name: b, securityContext: {privileged: true, allowPrivilegeEscalation: true}}
  - {name: c, securityContext: {seccompProfile: {type: Unconfined}, runAsNonRoot: false}}
  - {name: d}
`), Place{})
	w := s.works[0].facts
	type want struct{ role, root, seccomp, apparmor string }
	for i, x := range []want{{"sidecar", "yes", "RuntimeDefault", "node"}, {"container", "no", "RuntimeDefault", "node"}, {"container", "no", "Unconfined", "Unconfined"}, {"container", "no", "Unconfined", "node"}, {"container", "no", "RuntimeDefault", "Unconfined"}} {
		c := w.Containers[i]
		if got := (want{c.Role, c.Effective.Root, c.Effective.Seccomp, c.Effective.AppArmor}); got != x {
			t.Errorf("container %s: %+v, want %+v", c.Name, got, x)
		}
	}
	if len(w.AppArmorNotes) != 2 || w.AppArmorNotes[0].Container != "d" || !w.AppArmorNotes[0].Exists || w.AppArmorNotes[1].Exists {
		t.Errorf("annotations: %+v", w.AppArmorNotes)
	}
}

func TestLimitRangeDefaults(t *testing.T) {
	s := New(Options{})
	s.Add(decode[corev1.LimitRange](t, "metadata: {name: l, namespace: shop}\nspec: {limits: [{type: Container, max: {memory: 1Gi}, defaultRequest: {cpu: 100m}}]}"), Place{})
	s.Add(decode[corev1.Pod](t, `
metadata: {name: a, namespace: shop}
spec:
  containers:
  - {name: a}
  - {name: b, resources: {limits: {cpu: 1, memory: 0}}}
`), Place{})
	f := workloads(s)["shop/Pod/a"].Facts.(*facts.Workload)
	if got, want := f.Containers[0].Resources, (facts.Resources{CPURequest: "limit_range", CPULimit: unset, MemoryRequest: "limit_range", MemoryLimit: "limit_range", StorageLimit: unset}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := f.Containers[1].Resources; got.CPULimit != "container" || got.CPURequest != "limit" || got.MemoryLimit != "limit_range" {
		t.Errorf("got %+v", got)
	}
}

// TestEveryVolumeSourceHasAName holds volumeType against the API's own struct.
func TestEveryVolumeSourceHasAName(t *testing.T) {
	typ := reflect.TypeFor[corev1.VolumeSource]()
	for i := range typ.NumField() {
		f := typ.Field(i)
		var v corev1.VolumeSource
		reflect.ValueOf(&v).Elem().Field(i).Set(reflect.New(f.Type.Elem()))
		want, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if got := volumeType(&v); got != want {
			t.Errorf("%s is named %q, want %q", f.Name, got, want)
		}
	}
	if got := volumeType(&corev1.VolumeSource{}); got != "emptyDir" {
		t.Errorf("a volume without a source is %q", got)
	}
}
