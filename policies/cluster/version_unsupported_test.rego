package postscan.cluster.version_unsupported_test

import data.postscan.cluster.fixture_test as fixture
import data.postscan.cluster.version_unsupported as policy

keys(denied) := {d.key | some d in denied}

test_fails if {
	old := {"minor": 34, "support_ends": "2026-10-27", "kubelet_lowest": 33, "kubelet_highest": 34}
	keys(policy.deny) == {"support"} with input as fixture.cluster(old) with data.params as fixture.params
	keys(policy.deny) == {"behind"} with input as fixture.cluster({"kubelet_lowest": 33}) with data.params as fixture.params
	before := {"minor": 27, "kubelet_lowest": 24, "kubelet_highest": 27}
	keys(policy.deny) == {"behind"} with input as fixture.cluster(before) with data.params as fixture.params
	keys(policy.deny) == {"ahead"} with input as fixture.cluster({"kubelet_highest": 38}) with data.params as fixture.params
}

test_the_last_day_counts if {
	keys(policy.deny) == set() with input as fixture.cluster({"support_ends": "2026-11-01"}) with data.params as fixture.params
	keys(policy.deny) == {"support"} with input as fixture.cluster({"support_ends": "2026-10-31"}) with data.params as fixture.params
}

test_passes if {
	keys(policy.deny) == set() with input as fixture.cluster({"kubelet_lowest": 34}) with data.params as fixture.params
	case_1 := fixture.cluster({"kubelet_lowest": 0, "kubelet_highest": 0})
	keys(policy.deny) == set() with input as case_1 with data.params as fixture.params
	count(policy.deny) == 0 with input as fixture.clean with data.params as fixture.params
}
