package kube

import (
	"maps"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/postscan/postscan/scanner/facts"
)

// bindAll adds one role with the rules and binds it to the user alice: in the
// namespaces, or in the whole cluster where there is none.
func bindAll(t *testing.T, s *Set, rules string, namespaces ...string) {
	t.Helper()
	s.Add(decode[rbacv1.ClusterRole](t, "metadata: {name: r}\nrules: "+rules), Place{})
	const rest = "\nroleRef: {kind: ClusterRole, name: r}\nsubjects: [{kind: User, name: alice}]"
	for _, n := range namespaces {
		s.Add(decode[rbacv1.RoleBinding](t, "metadata: {name: b, namespace: "+n+"}"+rest), Place{})
	}
	if len(namespaces) == 0 {
		s.Add(decode[rbacv1.ClusterRoleBinding](t, "metadata: {name: b}"+rest), Place{})
	}
}

func alice(t *testing.T, s *Set) (*facts.Identity, *facts.Resource) {
	t.Helper()
	r := identities(s)["User/alice"]
	if r == nil {
		t.Fatal("no identity of alice")
	}
	return r.Facts.(*facts.Identity), r
}

// TestRoleBindingsStayInTheirNamespace: what is in no namespace cannot be
// granted by a RoleBinding, with the exceptions that the API server makes.
func TestRoleBindingsStayInTheirNamespace(t *testing.T) {
	const everything = "[{verbs: ['*'], apiGroups: ['*'], resources: ['*']}]"
	s := New(Options{Live: true})
	bindAll(t, s, everything)
	wide, _ := alice(t, s)
	s = New(Options{Live: true})
	bindAll(t, s, everything, "shop")
	narrow, _ := alice(t, s)
	verbs := func(f *facts.Identity, resource string) string {
		for _, r := range rights(f, resource) {
			return strings.Join(r.Verbs, " ")
		}
		return ""
	}
	for resource, want := range map[string]string{
		"nodes": "", "nodes/proxy": "", "nodes/status": "", "persistentvolumes": "", "users": "", "groups": "",
		"users.authentication.k8s.io": "", "userextras.authentication.k8s.io/*": "",
		"clusterrolebindings.rbac.authorization.k8s.io": "", "certificatesigningrequests.certificates.k8s.io/approval": "",
		"signers.certificates.k8s.io": "", "mutatingwebhookconfigurations.admissionregistration.k8s.io": "",
		"clusterroles.rbac.authorization.k8s.io":           "bind",
		"namespaces":                                       "delete patch update",
		"securitycontextconstraints.security.openshift.io": "use",
		"roles.rbac.authorization.k8s.io":                  "bind create delete deletecollection escalate patch update",
		"secrets":                                          "create delete deletecollection get list patch update watch",
		"serviceaccounts/token":                            "create",
		"pods/exec":                                        "create get",
		"serviceaccounts.authentication.k8s.io":            verbs(wide, "serviceaccounts.authentication.k8s.io"),
		"deployments.apps":                                 verbs(wide, "deployments.apps"),
	} {
		if got := verbs(narrow, resource); got != want {
			t.Errorf("a RoleBinding gives %q on %s, want %q", got, resource, want)
		}
		if verbs(wide, resource) == "" {
			t.Errorf("a ClusterRoleBinding gives nothing on %s", resource)
		}
	}
}

func TestScopeOfRights(t *testing.T) {
	s := New(Options{Live: true})
	addAll(t, s)
	bindAll(t, s, "[{verbs: [create], apiGroups: [''], resources: [pods]}]", "shop", "ops", "kube-system")
	f, _ := alice(t, s)
	got := rights(f, "pods")
	if len(got) != 1 || !got[0].System || got[0].Weakest != "baseline" || !slices.Equal(got[0].Namespaces, []string{"kube-system", "ops", "shop"}) {
		t.Errorf("%+v", got)
	}
	if g := f.Grants[0]; g.Bootstrap || g.Role.Bootstrap || g.Role.Found != "true" || len(g.Bindings) != 3 {
		t.Errorf("%+v", g)
	}
}

