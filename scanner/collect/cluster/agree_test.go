package cluster_test

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/yaml"

	"github.com/postscan/postscan/scanner/collect/cluster"
	"github.com/postscan/postscan/scanner/collect/cluster/clustertest"
	"github.com/postscan/postscan/scanner/collect/manifests"
	"github.com/postscan/postscan/scanner/facts"
)

// testManifestsAgree applies Pod Security's own test pods of the newest version
// to the real server, and holds what the two collectors say of each against one
// another.
func testManifestsAgree(t *testing.T, s *clustertest.Server) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "k8s.io/pod-security-admission").Output()
	if err != nil {
		t.Fatal(err)
	}
	root := filepath.Join(strings.TrimSpace(string(out)), "test", "testdata")
	client, err := kubernetes.NewForConfig(s.Config)
	if err != nil {
		t.Fatal(err)
	}
	apply(t, s.Config, "apiVersion: v1\nkind: Namespace\nmetadata: {name: fixtures}\n---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: default, namespace: fixtures}")
	dir := t.TempDir()
	applied, refused := 0, 0
	for _, level := range []string{"baseline", "restricted"} {
		for _, verdict := range []string{"pass", "fail"} {
			files, err := filepath.Glob(filepath.Join(root, level, "v1.37", verdict, "*.yaml"))
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range files {
				data, err := os.ReadFile(f)
				if err != nil {
					t.Fatal(err)
				}
				var p corev1.Pod
				if err := yaml.Unmarshal(data, &p); err != nil {
					t.Fatal(err)
				}
				p.Namespace, p.Name = "fixtures", level+"-"+verdict+"-"+strings.ReplaceAll(p.Name, "_", "-")
				if _, err := client.CoreV1().Pods("fixtures").Create(t.Context(), &p, metav1.CreateOptions{}); err != nil {
					t.Logf("%s: %v", p.Name, err)
					refused++ // a fixture that validation refuses, such as a Windows pod with Linux options
					continue
				}
				applied++
				text, err := yaml.Marshal(map[string]any{"apiVersion": "v1", "kind": "Pod", "metadata": p.ObjectMeta, "spec": p.Spec})
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(dir, p.Name+".yaml"), text, 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	if applied < 100 || refused > applied/5 {
		t.Fatalf("%d fixtures were applied, %d refused", applied, refused)
	}
	live := collect(t, s.Config, "fixtures", cluster.Options{NoAnonymous: true})
	file := &gathered{resources: map[string]*facts.Resource{}}
	if err := manifests.New(manifests.Options{Paths: []string{dir}, Minor: 37}).Collect(context.Background(), file); err != nil {
		t.Fatal(err)
	}
	compared := 0
	for id, want := range file.resources {
		if want.Kind != facts.KindWorkload {
			continue
		}
		got := live.resources[id]
		if got == nil {
			t.Errorf("%s is not in the cluster's facts", id)
			continue
		}
		compared++
		a, b := declared(t, want.Facts.(*facts.Workload)), declared(t, got.Facts.(*facts.Workload))
		if a != b {
			t.Errorf("%s\nfile    %s\ncluster %s", id, a, b)
		}
	}
	if compared != applied {
		t.Errorf("%d of %d pods compared", compared, applied)
	}
	if decided := sameOutcomes(t, file, live); len(decided) < 30 {
		t.Errorf("%d checks were decided by both", len(decided))
	}
}

// declared is the part of a workload's facts that its own object decides. The
// API server copies AppArmor's old annotations into fields and back, so those are
// compared by what they come to, which is in the effective settings.
func declared(t *testing.T, f *facts.Workload) string {
	t.Helper()
	c := *f
	c.Live, c.Running, c.Component = false, false, ""
	c.Cluster, c.Namespace, c.Nodes, c.Network = facts.ClusterSummary{}, facts.NamespaceView{}, facts.NodesView{}, facts.WorkloadNetwork{}
	c.Identity, c.RuntimeClass, c.Exposures = facts.WorkloadIdentity{}, facts.RuntimeClass{}, nil
	c.AppArmorNotes, c.SeccompNotes = nil, nil
	c.Placement = facts.Placement{}
	c.SecurityContext.AppArmor = ""
	c.Containers = slices.Clone(c.Containers)
	for i := range c.Containers {
		c.Containers[i].SecurityContext.AppArmor = ""
	}
	b, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
