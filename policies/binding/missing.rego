# METADATA
# scope: package
# title: Binding to a missing subject or role
# description: |
#   A binding names a role or a service account that does not exist. Whoever can create one of that name takes over what the
#   binding gives. A workload that names a service account which nothing else knows is told as info: its pods are refused until
#   the account exists. So are bindings that Kubernetes installs itself for accounts of components that are not in use. Users and
#   groups have no objects, so they are never missing.
# related_resources:
#   - ref: https://kubernetes.io/docs/reference/access-authn-authz/rbac/
#     description: Using RBAC authorization
#   - ref: https://kubernetes.io/docs/concepts/security/rbac-good-practices/
#     description: Good practices for RBAC
# schemas:
#   - input: schema["binding"]
# custom:
#   id: PS-RBAC-030
#   severities: [low, info]
#   needs: [kind, namespace, bootstrap, role, role_path, subjects]
#   remediation: |
#     Delete the binding, or the subject from it. For a workload create the service account, or correct its name.
#   references:
#     nsa-cisa: [AUTH2]
#     attack-containers: [T1098.006]
#     owasp-k8s: [K02]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.binding.missing

deny contains {
	"message": sprintf("the role %s does not exist: whoever creates it decides what the binding gives", [named(input.role)]),
	"path": input.role_path,
	"value": {"system": input.bootstrap, "role": named(input.role), "mend": "delete the binding"},
	"key": "role",
	"severity": severity,
} if {
	input.role.found == "false"
}

deny contains {
	"message": sprintf("the service account %s/%s does not exist%s: whoever creates it inherits %s", [
		subject.namespace,
		subject.name,
		nor(subject),
		named(input.role),
	]),
	"path": subject.path,
	"value": {
		"system": input.bootstrap,
		"subject": sprintf("%s/ServiceAccount/%s", [subject.namespace, subject.name]),
		"role": named(input.role),
		"mend": "delete the binding, or the subject from it",
	},
	"key": sprintf("%s/%s", [subject.namespace, subject.name]),
	"severity": severity,
} if {
	not input.bootstrap
	some subject in input.subjects
	subject.found == "false"
}

deny contains {
	"message": "system: the service account of a component that is not in use does not exist, as it comes with the cluster",
	"path": gone[0].path,
	"value": {
		"system": true,
		"subject": sprintf("%s/ServiceAccount/%s", [gone[0].namespace, gone[0].name]),
		"role": named(input.role),
		"mend": "nothing, it comes with the cluster",
	},
	"key": "system",
	"severity": "info",
} if {
	input.bootstrap
	count(gone) > 0
}

gone := [subject | some subject in input.subjects; subject.found == "false"]

default severity := "low"

severity := "info" if input.bootstrap

nor(subject) := ", and its namespace does not either" if {
	subject.waits
} else := ""

named(role) := sprintf("%s/%s", [role.kind, role.name]) if {
	role.namespace == ""
} else := sprintf("%s/%s/%s", [role.namespace, role.kind, role.name])
