package postscan.workload.capabilities_not_dropped_test

import data.postscan.workload.capabilities_not_dropped as policy
import data.postscan.workload.fixture_test as fixture

test_fails_without_drop_all if {
	every drop in [[], ["NET_RAW"], ["all"]] {
		denied := policy.deny with input as fixture.with_container({"capabilities_drop": drop}) with data.params as fixture.params
		{d.key | some d in denied} == {"app"}
	}
}

test_fails_for_an_added_capability if {
	denied := policy.deny with input as fixture.with_container({"capabilities_add": ["NET_BIND_SERVICE", "CHOWN"]})
		with data.params as fixture.params
	{d.key | some d in denied} == {"app CHOWN"}
}

test_passes_for_a_hardened_workload if {
	policy.applies with input as fixture.clean with data.params as fixture.params
	count(policy.deny) == 0 with input as fixture.clean with data.params as fixture.params
}

test_not_applicable_before_its_version if {
	not policy.applies with input as fixture.clean with data.params as {"pss_version": "v1.21"}
}

test_windows_is_exempt_from_1_25 if {
	windows := fixture.pod({"os": "windows"})
	policy.applies with input as windows with data.params as {"pss_version": "v1.24"}
	not policy.applies with input as windows with data.params as {"pss_version": "v1.25"}
}