// TestTokenSecretsOfPowerfulAccounts: a Secret with the token of an account that
// has takeover rights is told where its namespace is in reach.
func TestTokenSecretsOfPowerfulAccounts(t *testing.T) {
	build := func(o Options, secret bool) *Set {
		s := New(o)
		addAll(t, s)
		s.Add(decode[corev1.ServiceAccount](t, "metadata: {name: root, namespace: ops}"), Place{})
		s.Add(decode[rbacv1.ClusterRoleBinding](t, "metadata: {name: root}\nroleRef: {kind: ClusterRole, name: reader}\nsubjects: [{kind: ServiceAccount, name: root, namespace: ops}]"), Place{})
		if secret {
			s.Add(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "t", Namespace: "ops", Annotations: map[string]string{corev1.ServiceAccountNameKey: "root"}}, Type: corev1.SecretTypeServiceAccountToken}, Place{})
		}
		bindAll(t, s, "[{verbs: [get], apiGroups: [''], resources: [secrets]}]", "shop")
		s.Add(decode[rbacv1.RoleBinding](t, "metadata: {name: bob, namespace: ops}\nroleRef: {kind: ClusterRole, name: r}\nsubjects: [{kind: User, name: bob}]"), Place{})
		return s
	}
	token := func(s *Set, who string) (string, bool) {
		r := identities(s)["User/"+who]
		f := r.Facts.(*facts.Identity)
		return rights(f, "secrets")[0].PrivilegedToken, rights(f, "secrets")[0].Privileged
	}
	if got, priv := token(build(Options{Live: true}, true), "bob"); got != "true" || !priv {
		t.Errorf("bob reaches the token: %s, privileged %v", got, priv)
	}
	if got, priv := token(build(Options{Live: true}, true), "alice"); got != "false" || priv {
		t.Errorf("alice does not: %s, privileged %v", got, priv)
	}
	if got, _ := token(build(Options{Live: true}, false), "bob"); got != "false" {
		t.Errorf("no Secret, no token: %s", got)
	}
	if got, _ := token(build(Options{}, false), "bob"); got != "unknown" {
		t.Errorf("files do not show every Secret: %s", got)
	}
	blind := build(Options{Live: true}, false)
	blind.Miss(Secrets, facts.Missing{Status: facts.Unknown, Reason: "secrets are forbidden"})
	if got, _ := token(blind, "bob"); got != "unknown" {
		t.Errorf("Secrets were not listed: %s", got)
	}
}

// TestOlderVersionsAreRecognised: a rule that an older version installs under
// the name is no widening; one that no version installs is.
func TestOlderVersionsAreRecognised(t *testing.T) {
	role := func(text string) bool {
		s := New(Options{Live: true})
		r := decode[rbacv1.ClusterRole](t, text)
		s.Add(r, Place{})
		return s.roles[ref{"ClusterRole", name{"", r.Name}}].bootstrap
	}
	const cronjob = "metadata: {name: 'system:controller:cronjob-controller'}\nrules: [{verbs: [delete, list], apiGroups: [''], resources: [%s]}]"
	if !role(strings.ReplaceAll(cronjob, "%s", "pods")) {
		t.Error("what Kubernetes 1.29 gives the controller is not recognised")
	}
	if role(strings.ReplaceAll(cronjob, "%s", "secrets")) {
		t.Error("a rule that no version has passes by the name of the role")
	}
	if len(older().Roles) == 0 || len(bootstrap().Roles) < 80 {
		t.Error("the lists of installed roles are empty")
	}
	for id, rules := range older().Roles {
		for i := range rules {
			if slices.Contains(rules[i].Verbs, "*") && slices.Contains(rules[i].Resources, "*") {
				t.Errorf("%s of an older version gives everything", id)
			}
		}
	}
}

// TestComponentsAreRecognised by binding, role and subject together, and only
// as long as the role holds no more than its project gives it.
func TestComponentsAreRecognised(t *testing.T) {
	const binding = "metadata: {name: flannel}\nroleRef: {kind: ClusterRole, name: flannel}\nsubjects: [{kind: ServiceAccount, name: flannel, namespace: %s}]"
	judge := func(resources, namespace string) bool {
		s := New(Options{Live: true})
		s.Add(decode[rbacv1.ClusterRole](t, "metadata: {name: flannel}\nrules: [{verbs: [get], apiGroups: [''], resources: ["+resources+"]}]"), Place{})
		s.Add(decode[rbacv1.ClusterRoleBinding](t, strings.ReplaceAll(binding, "%s", namespace)), Place{})
		f := identities(s)[namespace+"/ServiceAccount/flannel"].Facts.(*facts.Identity)
		if (f.System != "") != f.Grants[0].Bootstrap {
			t.Errorf("system %q, installed %v", f.System, f.Grants[0].Bootstrap)
		}
		return f.Grants[0].Bootstrap
	}
	if !judge("pods", "kube-flannel") {
		t.Error("flannel as published is not recognised")
	}
	if judge("secrets", "kube-flannel") {
		t.Error("a widened role passes by its name")
	}
	if judge("pods", "shop") {
		t.Error("an account of the same name elsewhere passes")
	}
	for _, c := range componentAccesses {
		for _, line := range c.rules {
			if n := len(strings.Fields(line)); n < 3 || n > 4 {
				t.Errorf("%s: the rule %q has %d parts", c.component, line, n)
			}
		}
	}
}

