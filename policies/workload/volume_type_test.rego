package postscan.workload.volume_type_test

import data.postscan.lib.pod_security_controls
import data.postscan.workload.fixture_test as fixture
import data.postscan.workload.volume_type as policy

test_fails_for_other_kinds if {
	every type in ["hostPath", "nfs", "iscsi", "flexVolume", "somethingNew"] {
		denied := policy.deny with input as fixture.with_volume({"type": type})
		{[d.path, d.severity] | some d in denied} == {["spec.template.spec.volumes[1]", "low"]}
	}
}

test_git_is_high_unless_the_nodes_have_it_off if {
	git := object.union(fixture.with_volume({"type": "gitRepo"}), {"cluster": {"minor": 35}})
	denied := policy.deny with input as git
	{d.severity | some d in denied} == {"high"}
	old := policy.deny with input as object.union(git, {"nodes": {"kubelet_minor": 32}})
	{d.severity | some d in old} == {"high"}
	off := policy.deny with input as object.union(git, {"nodes": {"kubelet_minor": 33}})
	{d.severity | some d in off} == {"low"}
	new := policy.deny with input as object.union(git, {"cluster": {"minor": 36}})
	{d.severity | some d in new} == {"low"}
}

test_passes_for_the_list if {
	every type in pod_security_controls.volume_types {
		count(policy.deny) == 0 with input as fixture.with_volume({"type": type})
	}
}
