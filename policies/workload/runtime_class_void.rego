# METADATA
# scope: package
# title: RuntimeClass missing, unusable or voided
# description: |
#   The pod asks for a runtime class, and does not get the isolation that it stands for. A sandbox together with the node's
#   processes, its network or a privileged container is open on that side (medium). A runtime class that does not exist, or
#   whose handler no node has, keeps the pod from running at all: that is safe, and low.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/containers/runtime-class/
#     description: Runtime class
# schemas:
#   - input: schema["workload"]
# custom:
#   id: PS-K8S-045
#   severities: [medium, low]
#   needs: [runtime_class.name, runtime_class.handler, runtime_class.exists, runtime_class.available, host_pid, host_network,
#     containers, pod_path]
#   params:
#     - name: sandbox_handlers
#       type: strings
#       default: []
#       description: Names of further runtime handlers that are a sandbox or a virtual machine
#   remediation: |
#     Remove hostPID, hostNetwork and privileged from pods in a sandbox. Make the RuntimeClass, install its handler on the
#     nodes, and give the RuntimeClass a nodeSelector that finds these nodes.
#   references:
#     nist-800-190: ["4.4.3"]
#     cwe: ["693"]
#     isolation: [W4]
#   since: "0.1.0"
package postscan.workload.runtime_class_void

import data.postscan.lib.sandbox

applies if input.runtime_class.name != ""

deny contains voids("hostPID", concat("", [input.pod_path, ".hostPID"])) if {
	sandboxed
	input.host_pid
}

deny contains voids("hostNetwork", concat("", [input.pod_path, ".hostNetwork"])) if {
	sandboxed
	input.host_network
}

deny contains voids(sprintf("privileged of container %s", [c.name]), concat("", [c.path, ".securityContext.privileged"])) if {
	sandboxed
	some c in input.containers
	c.privileged
}

deny contains {
	"message": sprintf("the runtime class %s does not exist", [input.runtime_class.name]),
	"path": concat("", [input.pod_path, ".runtimeClassName"]),
	"value": input.runtime_class.name,
	"key": "missing",
	"severity": "low",
} if {
	input.runtime_class.exists == "false"
}

deny contains {
	"message": sprintf("no node has the handler %s of the runtime class %s", [input.runtime_class.handler, input.runtime_class.name]),
	"path": concat("", [input.pod_path, ".runtimeClassName"]),
	"value": input.runtime_class.handler,
	"key": "handler",
	"severity": "low",
} if {
	input.runtime_class.exists != "false"
	input.runtime_class.available == "false"
}

sandboxed if sandbox.handler(input.runtime_class.handler)

voids(what, path) := {
	"message": sprintf("%s voids the sandbox of the runtime class %s", [what, input.runtime_class.name]),
	"path": path,
	"value": true,
	"key": what,
	"severity": "medium",
}
