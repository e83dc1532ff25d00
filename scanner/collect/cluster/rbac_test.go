package cluster_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/postscan/postscan/checks"
	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/collect/cluster"
	"github.com/postscan/postscan/scanner/collect/cluster/clustertest"
	"github.com/postscan/postscan/scanner/facts"
	"github.com/postscan/postscan/scanner/regoeval"
)

// rbacFindings evaluates the checks of RBAC over all that was gathered. It gives the
// outcome's findings as "CHECK severity resource key".
func rbacFindings(t *testing.T, g *gathered) []string {
	t.Helper()
	catalogue, err := checks.Load(checks.BuiltIn())
	if err != nil {
		t.Fatal(err)
	}
	selected, err := catalogue.Select([]string{"PS-RBAC-*"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	e, err := regoeval.New(t.Context(), catalogue, selected, regoeval.Options{Now: time.Unix(2e9, 0)})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, id := range slices.Sorted(maps.Keys(g.resources)) {
		r := g.resources[id]
		outcomes, err := e.Evaluate(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range outcomes {
			if o.Status == scanner.Unknown {
				t.Errorf("%s of %s is unknown: %v", o.Rule.ID, id, o.Reasons)
			}
			for _, v := range o.Violations {
				out = append(out, fmt.Sprintf("%s %s %s %s", o.Rule.ID, v.Severity, id, v.Key))
				value, _ := v.Value.(map[string]any)
				system, _ := value["system"].(bool)
				if (v.Severity == scanner.SeverityInfo) != system || system && !strings.HasPrefix(v.Message, "system: ") {
					t.Errorf("%s of %s is told as %s with system %v: %s", o.Rule.ID, id, v.Severity, system, v.Message)
				}
			}
		}
	}
	slices.Sort(out)
	return out
}

// TestRBACOnRealCluster: what a real API server installs is told apart, all of it,
// and what people add to it is not.
func TestRBACOnRealCluster(t *testing.T) {
	s := clustertest.Start(t, nil)
	apply(t, s.Config, `
apiVersion: v1
kind: Namespace
metadata: {name: rbac}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: web, namespace: rbac}
`)
	fresh := rbacFindings(t, collect(t, s.Config, "", cluster.Options{}))
	if len(fresh) < 50 {
		t.Errorf("only %d findings of what Kubernetes installs: it must not be hidden", len(fresh))
	}
	for _, f := range fresh {
		if !strings.Contains(f, " info ") {
			t.Errorf("a fresh cluster has %s", f)
		}
	}
	const group = "apiGroup: rbac.authorization.k8s.io"
	apply(t, s.Config, strings.ReplaceAll(`
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: ours}
roleRef: {GROUP, kind: ClusterRole, name: cluster-admin}
subjects: [{GROUP, kind: User, name: alice}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: lost, namespace: rbac}
roleRef: {GROUP, kind: Role, name: lost}
subjects: [{kind: ServiceAccount, name: web, namespace: rbac}, {kind: ServiceAccount, name: lost, namespace: rbac}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: editors, namespace: rbac}
roleRef: {GROUP, kind: ClusterRole, name: view}
subjects: [{kind: ServiceAccount, name: web, namespace: rbac}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: widens, labels: {rbac.authorization.k8s.io/aggregate-to-view: "true"}}
rules: [{verbs: [list], apiGroups: [""], resources: [secrets]}]
`, "GROUP", group))
	// The controller that aggregates is no part of this server: view is filled as it would, the widened part included.
	g := collect(t, s.Config, "", cluster.Options{})
	var ours []string
	for _, f := range rbacFindings(t, g) {
		if !strings.Contains(f, " info ") && !strings.Contains(f, "User/alice") {
			ours = append(ours, f)
		}
	}
	want := []string{
		"PS-RBAC-005 medium rbac/ServiceAccount/web ClusterRole/view",
		"PS-RBAC-030 low rbac/RoleBinding/lost rbac/lost",
		"PS-RBAC-030 low rbac/RoleBinding/lost role",
		"PS-RBAC-032 medium ClusterRole/widens view secrets",
	}
	if !slices.Equal(ours, want) {
		t.Errorf("findings\n%s\nwant\n%s", strings.Join(ours, "\n"), strings.Join(want, "\n"))
	}
	alice := g.resources["User/alice"].Facts.(*facts.Identity)
	if alice.System != "" || alice.Grants[0].Bootstrap || !alice.Grants[0].Role.Bootstrap || alice.Cluster.Minor == 0 {
		t.Errorf("alice: %+v", alice)
	}
	all := strings.Join(rbacFindings(t, g), "\n")
	for _, f := range []string{"PS-RBAC-001 high User/alice ClusterRole/cluster-admin", "PS-RBAC-001 info Group/system:masters ClusterRole/cluster-admin"} {
		if !strings.Contains(all, f) {
			t.Errorf("no %s in\n%s", f, all)
		}
	}
}
