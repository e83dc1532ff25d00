# METADATA
# scope: package
# title: Change network exposure
# description: |
#   A service account can write network policies, services, endpoints, ingresses, gateways or routes: a workload that is taken
#   over opens segments and draws the traffic of others to itself. Whoever holds them, services/status moves the address of a
#   load balancer (CVE-2020-8554), pods/status puts a pod behind a service, and endpoints that clusters first installed before
#   Kubernetes 1.22 left in the role edit lead out of the namespace (CVE-2021-25740). What Kubernetes and the components of a
#   cluster install for themselves, known by name and content, is told as info.
# related_resources:
#   - ref: https://kubernetes.io/docs/reference/access-authn-authz/rbac/
#     description: Using RBAC authorization
#   - ref: https://kubernetes.io/docs/concepts/security/rbac-good-practices/
#     description: Good practices for RBAC
# schemas:
#   - input: schema["identity"]
# custom:
#   id: PS-RBAC-029
#   severities: [medium, info]
#   needs: [type, rights, grants]
#   remediation: |
#     Keep the network with the platform: a deployer gets its namespace, and a workload none of it. Remove endpoints from the
#     role system:aggregate-to-edit.
#   references:
#     owasp-k8s: [K05]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.identity.changes_exposure

import data.postscan.lib.primitives
import data.postscan.lib.rights

deny contains rights.finding(input.grants, i, of, mend) if {
	asked
	some i, of in rights.own(((exposure | status) | left))
}

# asked is the cheap question before the others: most identities have no such right.
asked if {
	some r in input.rights
	r.resource in {
		"networkpolicies.networking.k8s.io",
		"services",
		"endpoints",
		"endpointslices.discovery.k8s.io",
		"ingresses.networking.k8s.io",
		"gateways.gateway.networking.k8s.io",
		"httproutes.gateway.networking.k8s.io",
		"grpcroutes.gateway.networking.k8s.io",
		"tlsroutes.gateway.networking.k8s.io",
		"tcproutes.gateway.networking.k8s.io",
		"udproutes.gateway.networking.k8s.io",
		"routes.route.openshift.io",
		"services/status",
		"pods/status",
	}
}

mend := "keep the network with the platform"

exposure contains h if {
	input.type == "ServiceAccount"
	some resource in [
		"networkpolicies.networking.k8s.io",
		"services",
		"endpoints",
		"endpointslices.discovery.k8s.io",
		"ingresses.networking.k8s.io",
		"gateways.gateway.networking.k8s.io",
		"httproutes.gateway.networking.k8s.io",
		"grpcroutes.gateway.networking.k8s.io",
		"tlsroutes.gateway.networking.k8s.io",
		"tcproutes.gateway.networking.k8s.io",
		"udproutes.gateway.networking.k8s.io",
		"routes.route.openshift.io",
	]
	some r in rights.held[resource]
	h := rights.hit(r, primitives.changing, "medium", "can change what is reachable")
}

status contains h if {
	some resource in ["services/status", "pods/status"]
	some r in rights.held[resource]
	h := rights.hit(r, {"update", "patch"}, "medium", "can draw traffic to itself by a status")
}

# left is what Kubernetes took out of its own roles with 1.22 and an upgrade leaves in.
left contains h if {
	some r in rights.held.endpoints
	role := input.grants[r.grant].role
	role.kind == "ClusterRole"
	role.name in {"edit", "admin", "system:aggregate-to-edit"}
	h := rights.hit(r, primitives.changing, "medium", "can change what is reachable")
}
