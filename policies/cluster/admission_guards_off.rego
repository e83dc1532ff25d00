# METADATA
# scope: package
# title: Essential admission plugins are off or AlwaysAdmit is on
# description: |
#   ServiceAccount, NamespaceLifecycle and PodSecurity are on by default and hold rules that others rely on: a pod gets its own
#   identity, a namespace that ends takes nothing more, Pod Security labels are enforced. AlwaysAdmit lets everything pass.
#   Where the API does not show the command line of the API server, as on a managed control plane, the check is not assessed.
# related_resources:
#   - ref: https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/
#     description: Admission controllers
# schemas:
#   - input: schema["cluster"]
# custom:
#   id: PS-CP-007
#   severity: high
#   needs: [api_servers]
#   remediation: |
#     Take these plugins out of --disable-admission-plugins and AlwaysAdmit out of --enable-admission-plugins.
#   references:
#     nsa-cisa: [POD4]
#     cis-k8s: ["1.2.10", "1.2.12", "1.2.13", "5.2.1"]
#     attack-containers: [T1610]
#     owasp-k8s: [K04]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.cluster.admission_guards_off

import data.postscan.lib.components

deny contains object.union(
	components.finding(server, flag, "enables AlwaysAdmit"),
	{"key": concat("/", [server.where, "AlwaysAdmit"])},
) if {
	some server in input.api_servers
	some flag in ["enable-admission-plugins", "admission-control"]
	"AlwaysAdmit" in components.items(server, flag)
}

deny contains object.union(
	components.finding(server, "disable-admission-plugins", sprintf("disables %s", [plugin])),
	{"key": concat("/", [server.where, plugin])},
) if {
	some server in input.api_servers
	some plugin in (components.items(server, "disable-admission-plugins") & {"ServiceAccount", "NamespaceLifecycle", "PodSecurity"})
}

# The flag before 1.10 names all plugins that are on.
deny contains object.union(
	components.finding(server, "admission-control", sprintf("leaves %s out", [plugin])),
	{"key": concat("/", [server.where, plugin])},
) if {
	some server in input.api_servers
	components.given(server, "admission-control")
	some plugin in ({"ServiceAccount", "NamespaceLifecycle"} - components.items(server, "admission-control"))
}
