package manifests_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/postscan/postscan/scanner/collect/manifests"
	"github.com/postscan/postscan/scanner/facts"
)

// gathered is a sink that keeps everything.
type gathered struct {
	mu        sync.Mutex
	targets   []facts.Target
	resources map[string]*facts.Resource
}

func (g *gathered) Target(t facts.Target) error { g.targets = append(g.targets, t); return nil }
func (g *gathered) Source(facts.Source) error   { return nil }
func (g *gathered) Resource(_ context.Context, r *facts.Resource) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.resources[r.ID] = r
	return nil
}

func (g *gathered) ids() []string {
	var out []string
	for id := range g.resources {
		out = append(out, id)
	}
	slices.Sort(out)
	return out
}

// workload returns the facts of a workload that has to be there.
func (g *gathered) workload(t *testing.T, id string) (*facts.Resource, *facts.Workload) {
	t.Helper()
	r := g.resources[id]
	if r == nil {
		t.Fatalf("no %s among %v", id, g.ids())
	}
	return r, r.Facts.(*facts.Workload)
}

func collect(t *testing.T, o manifests.Options) *gathered {
	t.Helper()
	g := &gathered{resources: map[string]*facts.Resource{}}
	if err := manifests.New(o).Collect(t.Context(), g); err != nil {
		t.Fatal(err)
	}
	return g
}

// tree writes files into a new folder.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		full := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const deployment = `# comment
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
spec:
  template:
    metadata:
      labels: {app: web}
    spec:
      containers:
      - name: web
        image: nginx
        securityContext:
          privileged: yes
      volumes:
      - name: host
        hostPath:
          path: /etc
      - name: scratch
`

func TestLinesOfFields(t *testing.T) {
	dir := tree(t, map[string]string{"a.yaml": "---\n---\n# first\n" + deployment + "--- # next\n\napiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: shop}\nspec:\n  hostPID: true\n"})
	g := collect(t, manifests.Options{Paths: []string{dir}})
	r, f := g.workload(t, "shop/Deployment/web")
	if !f.Containers[0].Privileged {
		t.Error("yes is true for Kubernetes")
	}
	if f.Volumes[1].Type != "emptyDir" {
		t.Errorf("a volume without a source is %q", f.Volumes[1].Type)
	}
	c := f.Containers[0].Path
	for path, line := range map[string]int{
		c + ".securityContext.privileged": 19,
		c + ".securityContext.runAsUser":  18, // its nearest parent
		f.Volumes[0].Path + ".hostPath":   22,
		f.Volumes[1].Path:                 24,
		f.PodPath + ".hostPID":            14,
		"":                                5,
	} {
		if got := r.Place(path).Origin; got.Line != line || got.File != filepath.ToSlash(filepath.Join(dir, "a.yaml")) || got.Rendered {
			t.Errorf("%q stands at %+v, want line %d", path, got, line)
		}
	}
	p, pf := g.workload(t, "shop/Pod/p")
	if got := p.Place(pf.PodPath + ".hostPID").Origin.Line; got != 31 {
		t.Errorf("hostPID of the second document stands at %d", got)
	}
}

func TestLinesFollowAliasesAndMerges(t *testing.T) {
	g := collect(t, manifests.Options{Paths: []string{"-"}, Stdin: strings.NewReader(`apiVersion: v1
kind: Pod
metadata: {name: p}
spec:
  containers:
  - &c
    name: a
    securityContext: &sc
      privileged: true
  - <<: *c
    name: b
  - name: c
    securityContext: *sc
