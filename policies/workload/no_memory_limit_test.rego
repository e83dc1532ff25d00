package postscan.workload.no_memory_limit_test

import data.postscan.workload.fixture_test as fixture
import data.postscan.workload.no_memory_limit as policy

resources(changes) := fixture.with_container({"resources": changes})

test_fails_without_a_limit if {
	denied := policy.deny with input as resources({"memory_limit": "unset", "ephemeral_storage_limit": "unset"})
	{[d.key, d.severity] | some d in denied} == {["app memory", "low"], ["app ephemeral-storage", "info"]}
}

test_passes_with_a_limit_from_anywhere if {
	every source in ["container", "pod", "limit_range"] {
		count(policy.deny) == 0 with input as resources({"memory_limit": source})
	}
}

test_passes_for_containers_that_end_or_debug if {
	every role in ["init", "ephemeral"] {
		count(policy.deny) == 0 with input as fixture.with_container({"role": role, "resources": {"memory_limit": "unset"}})
	}
	count(policy.deny) == 1 with input as fixture.with_container({"role": "sidecar", "resources": {"memory_limit": "unset"}})
}
