# METADATA
# scope: package
# title: No memory or ephemeral-storage limit
# description: |
#   Nothing bounds the memory that a container takes. One that runs wild, or is made to, takes the node's memory and the kernel
#   ends other pods to get some back. A limit of the pod and a default of the namespace's LimitRange count. A missing bound on
#   ephemeral storage is information: the kubelet evicts pods when the disk is full, but others with them.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/
#     description: Resources of pods and containers
# schemas:
#   - input: schema["workload"]
# custom:
#   id: PS-K8S-033
#   severities: [low, info]
#   needs: [containers, "containers[].resources"]
#   remediation: |
#     Set resources.limits.memory on the container, or on the pod, or give the namespace a LimitRange with defaults; likewise
#     ephemeral-storage.
#   references:
#     nsa-cisa: [NET3]
#     cis-docker: ["5.11"]
#     attack-containers: [T1499, T1496]
#     owasp-k8s: [K01]
#     cwe: ["770"]
#     isolation: [W1]
#   since: "0.1.0"
package postscan.workload.no_memory_limit

deny contains {
	"message": sprintf("container %s has no limit of %s", [c.name, name]),
	"path": concat("", [c.path, ".resources.limits"]),
	"value": "unset",
	"key": concat(" ", [c.name, name]),
	"severity": severity,
} if {
	some c in input.containers
	c.role in {"container", "sidecar"} # an init container ends, a debug container has no resources
	some [name, bound, severity] in [
		["memory", c.resources.memory_limit, "low"],
		["ephemeral-storage", c.resources.ephemeral_storage_limit, "info"],
	]
	bound == "unset"
}
