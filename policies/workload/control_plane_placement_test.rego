package postscan.workload.control_plane_placement_test

import data.postscan.workload.control_plane_placement as policy
import data.postscan.workload.fixture_test as fixture

placed(changes) := fixture.pod({"placement": changes})

path := "spec.template.spec.tolerations[0]"

test_fails_for_the_toleration if {
	denied := policy.deny with input as placed({"tolerates_control_plane": true, "toleration_path": path})
	denied == {{
		"message": "it tolerates the taint of control-plane nodes",
		"path": path,
		"value": "the taint of control-plane nodes",
		"key": "toleration",
	}}
	every_taint := policy.deny with input as placed({"tolerates_everything": true, "toleration_path": path})
	{d.message | some d in every_taint} == {"it tolerates every taint, that of control-plane nodes too"}
}

test_fails_for_a_pinned_node if {
	pinned := object.union(placed({"node_name": true}), {"nodes": {"control_plane": true}})
	denied := policy.deny with input as pinned
	{d.key | some d in denied} == {"nodeName"}
	count(policy.deny) == 0 with input as placed({"node_name": true})
}

test_not_applicable_to_the_system if {
	tolerant := placed({"tolerates_control_plane": true, "toleration_path": path})
	every change in [{"namespace": {"system": true}}, {"component": "kube-proxy"}] {
		not policy.applies with input as object.union(tolerant, change)
		count(policy.deny) == 0 with input as object.union(tolerant, change)
	}
}

test_passes_for_a_hardened_workload if {
	policy.applies with input as fixture.clean
	count(policy.deny) == 0 with input as fixture.clean
}
