package postscan.workload.cached_image_reuse_test

import data.postscan.workload.cached_image_reuse as policy
import data.postscan.workload.fixture_test as fixture

workload(always, nodes, policy_name) := object.union(
	fixture.with_container({"pull_policy": policy_name}),
	{"cluster": {"always_pull_images": always}, "nodes": nodes},
)

old := {"kubelet_minor": 34, "other_classes": ["red/high"], "pull_verification": "unknown"}

test_fails_beside_other_tenants_on_old_nodes if {
	every name in ["IfNotPresent", "Never"] {
		denied := policy.deny with input as workload("false", old, name)
		{[d.key, d.value] | some d in denied} == {["app", name]}
	}
}

test_fails_where_the_check_is_switched_off if {
	nodes := object.union(old, {"kubelet_minor": 36, "pull_verification": "NeverVerify"})
	count(policy.deny) == 1 with input as workload("false", nodes, "IfNotPresent")
}

test_passes_where_somebody_checks if {
	every case in [
		["true", old, "IfNotPresent"],
		["false", old, "Always"],
		["false", object.union(old, {"other_classes": []}), "IfNotPresent"],
		["false", object.union(old, {"kubelet_minor": 35, "pull_verification": "NeverVerifyPreloadedImages"}), "IfNotPresent"],
	] {
		count(policy.deny) == 0 with input as workload(case[0], case[1], case[2])
		count(policy.unknown) == 0 with input as workload(case[0], case[1], case[2])
	}
}

test_unknown_where_it_cannot_be_seen if {
	count(policy.unknown) == 1 with input as workload("unknown", old, "IfNotPresent")
	count(policy.unknown) == 1 with input as workload("false", object.union(old, {"kubelet_minor": 35}), "IfNotPresent")
	count(policy.unknown) == 0 with input as workload("unknown", old, "Always")
}
