package facts

// Identity is who can call the Kubernetes API: a service account, or a user or
// group that a binding names. Rights of the groups that it is in by itself
// (system:serviceaccounts, system:serviceaccounts:NAMESPACE,
// system:authenticated) are among its own, each marked with the group.
//
// A service account's name is in the resource's ID, not here, so that the many
// accounts without rights are judged once.
type Identity struct {
	Type string `json:"type"` // ServiceAccount, User or Group
	// Name is that of a user or group; "" for a service account.
	Name      string         `json:"name"`
	Namespace NamespaceView  `json:"namespace"` // of a service account; its Name is "" for users and groups
	Cluster   ClusterSummary `json:"cluster"`
	// Live is true for an identity of a running cluster, false for one of manifests.
	Live bool `json:"live"`
	// Default: the service account "default" of its namespace.
	Default bool `json:"default"`
	// System says which well-known identity this is, by name and by the content
	// of what it is bound to: "kube-controller-manager", "system:masters",
	// "controller" (the controllers of kube-system) …; "" where it is none.
	System string `json:"system"`
	// Exists is true, false (only bindings name it), or unknown; users and groups have no object: unknown.
	Exists string `json:"exists"`
	// Automount is the account's automountServiceAccountToken: unset, true, false.
	Automount string `json:"automount"`
	// Used: a workload in view mounts its token: true, false, or unknown where workloads were not listed.
	Used string `json:"used"`
	// TokenSecrets counts the legacy Secrets that hold a token of it. Missing where Secrets were not listed.
	TokenSecrets int `json:"token_secrets"`
	// Mapped: aws-auth or an access entry maps a cloud identity to this user or group: true, false, or unknown
	// where ConfigMaps were not listed.
	Mapped string `json:"mapped"`
	// Certificates counts the CertificateSigningRequests in view that were issued for this user or group; -1
	// where they were not listed.
	Certificates int `json:"certificates"`

	Grants []Grant `json:"grants"`
	Rights []Right `json:"rights"`
}

// Grant is one role with all bindings that give it to the identity.
type Grant struct {
	Role     RoleRef      `json:"role"`
	Bindings []BindingRef `json:"bindings"`
	// Bootstrap: the role, its rules and all its bindings of this subject here are what Kubernetes itself
	// or a well-known component installs, compared by name and content, never by label.
	Bootstrap bool `json:"bootstrap"`
	// Via is "" where a binding names the identity itself, else the group through which it comes. Groups and
	// direct grants of one role are two Grants.
	Via         string   `json:"via"`
	ClusterWide bool     `json:"cluster_wide"` // one of the bindings is a ClusterRoleBinding
	Namespaces  []string `json:"namespaces"`   // of the RoleBindings, sorted
	Rules       []Rule   `json:"rules"`        // of the role, aggregated ones included; empty where the role was not seen (Role.Found is not true)
}

// RoleRef names a role.
type RoleRef struct {
	Kind      string `json:"kind"`      // Role or ClusterRole
	Namespace string `json:"namespace"` // of a Role
	Name      string `json:"name"`
	Found     string `json:"found"` // true, false, unknown (a set of manifests may lean on a role of the cluster)
	// Bootstrap: Kubernetes or a well-known component installs a role of this name, and this one grants nothing
	// that the installed one does not. True also where the role itself was not seen and every cluster has it.
	Bootstrap bool `json:"bootstrap"`
	// Aggregated: other ClusterRoles add their rules to it by label.
	Aggregated bool `json:"aggregated"`
}

// BindingRef names a binding.
type BindingRef struct {
	Kind      string `json:"kind"`      // RoleBinding or ClusterRoleBinding
	Namespace string `json:"namespace"` // of a RoleBinding
	Name      string `json:"name"`
}

// Rule is one rule of a role, as written.
type Rule struct {
	Verbs           []string `json:"verbs"`
	APIGroups       []string `json:"api_groups"`
	Resources       []string `json:"resources"`
	ResourceNames   []string `json:"resource_names"`
	NonResourceURLs []string `json:"non_resource_urls"`
	// From is the ClusterRole that an aggregated role took the rule from; "" for a rule of its own.
	From string `json:"from"`
}

