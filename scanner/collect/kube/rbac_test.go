package kube

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/postscan/postscan/scanner/facts"
)

// TestRuleForms holds the matching of rules against what the RBAC authorizer
// does (k8s.io/kubernetes/pkg/apis/rbac/v1, ResourceMatches).
func TestRuleForms(t *testing.T) {
	rule := func(verbs, groups, resources, names []string) facts.Rule {
		return facts.Rule{Verbs: verbs, APIGroups: groups, Resources: resources, ResourceNames: names}
	}
	for _, c := range []struct {
		name     string
		rule     facts.Rule
		resource string
		verbs    []string
	}{
		{"exact", rule([]string{"get"}, []string{""}, []string{"secrets"}, nil), "secrets", []string{"get"}},
		{"another group", rule([]string{"get"}, []string{"apps"}, []string{"secrets"}, nil), "secrets", nil},
		{"every group", rule([]string{"get"}, []string{"*"}, []string{"secrets"}, nil), "secrets", []string{"get"}},
		{"x does not cover x/sub", rule([]string{"*"}, []string{""}, []string{"pods"}, nil), "pods/exec", nil},
		{"* covers x/sub", rule([]string{"create"}, []string{""}, []string{"*"}, nil), "pods/exec", []string{"create"}},
		{"x/sub", rule([]string{"create"}, []string{""}, []string{"pods/exec"}, nil), "pods/exec", []string{"create"}},
		{"*/sub", rule([]string{"create"}, []string{""}, []string{"*/exec"}, nil), "pods/exec", []string{"create"}},
		{"*/sub is not x", rule([]string{"get"}, []string{""}, []string{"*/exec"}, nil), "pods", nil},
		{"x/* matches nothing", rule([]string{"*"}, []string{""}, []string{"nodes/*"}, nil), "nodes/proxy", nil},
		{"*/* matches nothing", rule([]string{"*"}, []string{"*"}, []string{"*/*"}, nil), "nodes/proxy", nil},
		{"a verb that the resource does not have", rule([]string{"delete"}, []string{""}, []string{"pods/exec"}, nil), "pods/exec", nil},
		{"every verb", rule([]string{"*"}, []string{""}, []string{"pods/exec"}, nil), "pods/exec", []string{"create", "get"}},
		{"names never grant create of a top-level object", rule([]string{"create", "update"}, []string{""}, []string{"secrets"}, []string{"a"}), "secrets", []string{"update"}},
		{"nor deletecollection", rule([]string{"deletecollection"}, []string{""}, []string{"secrets"}, []string{"a"}), "secrets", nil},
		{"a subresource's create carries the name", rule([]string{"create"}, []string{""}, []string{"serviceaccounts/token"}, []string{"a"}), "serviceaccounts/token", []string{"create"}},
		{"list with names is restricted, not nothing", rule([]string{"list"}, []string{""}, []string{"secrets"}, []string{"a"}), "secrets", []string{"list"}},
		{"escalate", rule([]string{"escalate"}, []string{"rbac.authorization.k8s.io"}, []string{"clusterroles"}, nil), "clusterroles.rbac.authorization.k8s.io", []string{"escalate"}},
		{"userextras of one key", rule([]string{"impersonate"}, []string{"authentication.k8s.io"}, []string{"userextras/scopes"}, nil), "userextras.authentication.k8s.io/*", []string{"impersonate"}},
		{"constrained impersonation", rule([]string{"impersonate:user-info"}, []string{"authentication.k8s.io"}, []string{"users"}, nil), "users.authentication.k8s.io", []string{"impersonate:user-info"}},
	} {
		var got []string
		for _, r := range rightsOf([]facts.Rule{c.rule}) {
			if r.Resource == c.resource {
				got = r.Verbs
			}
		}
		if !slices.Equal(got, c.verbs) {
			t.Errorf("%s: %v on %s, want %v", c.name, got, c.resource, c.verbs)
		}
	}
}

func identities(s *Set) map[string]*facts.Resource {
	out := map[string]*facts.Resource{}
	for r := range s.Resources() {
		if r.Kind == facts.KindIdentity {
			out[r.ID] = r
		}
	}
	return out
}

func rights(f *facts.Identity, resource string) []facts.Right {
	var out []facts.Right
	for _, r := range f.Rights {
		if r.Resource == resource {
			out = append(out, r)
		}
	}
	return out
}

func addAll(t *testing.T, s *Set) {
	t.Helper()
	for _, n := range []string{"shop", "ops", "kube-system"} {
		level := "baseline"
		if n == "ops" {
			level = "restricted"
		}
		s.Add(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: n, Labels: map[string]string{psaPrefix + "enforce": level}}}, Place{})
	}
	s.Add(decode[corev1.ServiceAccount](t, "metadata: {name: web, namespace: shop}\nautomountServiceAccountToken: false"), Place{})
	s.Add(decode[rbacv1.ClusterRole](t, "metadata: {name: reader}\nrules: [{verbs: [get, list], apiGroups: [''], resources: [secrets]}]"), Place{})
	s.Add(decode[rbacv1.Role](t, "metadata: {name: exec, namespace: shop}\nrules: [{verbs: [create], apiGroups: [''], resources: [pods/exec]}]"), Place{})
}

