package postscan.node.kubelet_hygiene_test

import data.postscan.node.fixture_test as fixture
import data.postscan.node.kubelet_hygiene as policy

keys(denied) := {d.key | some d in denied}

test_fails if {
	case_1 := fixture.node({"kubelet": {"protect_kernel_defaults": false}})
	keys(policy.deny) == {"kubelet.protect_kernel_defaults"} with input as case_1
	keys(policy.deny) == {"kubelet.iptables_util_chains"} with input as fixture.node({"kubelet": {"iptables_util_chains": false}})
	keys(policy.deny) == {"kubelet.streaming_idle_seconds"} with input as fixture.node({"kubelet": {"streaming_idle_seconds": 0}})
	keys(policy.deny) == {"kubelet.event_record_qps"} with input as fixture.node({"kubelet": {"event_record_qps": 1}})
}

test_no_bound_of_events_is_fine if {
	keys(policy.deny) == set() with input as fixture.node({"kubelet": {"event_record_qps": 0}})
}

test_fails_for_another_name if {
	flags := [{"name": "config", "value": "/c", "path": ""}, {"name": "hostname-override", "value": "web", "path": ""}]
	denied := policy.deny with input as fixture.node({"kubelet_flags": flags})
	{d.path | some d in denied} == {"kubelet_flags[1]"}
}

test_windows_has_no_kernel_defaults if {
	case := fixture.node({"os": "windows", "kubelet": {"protect_kernel_defaults": false}})
	count(policy.deny) == 0 with input as case
}

test_passes if {
	count(policy.deny) == 0 with input as fixture.clean
}