`)})
	r, f := g.workload(t, "default/Pod/p")
	if len(f.Containers) != 3 || !f.Containers[1].Privileged || !f.Containers[2].Privileged {
		t.Fatalf("containers %+v", f.Containers)
	}
	for i, line := range []int{9, 9, 9} {
		if got := r.Place(f.Containers[i].Path + ".securityContext.privileged").Origin; got.Line != line || got.File != "stdin" {
			t.Errorf("container %d: %+v, want line %d", i, got, line)
		}
	}
	if got := r.Place(f.Containers[1].Path + ".name").Origin.Line; got != 11 {
		t.Errorf("the merged container's own name stands at %d", got)
	}
	if f.Namespace.Declared || r.Missing["namespace.pod_security"].Status != facts.NotAssessed {
		t.Errorf("no namespace is declared: %+v, %v", f.Namespace, r.Missing)
	}
}

func TestJSONAndLists(t *testing.T) {
	dir := tree(t, map[string]string{
		"a.json": "{\n \"apiVersion\": \"v1\",\n \"kind\": \"Pod\",\n\t\"metadata\": {\"name\": \"j\"},\n \"spec\": {\n  \"hostIPC\": true, \"containers\": [\n   {\"name\": \"a\"},\n   {\"name\": \"b\", \"image\": \"x\"}\n  ]\n }\n}\n{\"apiVersion\":\"v1\",\"kind\":\"ServiceAccount\",\"metadata\":{\"name\":\"second\"}}\n",
		"list.yaml": `apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Pod
  metadata: {name: one}
  spec:
    hostNetwork: true
- apiVersion: example.com/v1
  kind: Widget
  metadata: {name: w}
- apiVersion: v1
  kind: PodList
  items:
  - metadata: {name: two}
    spec: {hostPID: true}
`,
		"values.yaml": "replicas: 3\n",
		"list.json":   "[1, 2]",
		"empty.yaml":  "# nothing\n",
	})
	g := collect(t, manifests.Options{Paths: []string{dir}, Namespace: "n"})
	if want := []string{"(nodes of the cluster)", "cluster", "n/Pod/j", "n/Pod/one", "n/Pod/two", "n/ServiceAccount/second"}; !slices.Equal(g.ids(), want) {
		t.Fatalf("got %v, want %v", g.ids(), want)
	}
	for id, at := range map[string]struct {
		path string
		line int
	}{"n/Pod/j": {"spec.containers[1].image", 8}, "n/Pod/one": {"spec.hostNetwork", 8}, "n/Pod/two": {"spec.hostPID", 16}} {
		if got := g.resources[id].Place(at.path).Origin.Line; got != at.line {
			t.Errorf("%s of %s stands at %d, want %d", at.path, id, got, at.line)
		}
	}
	p := g.targets[0].Properties
	if p["skipped_kinds"] != "Widget.example.com (1)" || p["objects"] != "4" || g.targets[0].Error != "" {
		t.Errorf("target %+v", g.targets[0])
	}
}

func TestBrokenFilesAreTheirOwnError(t *testing.T) {
	dir := tree(t, map[string]string{
		"good.yaml":   deployment,
		"broken.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: p\n",
		"types.yaml":  "apiVersion: v1\nkind: Pod\nmetadata: {name: fine}\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: odd}\nspec: {containers: none}\n",
		"broken.json": "{\"apiVersion\": \"v1\",\n \"kind\": }",
		"dup.yaml":    "apiVersion: v1\nkind: Pod\nmetadata: {name: twice}\nspec:\n  hostPID: false\n  hostPID: true\n",
	})
	g := collect(t, manifests.Options{Paths: []string{dir}})
	g.workload(t, "shop/Deployment/web")
	g.workload(t, "default/Pod/fine")
	if r, f := g.workload(t, "default/Pod/twice"); !f.HostPID || r.Place("spec.hostPID").Origin.Line != 6 {
		t.Errorf("of a key that stands twice the last counts, as for kubectl: %v at %+v", f.HostPID, r.Place("spec.hostPID").Origin)
	}
	failed := map[string]string{}
	for _, target := range g.targets[1:] {
		failed[filepath.Base(target.Ref)] = target.Error
	}
	for file, want := range map[string]string{"broken.yaml": "line 2", "types.yaml": `line 5: Pod "odd"`, "broken.json": "line 2"} {
		if !strings.Contains(failed[file], want) {
			t.Errorf("%s: %q does not say %q", file, failed[file], want)
		}
	}
	if len(failed) != 3 || g.targets[0].Error != "" {
		t.Errorf("targets: %+v", g.targets)
	}
}

func TestNothingFound(t *testing.T) {
	dir := tree(t, map[string]string{"readme.txt": "hello"})
	g := collect(t, manifests.Options{Paths: []string{dir, filepath.Join(dir, "gone.yaml")}})
	if len(g.targets) != 2 || !strings.Contains(g.targets[0].Error, "no Kubernetes manifests") || !strings.Contains(g.targets[1].Error, "gone.yaml") {
		t.Errorf("targets: %+v", g.targets)
	}
	if len(g.resources) > 0 { // where nothing was read there is nothing to say of a cluster
		t.Errorf("resources %v", g.ids())
	}
}

func TestObjectsOfSeveralPathsAreJoined(t *testing.T) {
	a := tree(t, map[string]string{"web.yaml": deployment})
	b := tree(t, map[string]string{"p.yaml": `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny, namespace: shop}
