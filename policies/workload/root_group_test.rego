package postscan.workload.root_group_test

import data.postscan.workload.fixture_test as fixture
import data.postscan.workload.root_group as policy

effective(changes) := fixture.with_container({"effective": object.union(fixture.app.effective, changes)})

test_group_zero_of_the_pod_is_medium if {
	groups := policy.deny with input as fixture.pod({"supplemental_groups": [0, 2000], "fs_group": 0})
	{[d.key, d.severity] | some d in groups} == {["pod supplementalGroups", "medium"], ["pod fsGroup", "medium"]}
}

test_group_zero_or_none_of_a_container_is_low if {
	every group in [0, -1] {
		denied := policy.deny with input as effective({"group": group})
		{[d.key, d.value, d.severity] | some d in denied} == {["app group", group, "low"]}
	}
}

test_low_numbers_are_information if {
	denied := policy.deny with input as effective({"user": 1000, "group": 9999})
	{[d.key, d.value, d.severity] | some d in denied} == {["app user", 1000, "info"], ["app group", 9999, "info"]}
	count(policy.deny) == 0 with input as effective({"user": 10000, "group": 10000})
}

test_leaves_user_zero_to_other_checks if {
	count(policy.deny) == 0 with input as effective({"user": 0})
	count(policy.deny) == 0 with input as effective({"user": -1})
}

test_windows_and_a_hardened_workload if {
	not policy.applies with input as fixture.pod({"os": "windows"})
	policy.applies with input as fixture.clean
	count(policy.deny) == 0 with input as fixture.clean
}
