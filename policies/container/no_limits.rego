# METADATA
# scope: package
# title: No resource bounds
# description: |
#   Nothing bounds what the container takes of the machine: memory or the number of processes (low), processor time
#   (info). One that runs wild or was taken over starves its neighbours. In Kubernetes the pod's own bounds, told by
#   postscan cluster, and the kubelet's podPidsLimit hold as well.
# related_resources:
#   - ref: https://docs.docker.com/engine/containers/resource_constraints/
#     description: Resource constraints
# schemas:
#   - input: schema["container"]
# custom:
#   id: PS-ENG-013
#   severities: [low, info]
#   needs: [limits]
#   optional: [pod]
#   remediation: |
#     Start it with --memory, --pids-limit and --cpus, or set default ulimits and a bounded parent control group for the
#     engine.
#   references:
#     nist-800-190: ["4.4.3"]
#     cis-docker: ["5.11", "5.12", "5.29"]
#     attack-containers: [T1499]
#     cwe: ["770"]
#     isolation: [W1]
#   since: "0.1.0"
package postscan.container.no_limits

deny contains {
	"message": sprintf("nothing bounds its %s", [word]),
	"path": concat(".", ["limits", which]),
	"value": 0,
	"key": which,
	"severity": "low",
} if {
	some which, word in words
	input.limits[which] == 0
	not elsewhere(which)
}

deny contains {
	"message": "nothing bounds its processor time",
	"path": "limits.cpu",
	"value": false,
	"key": "cpu",
	"severity": "info",
} if {
	not input.limits.cpu
}

words := {"memory": "memory", "pids": "number of processes"}

# The processes of a pod are bounded at its parent control group, by the kubelet.
elsewhere("pids") if input.pod.name != ""
