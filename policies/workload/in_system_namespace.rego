# METADATA
# scope: package
# title: User workload in a system namespace
# description: |
#   The workload stands in kube-system, kube-public or kube-node-lease and is none of the components that Kubernetes or a known
#   distribution puts there, by namespace, name and image together. These namespaces are often exempt from admission policies and
#   hold secrets of the platform, and a foreign workload among the platform's own is easy to overlook.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/#initial-namespaces
#     description: Initial namespaces
# schemas:
#   - input: schema["workload"]
# custom:
#   id: PS-NET-019
#   severity: medium
#   needs: [namespace.name, component]
#   remediation: |
#     Move it to a namespace of its own. Where it is a part of the platform that postscan does not know, waive the finding with
#     the reason.
#   references:
#     nsa-cisa: [NET1]
#     attack-containers: [T1036.005]
#     owasp-k8s: [K01]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.workload.in_system_namespace

applies if input.namespace.name in {"kube-system", "kube-public", "kube-node-lease"}

deny contains {
	"message": sprintf("the workload is no known component of Kubernetes, and it runs in %s", [input.namespace.name]),
	"path": "metadata.namespace",
	"value": input.namespace.name,
} if {
	applies
	input.component == ""
}