func TestEffectiveRights(t *testing.T) {
	s := New(Options{Live: true})
	addAll(t, s)
	for _, b := range []string{
		"metadata: {name: direct, namespace: shop}\nroleRef: {kind: ClusterRole, name: reader}\nsubjects: [{kind: ServiceAccount, name: web, namespace: shop}]",
		"metadata: {name: again, namespace: ops}\nroleRef: {kind: ClusterRole, name: reader}\nsubjects: [{kind: User, name: 'system:serviceaccount:shop:web'}]",
		"metadata: {name: group, namespace: shop}\nroleRef: {kind: Role, name: exec}\nsubjects: [{kind: Group, name: 'system:serviceaccounts:shop'}]",
		"metadata: {name: ghost, namespace: ops}\nroleRef: {kind: Role, name: gone}\nsubjects: [{kind: ServiceAccount, name: nobody, namespace: gone}]",
	} {
		s.Add(decode[rbacv1.RoleBinding](t, b), Place{})
	}
	s.Add(decode[rbacv1.ClusterRoleBinding](t, "metadata: {name: wide}\nroleRef: {kind: ClusterRole, name: reader}\nsubjects: [{kind: Group, name: 'system:authenticated'}]"), Place{})
	ids := identities(s)
	web := ids["shop/ServiceAccount/web"].Facts.(*facts.Identity)
	if web.Exists != "true" || web.Automount != "false" || web.Used != "false" || len(web.Grants) != 3 {
		t.Fatalf("web: %+v", web)
	}
	secrets := rights(web, "secrets")
	if len(secrets) != 2 {
		t.Fatalf("secrets: %+v", secrets)
	}
	own, wide := secrets[0], secrets[1]
	if own.Via != "" || own.ClusterWide || !slices.Equal(own.Namespaces, []string{"ops", "shop"}) || own.Weakest != "baseline" || own.System {
		t.Errorf("own: %+v", own)
	}
	if wide.Via != "system:authenticated" || !wide.ClusterWide || !wide.System || wide.Path != "grants[2].rules[0]" {
		t.Errorf("by group: %+v", wide)
	}
	exec := rights(web, "pods/exec")
	if len(exec) != 1 || exec[0].Via != "system:serviceaccounts:shop" || web.Grants[exec[0].Grant].Role.Name != "exec" || web.Grants[exec[0].Grant].Bindings[0].Name != "group" {
		t.Errorf("exec: %+v", exec)
	}
	ghost := ids["gone/ServiceAccount/nobody"].Facts.(*facts.Identity)
	if ghost.Exists != "false" || ghost.Grants[0].Role.Found != "false" {
		t.Errorf("ghost: %+v", ghost)
	}
	if all := ids["Group/system:authenticated"].Facts.(*facts.Identity); all.Name != "system:authenticated" || len(rights(all, "secrets")) != 1 {
		t.Errorf("group: %+v", all)
	}
}

func TestBindingsToWhatIsMissing(t *testing.T) {
	s := New(Options{Live: true})
	addAll(t, s)
	s.Add(decode[rbacv1.RoleBinding](t, "metadata: {name: b, namespace: shop}\nroleRef: {kind: Role, name: gone}\nsubjects: [{kind: ServiceAccount, name: web, namespace: shop}, {kind: ServiceAccount, name: x, namespace: shop}, {kind: ServiceAccount, name: x, namespace: nowhere}, {kind: User, name: alice}]"), Place{})
	for r := range s.Resources() {
		if r.Kind != facts.KindBinding {
			continue
		}
		f := r.Facts.(*facts.Binding)
		var found []string
		for _, sub := range f.Subjects {
			found = append(found, sub.Found)
		}
		if f.Role.Found != "false" || !slices.Equal(found, []string{"true", "false", "false", "unknown"}) || f.Subjects[1].Waits || !f.Subjects[2].Waits {
			t.Errorf("binding %+v", f)
		}
	}
}

func TestAggregatedRolesAreFilled(t *testing.T) {
	s := New(Options{})
	for _, r := range []string{
		"metadata: {name: admin-like}\naggregationRule: {clusterRoleSelectors: [{matchLabels: {to: admin}}]}",
		"metadata: {name: edit-like, labels: {to: admin}}\naggregationRule: {clusterRoleSelectors: [{matchLabels: {to: edit}}]}",
		"metadata: {name: part, labels: {to: edit, rbac.authorization.k8s.io/aggregate-to-view: 'true'}}\nrules: [{verbs: [create], apiGroups: [''], resources: [pods/exec]}]",
		"metadata: {name: loop, labels: {to: edit}}\naggregationRule: {clusterRoleSelectors: [{matchLabels: {to: edit}}]}",
	} {
		s.Add(decode[rbacv1.ClusterRole](t, r), Place{})
	}
	for r := range s.Resources() {
		f, ok := r.Facts.(*facts.Role)
		if !ok {
			continue
		}
		if len(f.Rules) == 0 || f.Rights[0].Resource != "pods/exec" {
			t.Errorf("%s: %+v", r.ID, f)
		}
		if r.ID == "ClusterRole/part" && !slices.Equal(f.AggregatesTo, []string{"edit-like", "loop", "view"}) {
			t.Errorf("aggregates to %v", f.AggregatesTo)
		}
		if r.ID == "ClusterRole/admin-like" && f.Rules[0].From != "part" {
			t.Errorf("the rule comes from %q", f.Rules[0].From)
		}
	}
}

