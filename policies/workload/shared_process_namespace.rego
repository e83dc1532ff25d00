# METADATA
# scope: package
# title: Shared process namespace
# description: |
#   The containers of the pod share their processes, and they are not the same program or have not the same rights. Each sees
#   the others' command lines, and one with the same user reads their memory, their environment and, through /proc, their
#   files. A side container that is broken into takes the application with it.
# related_resources:
#   - ref: https://kubernetes.io/docs/tasks/configure-pod-container/share-process-namespace/
#     description: Share the process namespace between containers
# schemas:
#   - input: schema["workload"]
# custom:
#   id: PS-K8S-039
#   severity: low
#   needs: [share_process_namespace, containers, pod_path]
#   remediation: |
#     Remove "shareProcessNamespace: true". For a look at a running container use an ephemeral debug container that targets it.
#   references:
#     nist-800-190: ["4.4.3"]
#     attack-containers: [T1080, T1055.008]
#     owasp-k8s: [K01]
#     isolation: [W1]
#   since: "0.1.0"
package postscan.workload.shared_process_namespace

deny contains {
	"message": sprintf("the containers %s share their processes", [concat(", ", names)]),
	"path": concat("", [input.pod_path, ".shareProcessNamespace"]),
	"value": true,
} if {
	input.share_process_namespace
	count({[c.image.reference, {name | some name in c.effective.capabilities}] | some c in input.containers; c.role != "init"}) > 1
}

# An init container has ended when the others begin.
names contains c.name if {
	some c in input.containers
	c.role != "init"
}
