# METADATA
# scope: package
# title: May run on control-plane nodes
# description: |
#   A workload that is no part of the system may be placed on a control-plane node: it tolerates that node's taint, or every
#   taint, or it is pinned to such a node. There it stands beside etcd and the keys of the API; one step out of the container
#   and the cluster is lost. Where the control plane runs is not visible in a managed cluster; the toleration is judged all the
#   same.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/
#     description: Taints and tolerations
# schemas:
#   - input: schema["workload"]
# custom:
#   id: PS-K8S-043
#   severity: medium
#   needs: [placement, namespace.system, component, pod_path]
#   optional: [nodes.control_plane]
#   remediation: |
#     Remove the toleration, or name the taints that are meant: a toleration with the operator Exists and no key takes all.
#     Remove nodeName.
#   references:
#     nist-800-190: ["4.3.5"]
#     nsa-cisa: [NET5]
#     attack-containers: [T1610]
#     owasp-k8s: [K01]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.workload.control_plane_placement

applies if {
	not input.namespace.system
	input.component == ""
}

deny contains {
	"message": sprintf("it tolerates %s", [what]),
	"path": input.placement.toleration_path,
	"value": what,
	"key": "toleration",
} if {
	applies
	input.placement.toleration_path != ""
}

deny contains {
	"message": "it is pinned to a control-plane node by nodeName",
	"path": concat("", [input.pod_path, ".nodeName"]),
	"value": true,
	"key": "nodeName",
} if {
	applies
	input.placement.node_name
	input.nodes.control_plane
}

default what := "the taint of control-plane nodes"

what := "every taint, that of control-plane nodes too" if input.placement.tolerates_everything
