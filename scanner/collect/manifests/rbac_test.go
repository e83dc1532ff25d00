package manifests_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/postscan/postscan/checks"
	"github.com/postscan/postscan/scanner/collect/kube"
	"github.com/postscan/postscan/scanner/collect/manifests"
	"github.com/postscan/postscan/scanner/facts"
	"github.com/postscan/postscan/scanner/regoeval"
)

// The checks of RBAC over a small folder: exactly these findings at exactly
// these lines. The file harmless.yaml has none, and system.yaml has what comes
// with a cluster, which is told as info, beside a role that only has the name.
func TestRBACChecksOverManifests(t *testing.T) {
	g := collect(t, manifests.Options{Paths: []string{filepath.Join("testdata", "rbac")}})
	findings, gaps := judge(t, g, "PS-RBAC-*")
	want := []string{
		"PS-RBAC-001 high Group/admins found.yaml:37 ClusterRole/cluster-admin",
		"PS-RBAC-002 high User/root found.yaml:59 shop/Role/root",
		"PS-RBAC-003 high User/wild found.yaml:47 shop/Role/wild",
		"PS-RBAC-003 info kube-system/ServiceAccount/namespace-controller system.yaml:6 ClusterRole/system:controller:namespace-controller",
		"PS-RBAC-003 low ClusterRole/unbound found.yaml:370",
		"PS-RBAC-004 high Group/admins found.yaml:37 ClusterRole/cluster-admin",
		"PS-RBAC-004 high kube-system/ServiceAccount/ttl-controller system.yaml:20 ClusterRole/system:controller:ttl-controller",
		"PS-RBAC-004 high shop/ServiceAccount/operator found.yaml:29 ClusterRole/operator",
		"PS-RBAC-004 info kube-system/ServiceAccount/namespace-controller system.yaml:6 ClusterRole/system:controller:namespace-controller",
		"PS-RBAC-005 high User/forger found.yaml:216 shop/Role/forger",
		"PS-RBAC-005 high User/root found.yaml:59 shop/Role/root",
		"PS-RBAC-005 high User/secrets found.yaml:71 shop/Role/secrets",
		"PS-RBAC-006 critical Group/admins found.yaml:37 ClusterRole/cluster-admin",
		"PS-RBAC-006 critical User/opener found.yaml:95 open/Role/opener",
		"PS-RBAC-006 high User/deployer found.yaml:83 shop/Role/deployer",
		"PS-RBAC-006 high User/root found.yaml:59 shop/Role/root",
		"PS-RBAC-007 high Group/admins found.yaml:37 ClusterRole/cluster-admin",
		"PS-RBAC-007 high Group/system:serviceaccounts:shop found.yaml:107 shop/Role/exec",
		"PS-RBAC-007 high User/exec found.yaml:107 shop/Role/exec",
		"PS-RBAC-007 high User/root found.yaml:59 shop/Role/root",
		"PS-RBAC-007 info kube-system/ServiceAccount/namespace-controller system.yaml:6 ClusterRole/system:controller:namespace-controller",
		"PS-RBAC-008 high Group/admins found.yaml:37 ClusterRole/cluster-admin",
		"PS-RBAC-008 high User/debug found.yaml:119 shop/Role/debug",
		"PS-RBAC-008 high User/root found.yaml:59 shop/Role/root",
		"PS-RBAC-009 info kube-system/ServiceAccount/namespace-controller system.yaml:6 ClusterRole/system:controller:namespace-controller",
		"PS-RBAC-009 medium Group/admins found.yaml:37 ClusterRole/cluster-admin",
		"PS-RBAC-009 medium User/forward found.yaml:131 shop/Role/forward",
		"PS-RBAC-009 medium User/root found.yaml:59 shop/Role/root",
		"PS-RBAC-010 critical Group/admins found.yaml:37 ClusterRole/cluster-admin",
		"PS-RBAC-010 critical User/kubelet found.yaml:143 ClusterRole/kubelet",
		"PS-RBAC-010 info kube-system/ServiceAccount/namespace-controller system.yaml:6 ClusterRole/system:controller:namespace-controller",
		"PS-RBAC-011 critical Group/admins found.yaml:37 ClusterRole/cluster-admin",
		"PS-RBAC-011 critical User/escalate found.yaml:155 ClusterRole/escalate",
		"PS-RBAC-011 high User/root found.yaml:59 shop/Role/root",
		"PS-RBAC-012 critical Group/admins found.yaml:37 ClusterRole/cluster-admin",
		"PS-RBAC-012 high User/bind found.yaml:167 shop/Role/bind",
		"PS-RBAC-012 high User/root found.yaml:59 shop/Role/root",
		"PS-RBAC-013 info kube-system/ServiceAccount/namespace-controller system.yaml:6 ClusterRole/system:controller:namespace-controller",
		"PS-RBAC-013 medium User/granter found.yaml:180 shop/Role/granter",
		"PS-RBAC-014 critical Group/admins found.yaml:37 ClusterRole/cluster-admin",
		"PS-RBAC-014 critical User/actor found.yaml:192 ClusterRole/actor",
		"PS-RBAC-014 critical User/root found.yaml:59 shop/Role/root",
		"PS-RBAC-015 critical Group/admins found.yaml:37 ClusterRole/cluster-admin",
		"PS-RBAC-015 high User/minter found.yaml:204 shop/Role/minter",
		"PS-RBAC-015 high User/root found.yaml:59 shop/Role/root",
		"PS-RBAC-016 high Group/admins found.yaml:37 ClusterRole/cluster-admin",
		"PS-RBAC-016 high User/forger found.yaml:216 shop/Role/forger",
		"PS-RBAC-016 high User/root found.yaml:59 shop/Role/root",
		"PS-RBAC-017 critical Group/admins found.yaml:37 ClusterRole/cluster-admin",
		"PS-RBAC-017 critical User/signer found.yaml:229 ClusterRole/signer",
		"PS-RBAC-018 critical Group/admins found.yaml:37 ClusterRole/cluster-admin",
		"PS-RBAC-018 critical User/admission found.yaml:243 ClusterRole/admission",
		"PS-RBAC-018 info kube-system/ServiceAccount/namespace-controller system.yaml:6 ClusterRole/system:controller:namespace-controller",
		"PS-RBAC-019 high Group/admins found.yaml:37 ClusterRole/cluster-admin",
		"PS-RBAC-019 high User/volumes found.yaml:255 ClusterRole/volumes",
		"PS-RBAC-020 info kube-system/ServiceAccount/namespace-controller system.yaml:6 ClusterRole/system:controller:namespace-controller",
		"PS-RBAC-020 medium Group/admins found.yaml:37 ClusterRole/cluster-admin",
		"PS-RBAC-020 medium User/nodes found.yaml:267 ClusterRole/nodes",
		"PS-RBAC-020 medium User/root found.yaml:59 shop/Role/root",
		"PS-RBAC-021 high Group/admins found.yaml:37 ClusterRole/cluster-admin",
		"PS-RBAC-021 high User/labels found.yaml:279 ClusterRole/labels",
		"PS-RBAC-021 high User/root found.yaml:59 shop/Role/root",
		"PS-RBAC-022 high shop/ServiceAccount/default found.yaml:293 shop/Role/reader",
		"PS-RBAC-023 critical Group/system:unauthenticated found.yaml:299 shop/Role/reader",
		"PS-RBAC-024 high Group/system:authenticated found.yaml:305 shop/Role/reader",
		"PS-RBAC-025 high Group/system:serviceaccounts:shop found.yaml:107 shop/Role/exec",
		"PS-RBAC-026 high Group/system:masters found.yaml:317 shop/Role/reader",
		"PS-RBAC-027 high Group/admins found.yaml:37 ClusterRole/cluster-admin",
		"PS-RBAC-027 high User/dns found.yaml:327 kube-system/Role/dns",
		"PS-RBAC-028 info kube-system/ServiceAccount/namespace-controller system.yaml:6 ClusterRole/system:controller:namespace-controller",
		"PS-RBAC-028 medium Group/admins found.yaml:37 ClusterRole/cluster-admin",
		"PS-RBAC-028 medium User/eraser found.yaml:339 shop/Role/eraser",
		"PS-RBAC-028 medium User/root found.yaml:59 shop/Role/root",
		"PS-RBAC-029 medium Group/admins found.yaml:37 ClusterRole/cluster-admin",
		"PS-RBAC-029 medium User/root found.yaml:59 shop/Role/root",
		"PS-RBAC-029 medium shop/ServiceAccount/net found.yaml:351 shop/Role/net",
		"PS-RBAC-031 high shop/Deployment/operator found.yaml:22 ClusterRole/operator",
		"PS-RBAC-031 high shop/Deployment/operator found.yaml:22 shop/Role/exec",
		"PS-RBAC-032 medium ClusterRole/widens found.yaml:364 view secrets",
	}
	if !slices.Equal(findings, want) {
		t.Errorf("findings\n%s\nwant\n%s", strings.Join(findings, "\n"), strings.Join(want, "\n"))
	}
	const elsewhere = "these files do not hold it, the cluster may; scan the cluster"
	for _, binding := range []string{"ClusterRoleBinding/operator", "shop/RoleBinding/net"} {
		gap := "PS-RBAC-030 not_assessed " + binding + ": " + elsewhere
		if missing := binding != "ClusterRoleBinding/operator"; slices.Contains(gaps, gap) != missing {
			t.Errorf("the account of %s is not in the files: %v, gaps\n%s", binding, missing, strings.Join(gaps, "\n"))
		}
	}
	for _, gap := range gaps {
		if !strings.Contains(gap, "not_assessed") || !strings.Contains(gap, "scan the cluster") {
			t.Errorf("files leave something to the cluster, and say so: %s", gap)
		}
	}
}