// Right is what one rule gives on one of the resources that checks ask about,
// matched as the RBAC authorizer does: resource forms "*", "x", "x/sub" and
// "*/sub" only, "x" does not cover "x/sub", "x/*" and "*/*" match nothing.
// A RoleBinding gives nothing on objects that are in no namespace, so such
// rights are left out where no ClusterRoleBinding gives the role.
type Right struct {
	// Resource is written as kubectl does: "pods/exec", "secrets",
	// "clusterroles.rbac.authorization.k8s.io",
	// "certificatesigningrequests.certificates.k8s.io/approval".
	Resource string `json:"resource"`
	// Verbs are those of the resource that the rule gives, "*" spelled out, sorted. Verbs that a rule with
	// resourceNames cannot give (create of a top-level object, deletecollection) are not in it; list and watch
	// stay, restricted to Names.
	Verbs []string `json:"verbs"`
	// Wildcard: the rule says "*" for verbs.
	Wildcard bool `json:"wildcard"`
	// Names are the rule's resourceNames; empty means every object.
	Names       []string `json:"names"`
	ClusterWide bool     `json:"cluster_wide"`
	Namespaces  []string `json:"namespaces"` // where not cluster-wide
	// System: the scope holds a system namespace (true where ClusterWide).
	System bool `json:"system"`
	// Privileged: the scope holds a namespace with a service account that has
	// cluster-wide rights over secrets, roles, nodes or everything.
	Privileged bool `json:"privileged"`
	// PrivilegedToken: the scope holds a Secret with a token of such an account: true, false, or unknown where
	// Secrets were not listed.
	PrivilegedToken string `json:"privileged_token"`
	// Weakest is the weakest level that Pod Security enforces in the scope: privileged, baseline, restricted;
	// unknown where namespaces were not seen.
	Weakest string `json:"weakest"`
	Via     string `json:"via"`   // as in Grant
	Grant   int    `json:"grant"` // index into Grants of the same document; -1 where that grant is a bootstrap one left out
	Rule    int    `json:"rule"`  // index into the grant's Rules
	// Path is "grants[2].rules[0]", for the finding; "" where Grant is -1.
	Path string `json:"path"`
}

// Binding is a RoleBinding or ClusterRoleBinding.
type Binding struct {
	Kind      string `json:"kind"`
	Namespace string `json:"namespace"` // of a RoleBinding
	// Bootstrap: name, role and subjects are what Kubernetes itself installs.
	Bootstrap bool      `json:"bootstrap"`
	Role      RoleRef   `json:"role"`
	RolePath  string    `json:"role_path"` // "roleRef"
	Subjects  []Subject `json:"subjects"`
}

// Subject is one subject of a binding.
type Subject struct {
	Kind      string `json:"kind"` // ServiceAccount, User or Group
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Found     string `json:"found"` // of a ServiceAccount: true, false, unknown; unknown for users and groups
	// Waits is true where Found is false and the subject's namespace does not exist either.
	Waits bool   `json:"waits"`
	Path  string `json:"path"` // "subjects[0]"
}

// Role is a Role or ClusterRole.
type Role struct {
	Kind      string `json:"kind"`
	Namespace string `json:"namespace"`
	// Bootstrap: name and rules are what Kubernetes itself installs, also those of other minor versions.
	Bootstrap bool   `json:"bootstrap"`
	System    string `json:"system"` // the well-known component that it belongs to by name and content; ""
	Bound     bool   `json:"bound"`  // a binding in view names it
	// AggregatesTo lists the roles that take its rules in by label: view, edit, admin, and every ClusterRole
	// whose aggregationRule selects it.
	AggregatesTo []string `json:"aggregates_to"`
	Aggregated   bool     `json:"aggregated"` // it has an aggregationRule of its own
	// Rules are its own as stored; a controller fills those of an aggregated role.
	Rules  []Rule  `json:"rules"`
	Rights []Right `json:"rights"` // of its rules, as if bound cluster-wide; Grant is -1 and Path "rules[0]"
}
