# METADATA
# scope: package
# title: Objects in the default namespace
# description: |
#   The namespace default is where everything lands that names no other. Rights, quotas, network policies and Pod Security levels are
#   given to namespaces, so what is thrown together in one cannot be held apart. Workloads, Services, Ingresses and routes, and
#   ConfigMaps count; the Service kubernetes and what Kubernetes itself puts into every namespace do not. A manifest that names no
#   namespace is not assessed: where it goes is said when it is applied.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/
#     description: Namespaces
# schemas:
#   - input: schema["workload"]
# custom:
#   id: PS-NET-018
#   severity: low
#   needs: [namespace.name]
#   remediation: |
#     Give each team or application a namespace of its own, with its own policies, and let default stay empty.
#   references:
#     nsa-cisa: [NET1]
#     cis-k8s: ["5.6.4", "5.6.1"]
#     owasp-k8s: [K05]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.workload.in_default_namespace

deny contains {
	"message": "the workload is in the namespace default",
	"path": "metadata.namespace",
	"value": "default",
} if {
	input.namespace.name == "default"
}