// TestASubjectThatWasAddedIsNotInstalled: the others of the binding still are.
func TestASubjectThatWasAddedIsNotInstalled(t *testing.T) {
	s := New(Options{Live: true})
	s.Add(decode[rbacv1.ClusterRole](t, "metadata: {name: cluster-admin}\nrules: [{verbs: ['*'], apiGroups: ['*'], resources: ['*']}]"), Place{})
	s.Add(decode[rbacv1.ClusterRoleBinding](t, "metadata: {name: cluster-admin}\nroleRef: {kind: ClusterRole, name: cluster-admin}\nsubjects: [{kind: Group, name: 'system:masters'}, {kind: User, name: alice}]"), Place{})
	ids := identities(s)
	installed := func(id string) bool { return ids[id].Facts.(*facts.Identity).Grants[0].Bootstrap }
	if !installed("Group/system:masters") || installed("User/alice") {
		t.Errorf("masters %v, alice %v", installed("Group/system:masters"), installed("User/alice"))
	}
}

// TestWhatWasNotSeenIsUnknown: a list that was forbidden makes exactly what
// depends on it unknown.
func TestWhatWasNotSeenIsUnknown(t *testing.T) {
	forbidden := facts.Missing{Status: facts.Unknown, Reason: "forbidden"}
	build := func(o Options, topics ...Topic) *Set {
		s := New(o)
		for _, topic := range topics {
			s.Miss(topic, forbidden)
		}
		s.Add(decode[rbacv1.RoleBinding](t, "metadata: {name: b, namespace: shop}\nroleRef: {kind: ClusterRole, name: gone}\nsubjects: [{kind: ServiceAccount, name: web, namespace: shop}]"), Place{})
		return s
	}
	resources := func(s *Set) map[facts.Kind]*facts.Resource {
		out := map[facts.Kind]*facts.Resource{}
		for r := range s.Resources() {
			if !strings.HasPrefix(r.ID, "(") {
				out[r.Kind] = r
			}
		}
		return out
	}
	keys := func(r *facts.Resource) []string { return slices.Sorted(maps.Keys(r.Missing)) }

	got := resources(build(Options{Live: true}))
	if f := got[facts.KindIdentity].Facts.(*facts.Identity); len(got[facts.KindBinding].Missing) != 0 || f.Used != "false" || f.Mapped != "false" || f.Certificates != 0 || !f.Live {
		t.Errorf("all was seen, missing %v of %+v", keys(got[facts.KindBinding]), f)
	}
	got = resources(build(Options{Live: true}, Roles))
	if m := got[facts.KindBinding].Missing["role.found"]; m.Status != facts.Unknown || !m.Partial || len(got[facts.KindBinding].Missing) != 1 {
		t.Errorf("roles were not listed: %v", got[facts.KindBinding].Missing)
	}
	if m := got[facts.KindIdentity].Missing["rights"]; m.Status != facts.Unknown || !m.Partial {
		t.Errorf("roles were not listed, rights: %v", m)
	}
	got = resources(build(Options{Live: true}, ServiceAccounts))
	if m := got[facts.KindBinding].Missing["subjects[].found"]; m.Status != facts.Unknown || len(got[facts.KindBinding].Missing) != 1 {
		t.Errorf("accounts were not listed: %v", got[facts.KindBinding].Missing)
	}
	got = resources(build(Options{Live: true}, Bindings))
	if m := got[facts.KindIdentity].Missing["rights"]; m.Status != facts.Unknown || m.Partial {
		t.Errorf("bindings were not listed, rights: %v", m)
	}
	got = resources(build(Options{Live: true}, Pods, ConfigMaps, CertificateSigning))
	if f := got[facts.KindIdentity].Facts.(*facts.Identity); f.Used != "unknown" || f.Mapped != "unknown" {
		t.Errorf("workloads and ConfigMaps were not listed: %+v", f)
	}
	got = resources(build(Options{}))
	if b := got[facts.KindBinding]; b.Missing["role.found"].Status != facts.NotAssessed || b.Missing["subjects[].found"].Status != facts.NotAssessed {
		t.Errorf("files do not show that something is missing: %v", b.Missing)
	}
}

