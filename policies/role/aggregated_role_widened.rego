# METADATA
# scope: package
# title: Aggregated role widened
# description: |
#   A ClusterRole carries a label by which its rules are added to view, edit or admin, and it adds what those roles do not hold
#   by themselves: to read Secrets, to run commands in pods, to impersonate, to escalate or bind, or to write RBAC objects.
#   Whoever was given the default role has that since, and nobody bound it to them. What the default role holds anyway is not
#   meant.
# related_resources:
#   - ref: https://kubernetes.io/docs/reference/access-authn-authz/rbac/
#     description: Using RBAC authorization
#   - ref: https://kubernetes.io/docs/concepts/security/rbac-good-practices/
#     description: Good practices for RBAC
# schemas:
#   - input: schema["role"]
# custom:
#   id: PS-RBAC-032
#   severity: medium
#   needs: [kind, bootstrap, aggregates_to, rights]
#   remediation: |
#     Remove the label, or the rule, and bind a role of its own to those who need it.
#   references:
#     attack-containers: [T1098.006]
#     owasp-k8s: [K02]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.role.aggregated_role_widened

import data.postscan.lib.primitives

applies if count(targets) > 0

targets contains to if {
	some to in input.aggregates_to
	to in {"view", "edit", "admin"}
}

deny contains {
	"message": sprintf("adds to the default role %s: %s %s", [to, concat(", ", verbs), r.resource]),
	"path": r.path,
	"value": {"role": to, "rights": sprintf("%s %s", [concat(", ", verbs), r.resource]), "mend": "remove the label, or the rule"},
	"key": sprintf("%s %s", [to, r.resource]),
} if {
	not input.bootstrap
	some to in targets
	some i, r in input.rights
	verbs := added(to, r)
	count(verbs) > 0
	not earlier(to, i, r.resource)
}

# earlier: another rule of the role adds to the same already.
earlier(to, i, resource) if {
	some j, r in input.rights
	j < i
	r.resource == resource
	count(added(to, r)) > 0
}

added(to, r) := [verb |
	some verb in r.verbs
	some kind in kinds
	r.resource in kind.resources
	verb in kind.verbs
	not held(to, r.resource, kind.name)
]

kinds := [
	{"name": "secrets", "resources": {"secrets"}, "verbs": primitives.reading},
	{"name": "exec", "resources": {"pods/exec", "pods/attach"}, "verbs": {"create", "get"}},
	{
		"name": "impersonate",
		"resources": {
			"users",
			"groups",
			"serviceaccounts",
			"uids.authentication.k8s.io",
			"userextras.authentication.k8s.io/*",
		},
		"verbs": {"impersonate"},
	},
	{"name": "escalate", "resources": {primitives.cluster_roles, primitives.roles}, "verbs": {"escalate", "bind"}},
	{"name": "rbac", "resources": {primitives.roles, primitives.role_bindings}, "verbs": primitives.writing},
	{
		"name": "cluster rbac",
		"resources": {primitives.cluster_roles, primitives.cluster_role_bindings},
		"verbs": primitives.writing,
	},
]

# held is what the default roles have from Kubernetes itself; admin has what edit has.
held(to, _, kind) if {
	to in {"edit", "admin"}
	kind in {"secrets", "exec"}
}

held(to, resource, kind) if {
	to in {"edit", "admin"}
	kind == "impersonate"
	resource == "serviceaccounts"
}

held("admin", _, "rbac")
