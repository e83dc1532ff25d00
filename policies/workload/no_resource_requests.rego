# METADATA
# scope: package
# title: No CPU or memory request, no CPU bound
# description: |
#   The scheduler does not know what a container needs, or nothing bounds the CPU that it takes. It is placed where there is no
#   room, or slows its neighbours down. A request that is not written takes the value of the limit; defaults of the namespace's
#   LimitRange and resources of the pod count.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/
#     description: Resources of pods and containers
# schemas:
#   - input: schema["workload"]
# custom:
#   id: PS-K8S-034
#   severity: info
#   needs: [containers, "containers[].resources"]
#   remediation: |
#     Set resources.requests.cpu, requests.memory and limits.cpu, or give the namespace a LimitRange with defaults.
#   references:
#     nsa-cisa: [NET3]
#     cis-docker: ["5.12"]
#     attack-containers: [T1496]
#     cwe: ["770"]
#     isolation: [W1]
#   since: "0.1.0"
package postscan.workload.no_resource_requests

deny contains {
	"message": sprintf("container %s does not set %s", [c.name, concat(", ", missing)]),
	"path": concat("", [c.path, ".resources"]),
	"value": missing,
	"key": c.name,
} if {
	some c in input.containers
	c.role in {"container", "sidecar"} # an init container ends, a debug container has no resources
	missing := [name |
		some [name, bound] in [
			["requests.cpu", c.resources.cpu_request],
			["requests.memory", c.resources.memory_request],
			["limits.cpu", c.resources.cpu_limit],
		]
		bound == "unset"
	]
	count(missing) > 0
}
