# METADATA
# scope: package
# title: Mesh does not require mutual TLS
# description: |
#   The cluster has a service mesh, and the mesh still takes connections in plain text: Istio without a mesh-wide PeerAuthentication
#   of mode STRICT, or with a weaker one for a namespace, a workload or a port; Linkerd whose default inbound policy lets
#   unauthenticated clients in. Without a mesh the check does not apply.
# related_resources:
#   - ref: https://istio.io/latest/docs/tasks/security/authentication/authn-policy/
#     description: Istio, authentication policy
#   - ref: https://linkerd.io/2/reference/authorization-policy/
#     description: Linkerd, authorization policy
# schemas:
#   - input: schema["cluster"]
# custom:
#   id: PS-NET-013
#   severity: low
#   needs: [mesh.name, mesh.mode, mesh.weaker]
#   remediation: |
#     Istio: a PeerAuthentication "default" in istio-system with mode STRICT, once every client has a sidecar. Linkerd: set
#     proxy.defaultInboundPolicy to all-authenticated or stricter.
#   references:
#     nsa-cisa: [NET6]
#     attack-containers: [T1040]
#     owasp-k8s: [K05]
#     cwe: ["319"]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.cluster.mesh_not_strict

applies if input.mesh.name != ""

deny contains {
	"message": sprintf("the mesh-wide mode of mutual TLS is %s, not STRICT", [input.mesh.mode]),
	"path": "mesh.mode",
	"value": input.mesh.mode,
	"key": "mesh",
} if {
	input.mesh.name == "istio"
	input.mesh.mode != "STRICT"
}

deny contains {
	"message": sprintf("the PeerAuthentication %s is weaker than STRICT", [name]),
	"path": sprintf("mesh.weaker[%d]", [i]),
	"value": name,
	"key": name,
} if {
	input.mesh.name == "istio"
	some i, name in input.mesh.weaker
}

deny contains {
	"message": sprintf("Linkerd's default inbound policy is %s: clients without mutual TLS are let in", [linkerd]),
	"path": "mesh.mode",
	"value": linkerd,
	"key": "mesh",
} if {
	input.mesh.name == "linkerd"
	linkerd in {"all-unauthenticated", "cluster-unauthenticated"}
}

linkerd := "all-unauthenticated" if input.mesh.mode == "unset" # what Linkerd does where nobody says

linkerd := input.mesh.mode if input.mesh.mode != "unset"