spec: {podSelector: {}, policyTypes: [Ingress, Egress]}
---
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {pod-security.kubernetes.io/enforce: restricted}}
`})
	g := collect(t, manifests.Options{Paths: []string{a, b}})
	r, f := g.workload(t, "shop/Deployment/web")
	if !f.Network.Ingress.Isolated || f.Namespace.PodSecurity.Enforce != "restricted" || r.Target != a {
		t.Errorf("not joined: %+v %+v target %s", f.Network, f.Namespace, r.Target)
	}
	if g.resources["shop/NetworkPolicy/deny"].Target != b {
		t.Error("an object belongs to the path that it was read from")
	}
}

// chart is a small Helm chart with a sub-chart, a helper, notes, and a lookup.
var chart = map[string]string{
	"Chart.yaml":                  "apiVersion: v2\nname: shop\nversion: 0.1.0\ndependencies: [{name: db, version: 0.1.0}]\n",
	"values.yaml":                 "privileged: false\nimage: nginx:1\n",
	"templates/_help.tpl":         "{{- define \"shop.labels\" }}app: {{ .Chart.Name }}{{ end }}",
	"templates/NOTES.txt":         "kind: Pod",
	"templates/web.yaml":          "{{- if true }}\n# rendered for {{ .Capabilities.KubeVersion.Version }}\napiVersion: v1\nkind: Pod\nmetadata:\n  name: {{ .Release.Name }}-web\n  labels: { {{ include \"shop.labels\" . }} }\nspec:\n  containers:\n  - name: web\n    image: {{ .Values.image }}\n    securityContext:\n      privileged: {{ .Values.privileged }}\n{{- if lookup \"v1\" \"Secret\" \"x\" \"y\" }}\n  hostPID: true\n{{- end }}\n{{- end }}\n",
	"charts/db/Chart.yaml":        "apiVersion: v2\nname: db\nversion: 0.1.0\n",
	"charts/db/values.yaml":       "host: true\n",
	"charts/db/templates/db.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: db}\nspec:\n  hostNetwork: {{ .Values.host }}\n",
	"crds/crd.yaml":               "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: x}\n",
}

func TestHelmChart(t *testing.T) {
	dir := tree(t, chart)
	values := filepath.Join(tree(t, map[string]string{"prod.yaml": "privileged: true\ndb: {host: false}\n"}), "prod.yaml")
	g := collect(t, manifests.Options{Paths: []string{dir}, Values: []string{values}, Namespace: "prod"})
	if want := []string{"(nodes of the cluster)", "cluster", "prod/Pod/db", "prod/Pod/shop-web"}; !slices.Equal(g.ids(), want) {
		t.Fatalf("got %v, want %v; targets %+v", g.ids(), want, g.targets)
	}
	r, f := g.workload(t, "prod/Pod/shop-web")
	if !f.Containers[0].Privileged || f.HostPID {
		t.Errorf("values or lookup: %+v", f)
	}
	got := r.Place(f.Containers[0].Path + ".securityContext.privileged").Origin
	if want := (facts.Origin{File: filepath.ToSlash(dir) + "/templates/web.yaml", Line: 13, Rendered: true}); got != want {
		t.Errorf("place %+v, want %+v", got, want)
	}
	if _, f := g.workload(t, "prod/Pod/db"); f.HostNetwork {
		t.Error("the values of the sub-chart were not set")
	}
	if p := g.targets[0].Properties; p["rendered"] != "Helm chart shop (what it looks up in a cluster counts as not there)" || p["skipped_objects"] != "1" {
		t.Errorf("properties %v", p)
	}
}

// A chart goes where its release goes. Where nobody says that, the namespace
// that it was rendered for is none that it asks for.
func TestNamespaceOfAChart(t *testing.T) {
	dir := tree(t, map[string]string{
		"Chart.yaml":         "apiVersion: v2\nname: shop\nversion: 0.1.0\n",
		"templates/web.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: {{ .Release.Namespace }}}\nspec: {containers: [{name: web, image: web:1}]}\n",
		"templates/db.yaml":  "apiVersion: v1\nkind: Pod\nmetadata: {name: db, namespace: pay}\nspec: {containers: [{name: db, image: db:1}]}\n",
	})
	for namespace, c := range map[string]struct {
		id   string
		open bool
	}{"": {"default/Pod/web", true}, "default": {"default/Pod/web", false}, "prod": {"prod/Pod/web", false}} {
		g := collect(t, manifests.Options{Paths: []string{dir}, Namespace: namespace})
		r, f := g.workload(t, c.id)
		if _, missing := r.Missing["namespace.name"]; missing != c.open || f.Namespace.Declared == c.open {
			t.Errorf("namespace %q: %+v, missing %v", namespace, f.Namespace, r.Missing["namespace.name"])
		}
		if r, f := g.workload(t, "pay/Pod/db"); !f.Namespace.Declared || r.Missing["namespace.name"].Reason != "" {
			t.Errorf("namespace %q: what the chart names: %+v", namespace, f.Namespace)
		}
	}
}

func TestPackedHelmChart(t *testing.T) {
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	w := tar.NewWriter(z)
	names := make([]string, 0, len(chart))
	for name := range chart {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if err := w.WriteHeader(&tar.Header{Name: "shop/" + name, Mode: 0o644, Size: int64(len(chart[name]))}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(chart[name])); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	dir := tree(t, map[string]string{"shop-0.1.0.tgz": buf.String(), "other.tgz": "no chart"})
	for _, path := range []string{dir, filepath.Join(dir, "shop-0.1.0.tgz")} {
		g := collect(t, manifests.Options{Paths: []string{path}})
		r, f := g.workload(t, "default/Pod/shop-web")
		got := r.Place(f.Containers[0].Path + ".image").Origin
		if want := (facts.Origin{File: filepath.ToSlash(dir) + "/shop-0.1.0.tgz!/shop/templates/web.yaml", Line: 11, Rendered: true}); got != want {
			t.Errorf("%s: place %+v, want %+v", path, got, want)
		}
	}
}

func TestChartWithoutItsDependencies(t *testing.T) {
	dir := tree(t, map[string]string{"Chart.yaml": chart["Chart.yaml"], "templates/web.yaml": chart["templates/web.yaml"]})
	g := collect(t, manifests.Options{Paths: []string{dir}})
	if len(g.resources) != 0 || !strings.Contains(g.targets[0].Error, "helm dependency build") {
		t.Errorf("resources %v, targets %+v", g.ids(), g.targets)
	}
}

func TestKustomize(t *testing.T) {
	dir := tree(t, map[string]string{
		"base/kustomization.yaml":   "resources: [web.yaml]\nconfigMapGenerator: [{name: conf, literals: [a=b]}]\n",
		"base/web.yaml":             strings.Replace(deployment, "yes", "true", 1),
		"base/notes.yaml":           "apiVersion: v1\nkind: Pod\nmetadata: {name: beside}\n",
		"prod/kustomization.yaml":   "resources: [../base]\nnamePrefix: prod-\npatches: [{path: patch.yaml}]\n",
		"prod/patch.yaml":           "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\nspec: {template: {spec: {hostPID: true}}}\n",
		"plain/pod.yaml":            "apiVersion: v1\nkind: Pod\nmetadata: {name: plain}\n",
		"prod/.hidden/ignored.yaml": "kind: [",
	})
	g := collect(t, manifests.Options{Paths: []string{dir}})
	for _, target := range g.targets {
		if target.Error != "" {
			t.Errorf("%s: %s", target.Ref, target.Error)
		}
	}
	r, f := g.workload(t, "shop/Deployment/prod-web")
	if !f.HostPID {
		t.Error("the patch was not applied")
	}
	got := r.Place(f.PodPath + ".hostPID").Origin
	if got.File != filepath.ToSlash(dir)+"/base/web.yaml" || !got.Rendered || got.Line < 2 {
		t.Errorf("place %+v", got)
	}
	for _, id := range g.ids() {
		if id == "shop/Deployment/web" {
			t.Error("a base that an overlay takes in is not judged beside it")
		}
	}
	g.workload(t, "default/Pod/plain")
	g.workload(t, "default/Pod/beside")
}

func TestKustomizeFetchesNothing(t *testing.T) {
	for name, text := range map[string]string{
		"url":       "resources: ['https://127.0.0.1:1/x.yaml']\n",
		"repo":      "resources: ['github.com/example/repo//deploy?ref=v1']\n",
		"ssh":       "bases: ['git@127.0.0.1:org/repo.git']\n",
		"missing":   "resources: [gone.yaml]\n",
		"patch":     "resources: [web.yaml]\npatches: [{path: 'http://127.0.0.1:1/p.yaml'}]\n",
		"generator": "resources: [web.yaml]\nconfigMapGenerator: [{name: c, files: ['a=http://127.0.0.1:1/p']}]\n",
		"plugin":    "generators:\n- |-\n  apiVersion: builtin\n  kind: ConfigMapGenerator\n  metadata: {name: c}\n  files: ['http://127.0.0.1:1/p']\n",
		"helm":      "helmCharts: [{name: x, repo: 'http://127.0.0.1:1'}]\n",
		"openapi":   "resources: [web.yaml]\nopenapi: {path: 'http://127.0.0.1:1/p'}\n",
	} {
		dir := tree(t, map[string]string{"kustomization.yaml": text, "web.yaml": deployment})
		g := collect(t, manifests.Options{Paths: []string{dir}})
		if g.targets[0].Error == "" && (len(g.targets) < 2 || g.targets[1].Error == "") {
			t.Errorf("%s: no error, resources %v", name, g.ids())
		}
		for _, target := range g.targets {
			if strings.Contains(target.Error, "connection refused") || strings.Contains(target.Error, "dial") {
				t.Errorf("%s: something was fetched: %s", name, target.Error)
			}
		}
	}
	dir := tree(t, map[string]string{ // a folder whose name Kustomize would take for a repository
		"kustomization.yaml":                         "resources: [github.com/example/repo]\n",
		"github.com/example/repo/kustomization.yaml": "resources: [web.yaml]\n",
		"github.com/example/repo/web.yaml":           strings.Replace(deployment, "yes", "true", 1),
	})
	g := collect(t, manifests.Options{Paths: []string{dir}})
	if len(g.targets) != 2 || !strings.Contains(g.targets[1].Error, "github.com/example/repo") || g.targets[1].Ref == g.targets[0].Ref {
		t.Errorf("targets %+v", g.targets)
	}
	g.workload(t, "shop/Deployment/web")
}

func TestKustomizeRunsNoPlugin(t *testing.T) {
	dir := tree(t, map[string]string{
		"kustomization.yaml": "generators: [gen.yaml]\n",
		"gen.yaml":           "apiVersion: v1\nkind: Touch\nmetadata:\n  name: x\n  annotations:\n    config.kubernetes.io/function: |\n      exec: {path: ./touch.sh}\n",
		"touch.sh":           "#!/bin/sh\ntouch ran\n",
	})
	if err := os.Chmod(filepath.Join(dir, "touch.sh"), 0o755); err != nil {
		t.Fatal(err)
	}
	g := collect(t, manifests.Options{Paths: []string{dir}})
	if g.targets[0].Error == "" {
		t.Errorf("a plugin has to be refused: %+v, %v", g.targets, g.ids())
	}
	if _, err := os.Stat(filepath.Join(dir, "ran")); err == nil {
		t.Error("the plugin ran")
	}
}

func TestOlderVersionsOfKinds(t *testing.T) {
	g := collect(t, manifests.Options{Paths: []string{"-"}, Stdin: strings.NewReader(`
