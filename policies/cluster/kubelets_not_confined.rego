# METADATA
# scope: package
# title: Kubelets are not confined to their node
# description: |
#   Without the Node authorizer, or without the admission plugin NodeRestriction, a kubelet's credential reads what pods of
#   other nodes use and changes other nodes. Who takes one node then takes the secrets of all. The plugin is not on by default.
#   Where the API does not show the command line of the API server, as on a managed control plane, the check is not assessed.
# related_resources:
#   - ref: https://kubernetes.io/docs/reference/access-authn-authz/node/
#     description: Node authorization
#   - ref: https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#noderestriction
#     description: NodeRestriction
# schemas:
#   - input: schema["cluster"]
# custom:
#   id: PS-CP-004
#   severity: high
#   needs: [api_servers]
#   remediation: |
#     Have Node in --authorization-mode and NodeRestriction in --enable-admission-plugins.
#   references:
#     nist-800-190: ["4.3.5"]
#     cis-k8s: ["1.2.7", "1.2.14"]
#     attack-containers: [T1528]
#     owasp-k8s: [K07]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.cluster.kubelets_not_confined

import data.postscan.lib.components

deny contains components.finding(server, "authorization-mode", "does not use the Node authorizer") if {
	some server in input.api_servers
	not components.given(server, "authorization-config")
	not undecided(server)
	not "Node" in components.items(server, "authorization-mode")
}

deny contains components.finding(server, "authorization-config", "does not use the Node authorizer") if {
	some server in input.api_servers
	components.given(server, "authorization-config")
	server.config.read
	not "Node" in server.config.authorizers
}

deny contains components.finding(server, "enable-admission-plugins", "does not enable NodeRestriction") if {
	some server in input.api_servers
	not "NodeRestriction" in plugins(server)
	not elsewhere(server)
}

deny contains components.finding(server, "disable-admission-plugins", "disables NodeRestriction") if {
	some server in input.api_servers
	"NodeRestriction" in components.items(server, "disable-admission-plugins")
}

# admission-control was the flag before 1.10.
plugins(server) := components.items(server, "enable-admission-plugins") | components.items(server, "admission-control")

undecided(server) if {
	server.config_file
	not components.given(server, "authorization-mode")
}

elsewhere(server) if {
	server.config_file
	not components.given(server, "enable-admission-plugins")
}
