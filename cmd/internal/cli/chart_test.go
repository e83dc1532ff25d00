package cli

import (
	"bytes"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"helm.sh/helm/v4/pkg/chart/common"
	chartutil "helm.sh/helm/v4/pkg/chart/common/util"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/engine"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"sigs.k8s.io/yaml"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/audit"
	"github.com/postscan/postscan/scanner/collect/cluster/clustertest"
	"github.com/postscan/postscan/scanner/report"
)

const deployFolder = "../../../docs/deploy"

var chartFolder = filepath.Join(deployFolder, "chart", "postscan")

// everything switches on, over the values of production.yaml, what is off there.
const everything = `
runtimeClassName: gvisor
userNamespaces: true
scanner:
  rights: {secrets: true, gatekeeper: true}
  nodeSelector: {kubernetes.io/os: linux}
  tolerations: [{key: scans, operator: Exists, effect: NoSchedule}]
server:
  scansCluster: true
  nodeSelector: {kubernetes.io/os: linux}
  tolerations: [{key: scans, operator: Exists, effect: NoSchedule}]
  ingress:
    enabled: true
    className: proxy
    host: postscan.example
    tlsSecretName: postscan-example-tls
    annotations: {nginx.ingress.kubernetes.io/backend-protocol: HTTPS}
  serviceMonitor:
    enabled: true
    labels: {release: prometheus}
    caSecret: {name: postscan-server-tls}
worker:
  enabled: true
  args: ["--parallel-scans=image=4"]
  nodeSelector: {kubernetes.io/os: linux}
  tolerations: [{key: scans, operator: Exists, effect: NoSchedule}]
token: {enabled: true, name: scanner, role: upload, audit: cluster}
`

// chartValues are the values that the tests install the chart with, by name; each
// is laid over those of the chart.
func chartValues(t *testing.T) map[string][]string {
	t.Helper()
	production := filepath.Join(deployFolder, "chart", "production.yaml")
	all := filepath.Join(t.TempDir(), "everything.yaml")
	if err := os.WriteFile(all, []byte(everything), 0o600); err != nil {
		t.Fatal(err)
	}
	return map[string][]string{"default": nil, "production": {production}, "everything": {production, all}}
}