apiVersion: extensions/v1beta1
kind: Deployment
metadata: {name: old}
spec: {template: {spec: {hostPID: true}}}
---
apiVersion: batch/v1beta1
kind: CronJob
metadata: {name: cron}
spec: {jobTemplate: {spec: {template: {spec: {containers: [{name: c, image: i}]}}}}}
---
apiVersion: extensions/v1beta1
kind: Ingress
metadata: {name: in}
spec:
  backend: {serviceName: fallback, servicePort: 80}
  rules: [{host: a.example, http: {paths: [{backend: {serviceName: web, servicePort: 80}}]}}]
---
apiVersion: admissionregistration.k8s.io/v1beta1
kind: ValidatingWebhookConfiguration
metadata: {name: hook}
webhooks: [{name: a.example}]
`)})
	if _, f := g.workload(t, "default/Deployment/old"); !f.HostPID {
		t.Error("hostPID was lost")
	}
	if _, f := g.workload(t, "default/CronJob/cron"); f.Containers[0].Path != "spec.jobTemplate.spec.template.spec.containers[0]" {
		t.Errorf("path %s", f.Containers[0].Path)
	}
	in := g.resources["default/Ingress/in"].Facts.(*facts.Ingress)
	if !in.DefaultBackend || !slices.Equal(in.Backends, []string{"default/fallback", "default/web"}) {
		t.Errorf("ingress %+v", in)
	}
	hook := g.resources["ValidatingWebhookConfiguration/hook/a.example"].Facts.(*facts.AdmissionPolicy)
	if hook.FailurePolicy != "Ignore" {
		t.Errorf("v1beta1 webhooks fail open by default, got %s", hook.FailurePolicy)
	}
}

// fixtures is the folder of Pod Security's own test pods.
func fixtures(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "k8s.io/pod-security-admission").Output()
	if err != nil {
		t.Fatalf("find the module k8s.io/pod-security-admission: %v", err)
	}
	return filepath.Join(strings.TrimSpace(string(out)), "test", "testdata")
}

func TestEveryPodSecurityFixtureLoads(t *testing.T) {
	root := fixtures(t)
	files := 0
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasSuffix(p, ".yaml") {
			files++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 4000 {
		t.Fatalf("only %d fixtures under %s", files, root)
	}
	var count counter
	if err := manifests.New(manifests.Options{Paths: []string{root}}).Collect(t.Context(), &count); err != nil {
		t.Fatal(err)
	}
	for _, target := range count.targets {
		if target.Error != "" {
			t.Errorf("%s: %s", target.Ref, target.Error)
		}
	}
	if count.pods != files {
		t.Errorf("%d files, %d pods", files, count.pods)
	}
}

// counter is a sink that counts pods.
type counter struct {
	mu      sync.Mutex
	pods    int
	targets []facts.Target
}

func (c *counter) Target(t facts.Target) error { c.targets = append(c.targets, t); return nil }
func (c *counter) Source(facts.Source) error   { return nil }
func (c *counter) Resource(_ context.Context, r *facts.Resource) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.Kind == facts.KindWorkload {
		c.pods++
	}
	return nil
}

func FuzzManifests(f *testing.F) {
	f.Add(deployment)
	f.Add("{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[{\"apiVersion\":\"v1\",\"kind\":\"Pod\"}]}")
	f.Add("a: &a [*a]\n")
	f.Add("apiVersion: v1\nkind: Pod\n<<: [{x: y}, &z {spec: {volumes: [{}]}}]\n")
	f.Add("apiVersion: networking.k8s.io/v1beta1\nkind: Ingress\nspec: {backend: 1, rules: [1, {http: {paths: 1}}]}\n")
	f.Add("apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nspec: {endpointSelector: 1, ingress: [1, {fromEndpoints: [1]}]}\n")
	f.Fuzz(func(t *testing.T, text string) {
		g := &gathered{resources: map[string]*facts.Resource{}}
		if err := manifests.New(manifests.Options{Paths: []string{"-"}, Stdin: strings.NewReader(text)}).Collect(t.Context(), g); err != nil {
			t.Fatal(err)
		}
		for _, r := range g.resources {
			for path, line := range r.Lines {
				if line < 1 || line > strings.Count(text, "\n")+1 {
					t.Errorf("%q stands at line %d of %d", path, line, strings.Count(text, "\n")+1)
				}
			}
		}
	})
}

// What people's files look like: Windows' line ends, a byte order mark, arrays,
// documents of comments, keys that stand twice. The lines are those of the file.
func TestLinesOfOddFiles(t *testing.T) {
	const pod = "# one\n---\n# two\n---\n\napiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  hostPID: false\n  hostPID: true\n  containers: [{name: c, image: i}]\n"
	const array = "[\n {\"apiVersion\": \"v1\", \"kind\": \"Namespace\", \"metadata\": {\"name\": \"n\"}},\n {\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"metadata\": {\"name\": \"p\"},\n  \"spec\": {\n   \"hostPID\": true}}\n]\n"
	for name, c := range map[string]struct {
		text string
		line int
	}{
		"plain.yaml":   {pod, 11},
		"crlf.yaml":    {strings.ReplaceAll(pod, "\n", "\r\n"), 11},
		"bom.yaml":     {"\xef\xbb\xbf" + pod, 11},
		"array.json":   {array, 5},
		"array.yaml":   {"- apiVersion: v1\n  kind: Pod\n  metadata: {name: p}\n  spec:\n    hostPID: true\n", 5},
		"strings.json": {"[\"a\", 1, [], {\"kind\": \"x\"}]", 0},
	} {
		file := filepath.Join(tree(t, map[string]string{name: c.text}), name)
		g := collect(t, manifests.Options{Paths: []string{file}})
		if c.line == 0 {
			if !strings.Contains(g.targets[0].Error, "no Kubernetes manifests") {
				t.Errorf("%s: target %+v", name, g.targets[0])
			}
			continue
		}
		r, f := g.workload(t, "default/Pod/p")
		if got := r.Place("spec.hostPID").Origin.Line; !f.HostPID || got != c.line {
			t.Errorf("%s: hostPID is %v on line %d, want line %d", name, f.HostPID, got, c.line)
		}
	}
}

// An error is told in a line or two and says what to do, and nothing is left out
// without one.
func TestErrorsOfInputs(t *testing.T) {
	dir := tree(t, map[string]string{
		"templates/p.yaml":         "apiVersion: v1\nkind: Pod\nspec:\n  {{- toYaml .Values.spec | nindent 2 }}\n",
		"tab/t.yaml":               "apiVersion: v1\n\tkind: Pod\n",
		"endless/Chart.yaml":       "apiVersion: v2\nname: endless\nversion: 0.1.0\n",
		"endless/templates/x.yaml": "{{ define \"x\" }}{{ include \"x\" . }}{{ end }}{{ include \"x\" . }}",
		"a/kustomization.yaml":     "resources: [../b]\n",
		"b/kustomization.yaml":     "resources: [../a]\n",
		"gone/kustomization.yaml":  "resources: [gone.yaml]\n",
		"good.yaml":                "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, image: i}]}\n",
	})
	g := collect(t, manifests.Options{Paths: []string{dir}})
	g.workload(t, "default/Pod/p") // the rest goes on
	want := map[string]string{
		"templates/p.yaml": "did not find expected node content; it looks like a template; name the folder of its chart", "tab/t.yaml": "line 2",
		"endless/Chart.yaml": "nested reference name: x", "a/kustomization.yaml": "takes itself in", "b/kustomization.yaml": "takes itself in",
		"gone/kustomization.yaml": `takes in "gone.yaml", which is not there`,
	}
	for _, target := range g.targets[1:] {
		rel := strings.TrimPrefix(target.Ref, filepath.ToSlash(dir)+"/")
		if want[rel] == "" || !strings.Contains(target.Error, want[rel]) || strings.Contains(target.Error, "\n") || len(target.Error) > 1500 {
			t.Errorf("%s: %s", rel, target.Error)
		}
		delete(want, rel)
	}
	if len(want) > 0 {
		t.Errorf("nothing is said of %v", want)
	}
}
