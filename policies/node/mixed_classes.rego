# METADATA
# scope: package
# title: Workloads of different sensitivity share a node
# description: |
#   Workloads of different tenants, or of different sensitivity, run on one node on its own kernel, so whoever escapes from one reaches
#   the others. What counts is what the labels or annotations postscan/tenant and postscan/sensitivity say, on workloads or on their
#   namespaces; workloads without them, components of the system, and workloads behind a sandbox runtime are left out.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/security/multi-tenancy/#isolating-nodes
#     description: Multi-tenancy, isolating nodes
#   - ref: https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/
#     description: Taints and tolerations
# schemas:
#   - input: schema["node"]
# custom:
#   id: PS-NET-021
#   severity: medium
#   needs: [classes, pod_per_machine]
#   remediation: |
#     Give each tenant or level of sensitivity nodes of its own by taint and required node affinity, or run what is least trusted
#     with the RuntimeClass of a sandbox.
#   references:
#     nist-800-190: ["4.3.4"]
#     nsa-cisa: [NET5]
#     attack-containers: [T1611]
#     owasp-k8s: [K05]
#     isolation: [W1, W4]
#   since: "0.1.0"
package postscan.node.mixed_classes

applies if not input.pod_per_machine

deny contains {
	"message": sprintf("workloads of the %s %s share the node", [what, concat(", ", values)]),
	"path": "classes",
	"value": values,
	"key": what,
} if {
	applies
	some what, values in {"tenants": part(0), "sensitivities": part(1)}
	count(values) > 1
}

# part are the tenants (0) or sensitivities (1) that are named.
part(i) := {value |
	some class in input.classes
	value := split(class, "/")[i]
	value != ""
}