func TestBootstrapByNameAndContent(t *testing.T) {
	role := func(text string) bool {
		s := New(Options{Live: true})
		s.Add(decode[rbacv1.ClusterRole](t, text), Place{})
		for _, r := range s.roles {
			return r.bootstrap
		}
		return false
	}
	if !role("metadata: {name: cluster-admin}\nrules: [{verbs: ['*'], apiGroups: ['*'], resources: ['*']}, {verbs: ['*'], nonResourceURLs: ['*']}]") {
		t.Error("cluster-admin as installed is not recognised")
	}
	if !role("metadata: {name: 'system:node-proxier'}\nrules: [{verbs: [list, watch], apiGroups: [''], resources: [services]}]") {
		t.Error("a role with fewer rights than the installed one is harmless")
	}
	if role("metadata: {name: 'system:node-proxier', labels: {kubernetes.io/bootstrapping: rbac-defaults}}\nrules: [{verbs: [list, watch, get], apiGroups: [''], resources: [services, secrets]}]") {
		t.Error("a role that was widened passes for the installed one, by name and label")
	}
	if role("metadata: {name: mine, labels: {kubernetes.io/bootstrapping: rbac-defaults}}\nrules: []") {
		t.Error("a label is not enough")
	}
	s := New(Options{Live: true})
	for _, b := range []string{
		"metadata: {name: cluster-admin}\nroleRef: {kind: ClusterRole, name: cluster-admin}\nsubjects: [{kind: Group, name: 'system:masters'}]",
		"metadata: {name: 'system:basic-user'}\nroleRef: {kind: ClusterRole, name: 'system:basic-user'}\nsubjects: [{kind: Group, name: 'system:authenticated'}, {kind: Group, name: 'system:unauthenticated'}]",
		"metadata: {name: 'system:discovery'}\nroleRef: {kind: ClusterRole, name: cluster-admin}\nsubjects: [{kind: Group, name: 'system:authenticated'}]",
	} {
		s.Add(decode[rbacv1.ClusterRoleBinding](t, b), Place{})
	}
	var got []bool
	for _, b := range s.bindings {
		got = append(got, b.bootstrap)
	}
	if !slices.Equal(got, []bool{true, false, false}) {
		t.Errorf("bindings recognised: %v", got)
	}
	edit := rightsOf(bootstrapRules("admin"))
	if !slices.ContainsFunc(edit, func(r facts.Right) bool { return r.Resource == "rolebindings.rbac.authorization.k8s.io" }) ||
		!slices.ContainsFunc(edit, func(r facts.Right) bool { return r.Resource == "secrets" }) {
		t.Error("admin holds neither its own rules nor those of edit")
	}
}

func TestWorkloadCarriesItsIdentitysRights(t *testing.T) {
	s := New(Options{Live: true})
	addAll(t, s)
	s.Add(decode[rbacv1.ClusterRole](t, "metadata: {name: 'system:discovery'}\nrules: [{verbs: [get], nonResourceURLs: [/api]}]"), Place{})
	s.Add(decode[rbacv1.ClusterRoleBinding](t, "metadata: {name: 'system:discovery'}\nroleRef: {kind: ClusterRole, name: 'system:discovery'}\nsubjects: [{kind: Group, name: 'system:authenticated'}]"), Place{})
	s.Add(decode[rbacv1.RoleBinding](t, "metadata: {name: b, namespace: shop}\nroleRef: {kind: Role, name: exec}\nsubjects: [{kind: ServiceAccount, name: web, namespace: shop}]"), Place{})
	s.Add(decode[corev1.Pod](t, "metadata: {name: a, namespace: shop}\nspec: {serviceAccountName: web}"), Place{})
	s.Add(decode[corev1.Pod](t, "metadata: {name: b, namespace: shop}\nspec: {serviceAccountName: web, automountServiceAccountToken: true}"), Place{})
	s.Add(decode[corev1.Pod](t, "metadata: {name: c, namespace: shop}"), Place{})
	got := workloads(s)
	type want struct {
		automount bool
		from      string
		bound     bool
		grants    int
	}
	for id, w := range map[string]want{"a": {false, "service_account", true, 1}, "b": {true, "pod", true, 1}, "c": {true, "default", false, 0}} {
		i := got["shop/Pod/"+id].Facts.(*facts.Workload).Identity
		if g := (want{i.Automount, i.AutomountFrom, i.Bound, len(i.Grants)}); g != w {
			t.Errorf("%s: %+v, want %+v", id, g, w)
		}
	}
}
