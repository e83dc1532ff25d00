package manifests_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/postscan/postscan/checks"
	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/collect/kube"
	"github.com/postscan/postscan/scanner/collect/manifests"
	"github.com/postscan/postscan/scanner/facts"
	"github.com/postscan/postscan/scanner/regoeval"
)

// judge evaluates the selected checks over everything that was gathered and
// gives a line for each finding, "CHECK severity resource file:line key", and one for
// each outcome that is neither a finding, a pass nor not applicable.
func judge(t *testing.T, g *gathered, pattern string) (findings, gaps []string) {
	t.Helper()
	catalogue, err := checks.Load(checks.BuiltIn())
	if err != nil {
		t.Fatal(err)
	}
	selected, err := catalogue.Select([]string{pattern}, nil)
	if err != nil {
		t.Fatal(err)
	}
	e, err := regoeval.New(t.Context(), catalogue, selected, regoeval.Options{Now: time.Unix(2e9, 0)})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range g.resources {
		outcomes, err := e.Evaluate(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range outcomes {
			for _, v := range o.Violations {
				at := r.Place(v.Path).Origin
				findings = append(findings, strings.TrimSpace(fmt.Sprintf("%s %s %s %s:%d %s", o.Rule.ID, v.Severity, r.ID, filepath.Base(at.File), at.Line, v.Key)))
			}
			if o.Status == scanner.NotAssessed || o.Status == scanner.Unknown {
				gaps = append(gaps, fmt.Sprintf("%s %s %s: %s", o.Rule.ID, o.Status, r.ID, strings.Join(o.Reasons, "; ")))
			}
		}
	}
	slices.Sort(findings)
	slices.Sort(gaps)
	return findings, gaps
}

// The checks of networks and namespaces over a small folder: exactly these
// findings, at exactly these lines, and exactly these gaps.
func TestNetworkChecksOverManifests(t *testing.T) {
	g := collect(t, manifests.Options{
		Paths: []string{filepath.Join("testdata", "network")},
		Detect: func(in kube.DetectInput) []kube.Detection {
			if in.Where == "file" && strings.Contains(in.Value, "EXAMPLE-CREDENTIAL") {
				return []kube.Detection{{Rule: "example", Title: "Example", Severity: "high", Line: 2, Length: 18}}
			}
			return nil
		},
	})
	findings, gaps := judge(t, g, "PS-NET-*")
	want := []string{
		"PS-NET-001 info kube-system/Pod/tool rest.yaml:10 host-network",
		"PS-NET-003 medium shop/Deployment/worker shop.yaml:55",
		"PS-NET-004 info shop/NetworkPolicy/web shop.yaml:26 ingress TCP/8080",
		"PS-NET-004 medium shop/NetworkPolicy/web shop.yaml:25 ingress every pod of the cluster",
		"PS-NET-004 medium shop/NetworkPolicy/web shop.yaml:33 egress all of IPv4 or IPv6 on every port",
		"PS-NET-007 high shop/Service/web shop.yaml:67 load-balancer",
		"PS-NET-009 medium legacy/Gateway/edge rest.yaml:53 HTTP",
		"PS-NET-010 high shop/Ingress/web shop.yaml:98 Grafana",
		"PS-NET-010 high shop/Service/web shop.yaml:65 Grafana",
		"PS-NET-011 high shop/Ingress/web shop.yaml:96 nginx.ingress.kubernetes.io/configuration-snippet",
		"PS-NET-012 medium shop/Service/metadata shop.yaml:87 169-254-169-254.nip.io",
		"PS-NET-014 high Namespace/legacy rest.yaml:3",
		"PS-NET-015 medium Namespace/shop shop.yaml:8 pod-security.kubernetes.io/warn",
		"PS-NET-018 low default/Pod/stray rest.yaml:16",
		"PS-NET-019 medium kube-system/Pod/tool rest.yaml:8",
		"PS-NET-020 high legacy/ConfigMap/app rest.yaml:32 aws.properties example",
		"PS-NET-022 medium ClusterPolicy/baseline rest.yaml:40 action",
		"PS-NET-025 low shop/HTTPRoute/all rest.yaml:61 host",
		"PS-NET-025 low shop/Ingress/web shop.yaml:109 host *.example.com",
		"PS-NET-025 low shop/Ingress/web shop.yaml:99 default-backend",
	}
	if !slices.Equal(findings, want) {
		t.Errorf("findings\n%s\nwant\n%s", strings.Join(findings, "\n"), strings.Join(want, "\n"))
	}
	const policies, live = "the files hold no network policy for its namespace; add them, or scan the cluster", "needs a live cluster; scan it with postscan cluster"
	const none, unnamed = "the files hold none for it; add it, or scan the cluster", "the manifest names no namespace; name it, or say with --namespace where it goes"
	var wantGaps []string
	add := func(check, reason string, ids ...string) {
		for _, id := range ids {
			wantGaps = append(wantGaps, check+" not_assessed "+id+": "+reason)
		}
	}
	pods := []string{"default/Pod/nowhere", "default/Pod/stray"}
	others := append(slices.Clone(pods), "kube-system/Pod/tool")
	add("PS-NET-001", policies, pods...)
	add("PS-NET-002", "the files hold no network policy for it; add them, or scan the cluster", "Namespace/legacy")
	add("PS-NET-003", policies, pods...)
	add("PS-NET-006", live, "kube-system/Pod/tool", "shop/Deployment/web", "shop/Deployment/worker")
	add("PS-NET-006", policies+"; "+live, pods...)
	add("PS-NET-016", live+"; the files hold no Namespace object for it; add the namespace's manifest, or scan the cluster", others...)
	add("PS-NET-016", live, "shop/Deployment/web", "shop/Deployment/worker")
	add("PS-NET-017", none, "Namespace/legacy", "Namespace/shop")
	add("PS-NET-018", unnamed, "default/Pod/nowhere")
	add("PS-NET-019", unnamed, "default/Pod/nowhere")
	for _, check := range []string{"PS-NET-005", "PS-NET-013", "PS-NET-015", "PS-NET-023"} {
		add(check, live, "cluster")
	}
	add("PS-NET-021", live, "(nodes of the cluster)")
	slices.Sort(wantGaps)
	if !slices.Equal(gaps, wantGaps) {
		t.Errorf("gaps\n%s\nwant\n%s", strings.Join(gaps, "\n"), strings.Join(wantGaps, "\n"))
	}
}

// What is asked of a cluster or of its nodes is not assessed for files, each check
// with the reason; none of it is left out, passed or not applicable.
func TestChecksOfTheClusterOverManifests(t *testing.T) {
	const live = "needs a live cluster; scan it with postscan cluster"
	catalogue, err := checks.Load(checks.BuiltIn())
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, c := range catalogue.All() {
		for _, one := range c.Policies() {
			switch one.Subject {
			case facts.KindCluster:
				want = append(want, c.ID+" not_assessed cluster: "+live)
			case facts.KindNode:
				want = append(want, c.ID+" not_assessed (nodes of the cluster): "+live)
			}
		}
	}
	slices.Sort(want)
	g := collect(t, manifests.Options{Paths: []string{"-"}, Stdin: strings.NewReader("apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a, image: a}]}\n")})
	for id := range g.resources {
		if id != "cluster" && id != "(nodes of the cluster)" {
			delete(g.resources, id)
		}
	}
	findings, gaps := judge(t, g, "*")
	if len(want) < 40 || len(findings) > 0 || !slices.Equal(gaps, want) {
		t.Errorf("findings %q, gaps\n%s\nwant\n%s", findings, strings.Join(gaps, "\n"), strings.Join(want, "\n"))
	}
}

// A namespace that is given, a version and the objects beside close the gaps.
func TestNetworkChecksOverWholeManifests(t *testing.T) {
	g := collect(t, manifests.Options{
		Paths: []string{filepath.Join("testdata", "network")}, Namespace: "shop", Minor: 37,
	})
	findings, gaps := judge(t, g, "PS-NET-015")
	if want := []string{
		"PS-NET-015 medium Namespace/shop shop.yaml:7 version", "PS-NET-015 medium Namespace/shop shop.yaml:8 pod-security.kubernetes.io/warn",
	}; !slices.Equal(findings, want) || len(gaps) != 1 || !strings.HasPrefix(gaps[0], "PS-NET-015 not_assessed cluster: ") {
		t.Errorf("findings %q, gaps %q", findings, gaps)
	}
	findings, gaps = judge(t, g, "PS-NET-018")
	if want := []string{"PS-NET-018 low default/Pod/stray rest.yaml:16"}; !slices.Equal(findings, want) || len(gaps) > 0 {
		t.Errorf("findings %q, gaps %q", findings, gaps)
	}
}

// A runtime class that the files do not hold, or whose handler only nodes can
// list, is not assessed; what the pod itself voids is a finding all the same.
func TestRuntimeClassOfManifests(t *testing.T) {
	g := collect(t, manifests.Options{Paths: []string{"-"}, Stdin: strings.NewReader(`apiVersion: v1
kind: Pod
metadata: {name: a, namespace: shop}
spec: {runtimeClassName: gvisor, containers: [{name: a, image: a}]}
---
apiVersion: v1
kind: Pod
metadata: {name: b, namespace: shop}
spec: {runtimeClassName: gvisor, hostPID: true, containers: [{name: a, image: a}]}
---
apiVersion: v1
kind: Pod
metadata: {name: c, namespace: shop}
spec: {runtimeClassName: kata, containers: [{name: a, image: a}]}
---
apiVersion: node.k8s.io/v1
kind: RuntimeClass
metadata: {name: kata}
handler: kata
`)})
	findings, gaps := judge(t, g, "PS-K8S-045")
	if want := []string{"PS-K8S-045 medium shop/Pod/b stdin:9 hostPID"}; !slices.Equal(findings, want) {
		t.Errorf("findings %q, want %q", findings, want)
	}
	want := []string{
		"PS-K8S-045 not_assessed shop/Pod/a: the files do not hold the RuntimeClass; add it, or scan the cluster",
		"PS-K8S-045 not_assessed shop/Pod/c: needs a live cluster; scan it with postscan cluster", // whether a node has the handler
	}
	if !slices.Equal(gaps, want) {
		t.Errorf("gaps %q, want %q", gaps, want)
	}
}
