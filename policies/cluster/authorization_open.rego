# METADATA
# scope: package
# title: Authorization is open or without RBAC
# description: |
#   With AlwaysAllow every caller that is let in is an administrator; it is what holds when neither --authorization-mode nor
#   --authorization-config is given. ABAC reads rules from a file that only a restart changes, and without RBAC nothing that
#   postscan or anybody else reads of roles and bindings holds. Where the API does not show the command line of the API server,
#   as on a managed control plane, the check is not assessed.
# related_resources:
#   - ref: https://kubernetes.io/docs/reference/access-authn-authz/authorization/
#     description: Authorization
# schemas:
#   - input: schema["cluster"]
# custom:
#   id: PS-CP-003
#   severity: critical
#   needs: [api_servers]
#   remediation: |
#     Set --authorization-mode=Node,RBAC, or an AuthorizationConfiguration with the authorizers Node and RBAC.
#   references:
#     nist-800-190: ["4.3.1"]
#     nsa-cisa: [AUTH2]
#     cis-k8s: ["1.2.6", "1.2.8"]
#     attack-containers: [T1078]
#     owasp-k8s: [K02]
#     cwe: ["862"]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.cluster.authorization_open

import data.postscan.lib.components

deny contains components.part_of(server, "authorization-mode", mode, sprintf("authorizes by %s", [mode])) if {
	some server in input.api_servers
	some mode in (components.items(server, "authorization-mode") & {"AlwaysAllow", "ABAC"})
}

deny contains components.part_of(server, "authorization-mode", "RBAC", "does not use RBAC") if {
	some server in input.api_servers
	components.given(server, "authorization-mode")
	not "RBAC" in components.items(server, "authorization-mode")
}

deny contains components.finding(server, "authorization-mode", "allows everything: that is the default of the mode") if {
	some server in input.api_servers
	components.absent(server, "authorization-mode")
	not components.given(server, "authorization-config")
}

deny contains components.part_of(server, "authorization-config", kind, sprintf("authorizes by %s", [kind])) if {
	some server in input.api_servers
	some kind in server.config.authorizers
	kind in {"AlwaysAllow", "ABAC"}
}

deny contains components.part_of(server, "authorization-config", "RBAC", "does not use RBAC") if {
	some server in input.api_servers
	components.given(server, "authorization-config")
	server.config.read
	not "RBAC" in server.config.authorizers
}
