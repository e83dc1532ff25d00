package isolation

import (
	"context"
	"encoding/json"
	"maps"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"testing"

	"github.com/open-policy-agent/opa/v1/rego"

	"github.com/postscan/postscan/scanner/facts"
)

// policies asks the libraries of the policies the same as the Go code here.
func policies(t *testing.T, query string) func(input any) any {
	t.Helper()
	opts := []func(*rego.Rego){rego.Query(query)}
	for _, file := range []string{"host_paths", "paths", "sandbox", "pod_security", "pod_security_controls"} {
		name := "../../policies/lib/" + file + ".rego"
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		opts = append(opts, rego.Module(name, string(text)))
	}
	q, err := rego.New(opts...).PrepareForEval(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return func(input any) any {
		t.Helper()
		results, err := q.Eval(context.Background(), rego.EvalInput(input))
		if err != nil {
			t.Fatal(err)
		}
		if len(results) != 1 {
			return nil
		}
		return results[0].Expressions[0].Value
	}
}

func TestHostPathsAgreeWithThePolicies(t *testing.T) {
	ask := policies(t, `{
		"socket": {p | some p in input; data.postscan.lib.host_paths.is_socket(p)},
		"reaches": {p | some p in input; data.postscan.lib.host_paths.reaches_socket(p)},
		"sensitive": {p | some p in input; data.postscan.lib.host_paths.is_sensitive(p)},
		"harmless": {p | some p in input; data.postscan.lib.host_paths.is_harmless(p)},
		"public": {p | some p in input; data.postscan.lib.host_paths.is_public(p)},
		"device": {p | some p in input; data.postscan.lib.host_paths.is_device(p)},
	}`)
	var all []string
	for _, p := range slices.Concat(hostSockets(), sensitiveFolders(), harmlessPaths(), publicPaths(), notDevices()) {
		all = append(all, p, p+"/", "/"+p, p+"/below", p+"x", "/var"+p, "C:"+p)
	}
	all = append(all, "", ".", "/srv", "/var", "/data/docker.sock", `C:\ProgramData`, `c:\`, `\\.\pipe\docker_engine`, `\\.\PIPE\docker_engine`, `\\.\pipe\Docker_Engine`,
		"/var/run", "/var/running", "//var//run/docker.sock", "/run/user/1000/podman/podman.sock", "/dev/sda1", "/dev/null")
	got := ask(all).(map[string]any)
	for name, test := range map[string]func(string) bool{"socket": isSocket, "reaches": reachesSocket, "sensitive": isSensitive, "harmless": isHarmless, "public": isPublic, "device": isDevice} {
		said := got[name].([]any)
		if len(said) == 0 || len(said) == len(all) {
			t.Fatalf("%s: the policies say %d of %d, so this test sees nothing", name, len(said), len(all))
		}
		for _, p := range all {
			if want := slices.Contains(said, any(p)); test(p) != want {
				t.Errorf("%s of %q: %v, the policies say %v", name, p, test(p), want)
			}
		}
	}
}

func TestSandboxesAgreeWithThePolicies(t *testing.T) {
	ask := policies(t, `{h | some h in input; data.postscan.lib.sandbox.handler(h)}`)
	all := []string{
		"", "runc", "crun", "nvidia", "runsc", "gvisor", "runsc-kvm", "gvisor-systrap", "runscx", "firecracker", "firecracker-dev", "remotehyp", "krun",
		"cloud-hypervisor", "cloud-hypervisor-x", "kata", "kata-qemu", "kata-clh", "katafc", "kata2", "katas-1", "Kata-QEMU", "kata-qemu-snp", "io.containerd.kata.v2",
		"io.containerd.runsc.v1", "io.containerd.runc.v2", "mykata", "xkata-qemu",
	}
	said := ask(all).([]any)
	for _, h := range all {
		if want := slices.Contains(said, any(h)); (boundaryOf(h, nil) != SharedKernel) != want {
			t.Errorf("%q: boundary %d, the policies say %v", h, boundaryOf(h, nil), want)
		}
	}
	for h, want := range map[string]Boundary{"kata-qemu-tdx": ConfidentialVM, "kata-qemu-se": ConfidentialVM, "kata-cc-isolation": ConfidentialVM, "kata": PodVM, "runsc": SandboxKernel} {
		if got := boundaryOf(h, nil); got != want {
			t.Errorf("%q is boundary %d, want %d", h, got, want)
		}
	}
	if boundaryOf("ours", []string{"ours"}) != SandboxKernel || boundaryOf("runhcs-wcow-hypervisor", nil) != PodVM {
		t.Error("handlers that the user names, or that Windows has")
	}
}

// pick chooses one of the values.
func pick[T any](r *rand.Rand, values ...T) T { return values[r.IntN(len(values))] }

// randomWorkload varies what Pod Security looks at; most is as it should be.
func randomWorkload(r *rand.Rand) *facts.Workload {
	rarely := func() bool { return r.IntN(12) == 0 }
	context := func() facts.SecurityContext {
		c := facts.SecurityContext{RunAsNonRoot: pick(r, "unset", "true", "true", "false"), RunAsUser: pick(r, int64(-1), -1, 0, 7), RunAsGroup: -1, Seccomp: pick(r, "unset", "RuntimeDefault", "Localhost"), AppArmor: pick(r, "unset", "RuntimeDefault"), HostProcess: "unset"}
		if rarely() {
			c.Seccomp = pick(r, "Unconfined", "")
		}
		if rarely() {
			c.AppArmor = "Unconfined"
		}
		if rarely() {
			c.SELinux = facts.SELinux{Type: pick(r, "spc_t", "container_t", "container_engine_t"), User: pick(r, "", "", "system_u"), Role: pick(r, "", "", "r")}
		}
		if rarely() {
			c.HostProcess = pick(r, "true", "false")
		}
		return c
	}
	w := &facts.Workload{
		PodPath: "spec", MetaPath: "metadata", OS: pick(r, "unset", "linux", "windows"), HostUsers: pick(r, "unset", "true", "false"),
		HostPID: rarely(), HostIPC: rarely(), HostNetwork: rarely(), SecurityContext: context(),
	}
	for range 1 + r.IntN(2) {
		c := facts.Container{
			Name: "c", Path: "spec.containers[0]", Privileged: rarely(), AllowPrivilegeEscalation: pick(r, "false", "false", "unset", "true"),
			ProcMount: pick(r, "unset", "Default", "Unmasked"), CapabilitiesDrop: []string{pick(r, "ALL", "NET_RAW")}, SecurityContext: context(),
		}
		if r.IntN(3) == 0 {
			c.CapabilitiesAdd = []string{pick(r, "NET_BIND_SERVICE", "CHOWN", "SYS_ADMIN", "NET_RAW")}
		}
		if rarely() {
			c.Ports = []facts.ContainerPort{{HostPort: pick(r, 0, 80)}}
		}
		if rarely() {
			c.HostProbes = []facts.HostProbe{{Host: pick(r, "", "10.0.0.1")}}
		}
		w.Containers = append(w.Containers, c)
	}
	if r.IntN(3) == 0 {
		w.Volumes = []facts.Volume{{Type: pick(r, "hostPath", "emptyDir", "nfs", "csi", "persistentVolumeClaim")}}
	}
	if rarely() {
		w.Sysctls = []facts.Sysctl{{Name: pick(r, "kernel.shm_rmid_forced", "kernel.msgmax", "net.ipv4.tcp_slow_start_after_idle")}}
	}
	if rarely() {
		w.AppArmorNotes = []facts.ProfileAnnotation{{Container: "c", Value: pick(r, "unconfined", "runtime/default", "localhost/x", "")}}
	}
	return w
}

func TestPodSecurityAgreesWithThePolicies(t *testing.T) {
	ask := policies(t, `{
		"baseline": {c | some [c, _] in data.postscan.lib.pod_security_controls.baseline},
		"restricted": {c | some [c, _] in data.postscan.lib.pod_security_controls.restricted},
	}`)
	r := rand.New(rand.NewPCG(5, 6))
	seen := map[string]int{}
	for range 1500 {
		w := randomWorkload(r)
		w.Namespace.PodSecurity.EnforceMinor = 999
		res := &facts.Resource{Kind: facts.KindWorkload, Facts: w}
		res.Normalise()
		text, err := json.Marshal(w)
		if err != nil {
			t.Fatal(err)
		}
		var doc any
		if err := json.Unmarshal(text, &doc); err != nil {
			t.Fatal(err)
		}
		said := ask(doc).(map[string]any)
		baseline, restricted := podSecurity(w)
		for level, got := range map[string][]string{"baseline": baseline, "restricted": restricted} {
			want := []string{}
			for _, c := range said[level].([]any) {
				want = append(want, c.(string))
				seen[c.(string)]++
			}
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Fatalf("%s: %v, the policies say %v\n%s", level, got, want, text)
			}
		}
	}
	if len(seen) < 19 {
		t.Errorf("only %d controls were ever failed: %v", len(seen), slices.Sorted(maps.Keys(seen)))
	}
}

// A field that the key leaves out would give one workload another's score.
func TestKeyHoldsEverything(t *testing.T) {
	base := func() *Input {
		return &Input{Containers: make([]Container, 1), Dangers: make([]Danger, 1), HostFiles: make([]string, 1), Baseline: make([]string, 1), Restricted: make([]string, 1)}
	}
	key := func(in *Input) string { return string(appendInput(nil, in)) }
	before := key(base())
	n := 0
	var change func(v reflect.Value, in *Input, path string)
	change = func(v reflect.Value, in *Input, path string) {
		if v.Kind() == reflect.Struct {
			for i := range v.NumField() {
				change(v.Field(i), in, path+"."+v.Type().Field(i).Name)
			}
			return
		}
		old := reflect.New(v.Type()).Elem()
		old.Set(v)
		switch v.Kind() {
		case reflect.String:
			v.SetString("x")
		case reflect.Bool:
			v.SetBool(true)
		case reflect.Int, reflect.Int8:
			v.SetInt(1)
		case reflect.Slice:
			if v.Len() > 0 {
				change(v.Index(0), in, path+"[]")
			}
			v.Set(reflect.Append(v, reflect.Zero(v.Type().Elem())))
		default:
			t.Fatalf("%s is a %s", path, v.Kind())
		}
		if n++; key(in) == before {
			t.Errorf("%s is not in the key", path)
		}
		v.Set(old)
	}
	in := base()
	change(reflect.ValueOf(in).Elem(), in, "")
	if key(in) != before || n < 60 {
		t.Errorf("%d fields were changed", n)
	}
}