// BenchmarkRBAC judges 2,000 service accounts, each with a Role and a RoleBinding
// of its own in one of 100 namespaces, by all checks of RBAC. Every tenth may do
// something that is found. It reports microseconds for an account.
func BenchmarkRBAC(b *testing.B) {
	const accounts = 2000
	set := kube.New(kube.Options{Live: true, Minor: 36})
	for i := range accounts {
		ns, n := fmt.Sprintf("team-%d", i%100), fmt.Sprintf("app-%d", i)
		meta := metav1.ObjectMeta{Name: n, Namespace: ns}
		set.Add(&corev1.ServiceAccount{ObjectMeta: meta}, kube.Place{})
		rules := []rbacv1.PolicyRule{
			{Verbs: []string{"get", "list", "watch"}, APIGroups: []string{""}, Resources: []string{"configmaps", "pods", "services"}},
			{Verbs: []string{"get"}, APIGroups: []string{""}, Resources: []string{"secrets"}, ResourceNames: []string{n}},
		}
		if i%10 == 0 {
			rules = append(rules, rbacv1.PolicyRule{Verbs: []string{"create"}, APIGroups: []string{"apps"}, Resources: []string{"deployments"}})
		}
		set.Add(&rbacv1.Role{ObjectMeta: meta, Rules: rules}, kube.Place{})
		set.Add(&rbacv1.RoleBinding{
			ObjectMeta: meta, RoleRef: rbacv1.RoleRef{Kind: "Role", Name: n}, Subjects: []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: ns, Name: n}},
		}, kube.Place{})
	}
	var resources []*facts.Resource
	for r := range set.Resources() {
		resources = append(resources, r)
	}
	catalogue, err := checks.Load(checks.BuiltIn())
	if err != nil {
		b.Fatal(err)
	}
	selected, err := catalogue.Select([]string{"PS-RBAC-*"}, nil)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		e, err := regoeval.New(b.Context(), catalogue, selected, regoeval.Options{Now: time.Unix(2e9, 0)})
		if err != nil {
			b.Fatal(err)
		}
		found := 0
		for _, r := range resources {
			outcomes, err := e.Evaluate(b.Context(), r)
			if err != nil {
				b.Fatal(err)
			}
			for _, o := range outcomes {
				found += len(o.Violations)
			}
		}
		if found != accounts/10 {
			b.Fatalf("%d findings, want one for every tenth account", found)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/accounts, "µs/account")
}
