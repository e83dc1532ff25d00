package postscan.node.profiling_test

import data.postscan.node.fixture_test as fixture
import data.postscan.node.profiling as policy

keys(denied) := {d.key | some d in denied}

both := {"debug_flags_handler", "profiling_handler"}

on := {"debug_flags_handler": true, "profiling_handler": true}

test_fails_where_others_may_ask if {
	keys(policy.deny) == both with input as fixture.node({"kubelet_callers": ["Group/ops"], "kubelet": on})
	keys(policy.deny) == both with input as fixture.node({"kubelet": object.union(on, {"authorization_mode": "AlwaysAllow"})})
	case_1 := fixture.node({"kubelet_callers": ["Group/ops"], "kubelet": {"system_log_query": true}})
	keys(policy.deny) == {"system_log_query"} with input as case_1
}

test_administrators_may_ask if {
	keys(policy.deny) == set() with input as fixture.node({"kubelet": object.union(on, {"system_log_query": true})})
}

test_nothing_answers_without_the_handlers if {
	off := object.union(on, {"debugging_handlers": false, "system_log_query": true})
	keys(policy.deny) == set() with input as fixture.node({"kubelet_callers": ["Group/ops"], "kubelet": off})
}

test_passes if {
	count(policy.deny) == 0 with input as fixture.clean
}