func TestAWorkloadsAccountThatWasNotSeen(t *testing.T) {
	pod := func(o Options, topics ...Topic) (string, facts.Missing) {
		s := New(o)
		for _, topic := range topics {
			s.Miss(topic, facts.Missing{Status: facts.Unknown, Reason: "forbidden"})
		}
		s.Add(decode[corev1.Pod](t, "metadata: {name: a, namespace: shop}\nspec: {serviceAccountName: web}"), Place{})
		r := workloads(s)["shop/Pod/a"]
		return r.Facts.(*facts.Workload).Identity.Exists, r.Missing["identity.exists"]
	}
	if exists, m := pod(Options{Live: true}); exists != "false" || m.Status != "" {
		t.Errorf("%s %v", exists, m)
	}
	if exists, m := pod(Options{Live: true}, ServiceAccounts); exists != "unknown" || m.Status != facts.Unknown {
		t.Errorf("%s %v", exists, m)
	}
	if exists, m := pod(Options{}); exists != "unknown" || m.Status != facts.NotAssessed {
		t.Errorf("%s %v", exists, m)
	}
}

// TestAggregatedRolesAreMarked, also those of every cluster that the files do not hold.
func TestAggregatedRolesAreMarked(t *testing.T) {
	s := New(Options{})
	s.Add(decode[rbacv1.RoleBinding](t, "metadata: {name: b, namespace: shop}\nroleRef: {kind: ClusterRole, name: edit}\nsubjects: [{kind: User, name: alice}]"), Place{})
	f, r := alice(t, s)
	if role := f.Grants[0].Role; !role.Aggregated || !role.Bootstrap || role.Found != "true" || f.Grants[0].Bootstrap {
		t.Errorf("%+v", f.Grants[0])
	}
	if len(rights(f, "pods/exec")) == 0 || !r.Missing["rights"].Partial {
		t.Errorf("edit gives %+v, missing %v", f.Rights, r.Missing)
	}
}

// TestDistributionsAreRecognised: what a distribution or a cloud installs, by
// binding, role and subject, and as long as the role is the published one.
func TestDistributionsAreRecognised(t *testing.T) {
	for _, c := range []struct {
		role, rules, binding, kind, subject string
		want                                bool
	}{
		{"cluster-admin", "[{verbs: ['*'], apiGroups: ['*'], resources: ['*']}]", "eks:addon-cluster-admin", "User", "eks:addon-manager", true},
		{"cluster-admin", "[{verbs: ['*'], apiGroups: ['*'], resources: ['*']}]", "eks:addon-cluster-admin", "User", "alice", false},
		{"cluster-admin", "[{verbs: ['*'], apiGroups: ['*'], resources: ['*']}]", "aks-cluster-admin-binding", "User", "clusterUser", true},
		{"cluster-admin", "[{verbs: ['*'], apiGroups: ['*'], resources: ['*']}]", "aks-cluster-admin-binding", "Group", "clusterUser", false},
		{"cluster-admin", "[{verbs: ['*'], apiGroups: ['*'], resources: ['*']}]", "admins", "User", "clusterUser", false},
		{"cluster-status", "[{verbs: [get], nonResourceURLs: [/healthz, '/apis/*', /]}]", "cluster-status-binding", "Group", "system:authenticated", true},
		{"cluster-status", "[{verbs: [get], nonResourceURLs: [/metrics]}]", "cluster-status-binding", "Group", "system:authenticated", false},
		{"self-provisioner", "[{verbs: [create], apiGroups: [project.openshift.io, ''], resources: [projectrequests]}]", "self-provisioners", "Group", "system:authenticated:oauth", true},
		{"self-provisioner", "[{verbs: [create], apiGroups: [project.openshift.io, ''], resources: [projectrequests, pods]}]", "self-provisioners", "Group", "system:authenticated:oauth", false},
		{"self-provisioner", "[{verbs: [create], apiGroups: [project.openshift.io, ''], resources: [projectrequests]}]", "self-provisioners", "Group", "system:unauthenticated", false},
	} {
		s := New(Options{Live: true})
		s.Add(decode[rbacv1.ClusterRole](t, "metadata: {name: '"+c.role+"'}\nrules: "+c.rules), Place{})
		s.Add(decode[rbacv1.ClusterRoleBinding](t, "metadata: {name: '"+c.binding+"'}\nroleRef: {kind: ClusterRole, name: '"+c.role+"'}\nsubjects: [{kind: "+c.kind+", name: '"+c.subject+"'}]"), Place{})
		if got := identities(s)[c.kind+"/"+c.subject].Facts.(*facts.Identity).Grants[0].Bootstrap; got != c.want {
			t.Errorf("%s of %s %s to %s %s: installed %v, want %v", c.binding, c.kind, c.subject, c.role, c.rules, got, c.want)
		}
	}
}