// renderChart renders the chart as helm install does, its values held to its schema,
// and returns what each template made.
func renderChart(t *testing.T, values map[string]any) map[string]string {
	t.Helper()
	out, err := render(t, values)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// render is the same for values that the chart may refuse.
func render(t *testing.T, values map[string]any) (map[string]string, error) {
	t.Helper()
	ch, err := loader.Load(chartFolder)
	if err != nil {
		t.Fatal(err)
	}
	release := common.ReleaseOptions{Name: "postscan", Namespace: "postscan", Revision: 1, IsInstall: true}
	vals, err := chartutil.ToRenderValues(ch, values, release, common.DefaultCapabilities.Copy())
	if err != nil {
		return nil, err
	}
	return engine.Engine{}.Render(ch, vals)
}

// Parts of the chart stand alone, and what would not work is refused with a reason.
func TestChartPartsAlone(t *testing.T) {
	values := func(text string) map[string]any {
		t.Helper()
		v, err := loader.LoadValues(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	var kinds []string
	for _, u := range objectsOf(t, renderChart(t, values("scanner: {enabled: false}\nserver: {enabled: false}\nworker: {enabled: true}\n"))) {
		kinds = append(kinds, u.GetKind())
	}
	slices.Sort(kinds)
	if want := []string{"ConfigMap", "Deployment", "NetworkPolicy", "PodDisruptionBudget", "ServiceAccount"}; !slices.Equal(kinds, want) {
		t.Errorf("workers alone are %v, want %v", kinds, want)
	}
	const from = "networkPolicy: {from: [{podSelector: {}}]}"
	for text, want := range map[string]string{
		"server: {ingress: {enabled: true, host: a.example, tlsSecretName: a}}": "server.networkPolicy.from",
		"server: {ingress: {enabled: true, tlsSecretName: a}, " + from + "}":    "server.ingress.host",
		"server: {ingress: {enabled: true, host: a.example}, " + from + "}":     "server.ingress.tlsSecretName",
		"server: {tls: {enabled: false}}":                                       "tokens would cross the network in clear",
		"server: {enabled: false}":                                              "scanner.upload.url",
		"server: {serviceMonitor: {enabled: true, interval: often}}":            "interval",
		"worker: {enabled: true, replicas: 0}":                                  "replicas",
		"image: {digest: latest}":                                               "digest",
	} {
		if _, err := render(t, values(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

func readValues(t *testing.T, files []string) map[string]any {
	t.Helper()
	values := map[string]any{}
	for _, name := range files {
		v, err := loader.LoadValues(strings.NewReader(read(t, name)))
		if err != nil {
			t.Fatal(err)
		}
		values = loader.MergeMaps(values, v)
	}
	return values
}

// objectsOf splits what templates made into objects, the namespace first.
func objectsOf(t *testing.T, rendered map[string]string) []*unstructured.Unstructured {
	t.Helper()
	var out []*unstructured.Unstructured
	for _, name := range slices.Sorted(maps.Keys(rendered)) {
		if path.Ext(name) != ".yaml" {
			continue
		}
		for doc := range strings.SplitSeq("\n"+rendered[name], "\n---\n") {
			u := &unstructured.Unstructured{}
			if err := yaml.UnmarshalStrict([]byte(doc), &u.Object); err != nil {
				t.Fatalf("%s: %v in\n%s", name, err, doc)
			}
			if len(u.Object) > 0 {
				out = append(out, u)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b *unstructured.Unstructured) int { return installOrder(a) - installOrder(b) })
	return out
}

// installOrder puts first what others need.
func installOrder(u *unstructured.Unstructured) int {
	if i := slices.Index([]string{"Namespace", "ServiceAccount", "ConfigMap", "ClusterRole"}, u.GetKind()); i >= 0 {
		return i
	}
	return 10
}

// allowed are the findings above low that the chart has, with the reason.
var allowed = map[string]map[string]string{
	"default": {}, "production": {},
	"everything": {
		"PS-RBAC-003": "scanner.rights.gatekeeper was asked for: the kinds of constraints are not known before, so the right is a wildcard",
		"PS-RBAC-004": "scanner.rights.secrets was asked for: Kubernetes has no right for the metadata of Secrets alone",
		"PS-RBAC-031": "and the pods that scan carry these rights: that is what they are for",
	},
}

// postscan finds nothing in its own chart but what was asked for.
func TestChartPassesItsOwnChecks(t *testing.T) {
	for name, files := range chartValues(t) {
		t.Run(name, func(t *testing.T) {
			args := []string{"manifests", chartFolder, "-n", "postscan", "-o", "json"}
			for _, f := range files {
				args = append(args, "--values", f)
			}
			rep := reportOf(t, args...)
			seen := map[string]bool{}
			for i := range rep.Findings {
				f := &rep.Findings[i]
				seen[f.Rule.ID] = true
				if f.Severity > scanner.SeverityLow && allowed[name][f.Rule.ID] == "" {
					t.Errorf("%s %s %s: %s", f.Severity, f.Rule.ID, f.Resource.ID, f.Message)
				}
			}
			for id := range allowed[name] {
				if !seen[id] {
					t.Errorf("%s is allowed and is not there: take it out of the list", id)
				}
			}
			rep = reportOf(t, append(args, "--framework", "pss-restricted")...)
			for _, c := range rep.Compliance {
				for _, control := range c.Controls {
					// In a user namespace, some controls ask for nothing.
					relaxed := name == "everything" && control.Status == scanner.ControlNotCovered
					if control.Status != scanner.ControlPass && !relaxed {
						t.Errorf("%s %s: %s", c.ID, control.ID, control.Status)
					}
				}
			}
			if len(rep.Compliance) == 0 {
				t.Error("the report says nothing about pss-restricted")
			}
		})
	}
}

func reportOf(t *testing.T, args ...string) *scanner.Report {
	t.Helper()
	res := run(t, nil, args...)
	if res.code != exitDone {
		t.Fatalf("%v: exit code %d: %s", args, res.code, res.stderr)
	}
	rep, err := report.Read(bytes.NewReader([]byte(res.stdout)))
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

// The flags that the chart gives to postscan are flags that it has, and the
// settings file that it makes is one that it reads.
func TestChartCallsPostscanAsItIs(t *testing.T) {
	for name, files := range chartValues(t) {
		t.Run(name, func(t *testing.T) {
			commands, configs := 0, 0
			for _, u := range objectsOf(t, renderChart(t, readValues(t, files))) {
				if u.GetKind() == "ConfigMap" {
					configs++
					text, _, err := unstructured.NestedString(u.Object, "data", "postscan.yaml")
					if err != nil {
						t.Fatal(err)
					}
					if c, err := audit.ReadConfig([]byte(text)); err != nil || len(c.Audits) == 0 {
						t.Errorf("%s: %v in\n%s", u.GetName(), err, text)
					}
				}
				pod := podOf(t, u)
				if pod == nil {
					continue
				}
				commands++
				args := pod.Spec.Containers[0].Args
				// What does not parse exits 2 before it asks for help.
				if res := run(t, nil, append(slices.Clone(args), "--help")...); res.code != exitDone || res.stderr != "" {
					t.Errorf("%s: %q: exit code %d: %s", u.GetName(), args, res.code, res.stderr)
				}
			}
			if commands < 2 || configs != 1 {
				t.Errorf("%d commands and %d settings files, want 2 and 1 at least", commands, configs)
			}
		})
	}
}

// podOf is the pod that a workload makes; nil for another object.
func podOf(t *testing.T, u *unstructured.Unstructured) *corev1.Pod {
	t.Helper()
	at := []string{"spec", "template"}
	switch u.GetKind() {
	case "CronJob":
		at = []string{"spec", "jobTemplate", "spec", "template"}
	case "Job", "Deployment":
	default:
		return nil
	}
	template, ok, err := unstructured.NestedMap(u.Object, at...)
	if err != nil || !ok {
		t.Fatalf("%s %s has no template: %v", u.GetKind(), u.GetName(), err)
	}
	b, err := yaml.Marshal(template)
	if err != nil {
		t.Fatal(err)
	}
	pod := &corev1.Pod{}
	if err := yaml.UnmarshalStrict(b, pod); err != nil {
		t.Fatal(err)
	}
	pod.Name, pod.Namespace = u.GetName(), u.GetNamespace()
	return pod
}

// A real API server takes every object of the chart, with strict validation, and
// every pod in a namespace that enforces the level restricted.
func TestChartOnRealAPIServer(t *testing.T) {
	s := clustertest.Start(t, nil)
	client, err := kubernetes.NewForConfig(s.Config)
	if err != nil {
		t.Fatal(err)
	}
	objects, err := dynamic.NewForConfig(s.Config)
	if err != nil {
		t.Fatal(err)
	}
	mapper := kindsOf(t, s)
	create(t, mapper, objects, monitorKind(t))
	known := func() bool {
		_, err := client.Discovery().ServerResourcesForGroupVersion("monitoring.coreos.com/v1")
		return err == nil
	}
	for end := time.Now().Add(time.Minute); !known(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the API server does not come to know the kind ServiceMonitor")
		}
	}
	mapper = kindsOf(t, s)
	gvisor := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": map[string]any{"name": "gvisor"}, "handler": "runsc",
	}}
	create(t, mapper, objects, gvisor)
	for i, name := range []string{"default", "production", "everything"} {
		values := readValues(t, chartValues(t)[name])
		values["namespace"] = map[string]any{"create": true}
		var made []*unstructured.Unstructured
		pods := 0
		for _, u := range objectsOf(t, renderChart(t, values)) {
			made = append(made, u)
			create(t, mapper, objects, u)
			pod := podOf(t, u)
			if pod == nil {
				continue
			}
			pods++
			if _, err := client.CoreV1().Pods(pod.Namespace).Create(t.Context(), pod, metav1.CreateOptions{}); err != nil {
				t.Errorf("%s: the pod of %s %s: %v", name, u.GetKind(), u.GetName(), err)
			}
		}
		if len(made) < 14 || pods < 2 {
			t.Errorf("%s: %d objects and %d pods were made", name, len(made), pods)
		}
		if i == 0 {
			testRestrictedIsEnforced(t, client)
			testScannerSees(t, s, client)
		}
		for _, u := range made {
			remove(t, mapper, objects, u)
		}
		if err := client.CoreV1().Pods("postscan").DeleteCollection(t.Context(), metav1.DeleteOptions{GracePeriodSeconds: new(int64)}, metav1.ListOptions{}); err != nil {
			t.Fatal(err)
		}
	}
}

// kindsOf are the kinds that the API server has.
func kindsOf(t *testing.T, s *clustertest.Server) meta.RESTMapper {
	t.Helper()
	groups, err := restmapper.GetAPIGroupResources(discovery.NewDiscoveryClientForConfigOrDie(s.Config))
	if err != nil {
		t.Fatal(err)
	}
	return restmapper.NewDiscoveryRESTMapper(groups)
}

// monitorKind is the ServiceMonitor of the Prometheus Operator, as far as the chart uses it.
func monitorKind(t *testing.T) *unstructured.Unstructured {
	t.Helper()
	const text = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: servicemonitors.monitoring.coreos.com}
spec:
  group: monitoring.coreos.com
  scope: Namespaced
  names: {kind: ServiceMonitor, plural: servicemonitors, singular: servicemonitor}
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec:
              type: object
              required: [endpoints, selector]
              properties:
                selector: {type: object, properties: {matchLabels: {type: object, additionalProperties: {type: string}}}}
                endpoints:
                  type: array
                  items:
                    type: object
                    properties:
                      port: {type: string}
                      path: {type: string}
                      scheme: {type: string, enum: [http, https]}
                      interval: {type: string}
                      authorization: {type: object, properties: {credentials: {type: object, required: [key], properties: {name: {type: string}, key: {type: string}}}}}
                      tlsConfig:
                        type: object
                        properties:
                          serverName: {type: string}
                          ca: {type: object, properties: {secret: {type: object, required: [key], properties: {name: {type: string}, key: {type: string}}}}}
`
	u := &unstructured.Unstructured{}
	if err := yaml.UnmarshalStrict([]byte(text), &u.Object); err != nil {
		t.Fatal(err)
	}
	return u
}

// testRestrictedIsEnforced proves that the namespace refuses a pod at all.
func testRestrictedIsEnforced(t *testing.T, client kubernetes.Interface) {
	t.Helper()
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "careless"}, Spec: corev1.PodSpec{ServiceAccountName: "postscan-server", Containers: []corev1.Container{{Name: "a", Image: "a"}}}}
	if _, err := client.CoreV1().Pods("postscan").Create(t.Context(), pod, metav1.CreateOptions{}); err == nil || !strings.Contains(err.Error(), "restricted") {
		t.Errorf("a careless pod in the namespace of the chart: %v, want a refusal by the level restricted", err)
	}
}

// testScannerSees scans with the token of the scanner's account: the rights that
// the chart gives it show all but Secrets.
func testScannerSees(t *testing.T, s *clustertest.Server, client kubernetes.Interface) {
	t.Helper()
	token, err := client.CoreV1().ServiceAccounts("postscan").CreateToken(t.Context(), "postscan-scanner", &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	config := rest.CopyConfig(s.Config)
	config.BearerToken = token.Status.Token
	rep := clusterReport(t, exitDone, "--kubeconfig", kubeconfig(t, config))
	workloads, refused := false, false
	for i := range rep.Findings {
		workloads = workloads || rep.Findings[i].Resource.ID == "postscan/Deployment/postscan-server"
	}
	for _, g := range rep.Gaps {
		for reason := range strings.SplitSeq(strings.Join(g.Reasons, "; "), "; ") {
			if !strings.Contains(reason, "may not") {
				continue
			}
			refused = true
			if !strings.Contains(reason, "secrets") && !strings.Contains(reason, "bootstrap tokens") {
				t.Errorf("the scanner of the chart does not see: %s", reason)
			}
		}
	}
	if !workloads || !refused {
		t.Errorf("the scan saw the server: %v; it was refused Secrets: %v", workloads, refused)
	}
}

func resourceOf(t *testing.T, mapper meta.RESTMapper, objects dynamic.Interface, u *unstructured.Unstructured) dynamic.ResourceInterface {
	t.Helper()
	kind := u.GroupVersionKind()
	m, err := mapper.RESTMapping(kind.GroupKind(), kind.Version)
	if err != nil {
		t.Fatal(err)
	}
	if m.Scope.Name() == meta.RESTScopeNameNamespace {
		return objects.Resource(m.Resource).Namespace(u.GetNamespace())
	}
	return objects.Resource(m.Resource)
}

func create(t *testing.T, mapper meta.RESTMapper, objects dynamic.Interface, u *unstructured.Unstructured) {
	t.Helper()
	_, err := resourceOf(t, mapper, objects, u).Create(t.Context(), u, metav1.CreateOptions{FieldValidation: metav1.FieldValidationStrict})
	// No controller runs that would end a namespace: it is still there the next time.
	if err != nil && (u.GetKind() != "Namespace" || !strings.Contains(err.Error(), "already exists")) {
		t.Errorf("create %s %s: %v", u.GetKind(), u.GetName(), err)
	}
}

func remove(t *testing.T, mapper meta.RESTMapper, objects dynamic.Interface, u *unstructured.Unstructured) {
	t.Helper()
	if u.GetKind() == "Namespace" {
		return
	}
	background := metav1.DeletePropagationBackground
	if err := resourceOf(t, mapper, objects, u).Delete(t.Context(), u.GetName(), metav1.DeleteOptions{PropagationPolicy: &background}); err != nil {
		t.Errorf("delete %s %s: %v", u.GetKind(), u.GetName(), err)
	}
}

// plain are the manifests in docs/deploy/audit, by name: the chart rendered with
// these values over the default ones.
var plain = map[string]struct{ about, values string }{
	"scanner.yaml": {"Scans the cluster every night and uploads the report. Write the address of your server in place of postscan.example.",
		"namespace: {create: true}\nserver: {enabled: false}\nscanner: {upload: {url: 'https://postscan.example/api/v1/uploads/cluster'}}\n"},
	"server.yaml": {"The server, two of them on one PostgreSQL.",
		"namespace: {create: true}\nscanner: {enabled: false}\n"},
	"token.yaml": {"Makes one token for an operator and prints it into the log of the Job. For another role write its name; for the role upload\n# add --audit=cluster.",
		"scanner: {enabled: false}\nserver: {enabled: false}\ntoken: {enabled: true}\n"},
}

// The plain manifests and the chart's roles are what they are made of. -update
// writes them anew.
func TestPlainManifestsFollowTheChart(t *testing.T) {
	for name, p := range plain {
		values, err := loader.LoadValues(strings.NewReader(p.values))
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		b.WriteString("# " + p.about + "\n# Made of the chart in docs/deploy/chart/postscan; see docs/deploy/README.md for the Secrets that it waits for.\n")
		for _, u := range objectsOf(t, renderChart(t, values)) {
			text, err := yaml.Marshal(u.Object)
			if err != nil {
				t.Fatal(err)
			}
			b.WriteString("---\n" + string(text))
		}
		golden(t, filepath.Join(deployFolder, "audit", name), b.String())
	}
	roles, err := filepath.Glob(filepath.Join(chartFolder, "roles", "*.yaml"))
	if err != nil || len(roles) == 0 {
		t.Fatalf("%d roles in the chart: %v", len(roles), err)
	}
	for _, name := range roles {
		golden(t, name, read(t, filepath.Join(deployFolder, filepath.Base(name))))
	}
}

// golden holds a file to what it should be, or writes it with -update.
func golden(t *testing.T, name, want string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got, err := os.ReadFile(name); err != nil || string(got) != want {
		t.Errorf("%s is not what it is made of (%v); write it with: go test ./cmd/internal/cli -run %s -update", name, err, t.Name())
	}
}
