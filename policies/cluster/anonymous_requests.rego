# METADATA
# scope: package
# title: API server accepts anonymous requests
# description: |
#   A caller without credentials is let in as system:anonymous. What that user may do depends on bindings alone, and flaws
#   before authorization are open to everybody. Where bindings give it more than the public endpoints, the finding is critical.
#   It is low where only the bindings of every cluster exist and the platform's own probes need the endpoints.
#
#   postscan asks the server without credentials; where it did not (--no-anonymous, manifests), the flags answer. A server that
#   takes such callers on its health endpoints only, by an AuthenticationConfiguration, is fine.
# related_resources:
#   - ref: https://kubernetes.io/docs/reference/access-authn-authz/authentication/#anonymous-requests
#     description: Anonymous requests
# schemas:
#   - input: schema["cluster"]
# custom:
#   id: PS-CP-001
#   severities: [critical, medium, low]
#   needs: [anonymous.enabled, anonymous.limited]
#   optional: [anonymous.bindings, anonymous.paths, managed, distribution, api_servers]
#   remediation: |
#     Set --anonymous-auth=false, or name the health endpoints in the anonymous conditions of an AuthenticationConfiguration
#     (--authentication-config), so that probes go on working. Remove bindings to system:anonymous and system:unauthenticated.
#   references:
#     nist-800-190: ["4.3.2"]
#     nsa-cisa: [AUTH1]
#     cis-k8s: ["1.2.1"]
#     attack-containers: [T1133, T1078.001]
#     owasp-k8s: [K09]
#     cwe: ["306"]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.cluster.anonymous_requests

import data.postscan.lib.components

deny contains {
	"message": sprintf("the API server takes callers without credentials%s", [more]),
	"path": path,
	"value": concat(" ", ["answered without credentials:", concat(", ", shown)]),
	"key": "anonymous",
	"severity": severity,
} if {
	input.anonymous.enabled == "true"
	not input.anonymous.limited
}

unknown contains "no answer of the server told whether it takes callers without credentials" if input.anonymous.enabled == "unknown"

default severity := "medium"

severity := "critical" if input.anonymous.bindings > 0

severity := "low" if {
	input.anonymous.bindings == 0
	for_probes
}

# Static pods of kubeadm and managed control planes are probed without credentials.
for_probes if input.managed

for_probes if input.distribution in {"kubeadm", "kind", "minikube"}

default more := ""

more := sprintf(", and %d bindings give them rights", [input.anonymous.bindings]) if input.anonymous.bindings > 0

shown := input.anonymous.paths if count(input.anonymous.paths) > 0

shown := ["nothing that was tried"] if count(input.anonymous.paths) == 0

default path := "anonymous.enabled"

path := components.path(input.api_servers[0], "anonymous-auth") if count(input.api_servers) > 0
