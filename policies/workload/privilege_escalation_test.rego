package postscan.workload.privilege_escalation_test

import data.postscan.workload.fixture_test as fixture
import data.postscan.workload.privilege_escalation as policy

test_fails_unless_it_is_false if {
	every value in ["unset", "true"] {
		denied := policy.deny with input as fixture.with_container({"allow_privilege_escalation": value})
		{d.key | some d in denied} == {"app"}
	}
}

test_passes_for_a_hardened_workload if {
	policy.applies with input as fixture.clean with data.params as fixture.params
	count(policy.deny) == 0 with input as fixture.clean
}

test_not_applicable_before_its_version if not policy.applies with input as fixture.clean with data.params as {"pss_version": "v1.7"}

test_windows_is_exempt_from_1_25 if {
	windows := fixture.pod({"os": "windows"})
	policy.applies with input as windows with data.params as {"pss_version": "v1.24"}
	not policy.applies with input as windows with data.params as fixture.params
}
