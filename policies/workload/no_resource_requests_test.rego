package postscan.workload.no_resource_requests_test

import data.postscan.workload.fixture_test as fixture
import data.postscan.workload.no_resource_requests as policy

resources(changes) := fixture.with_container({"resources": changes})

test_fails_for_what_is_not_set if {
	denied := policy.deny with input as resources({"cpu_request": "unset", "cpu_limit": "unset"})
	{[d.key, d.value] | some d in denied} == {["app", ["requests.cpu", "limits.cpu"]]}
	memory := policy.deny with input as resources({"memory_request": "unset"})
	{d.value | some d in memory} == {["requests.memory"]}
}

test_passes_where_the_limit_is_the_request if {
	count(policy.deny) == 0 with input as resources({"cpu_request": "limit", "memory_request": "limit_range"})
	count(policy.deny) == 0 with input as fixture.clean
}

test_passes_for_containers_that_end_or_debug if {
	every role in ["init", "ephemeral"] {
		count(policy.deny) == 0 with input as fixture.with_container({"role": role, "resources": {"cpu_request": "unset"}})
	}
}
