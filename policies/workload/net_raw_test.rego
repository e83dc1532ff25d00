package postscan.workload.net_raw_test

import data.postscan.workload.fixture_test as fixture
import data.postscan.workload.net_raw as policy

effective(names) := fixture.with_container({"effective": object.union(fixture.app.effective, {"capabilities": names})})

test_fails_where_it_is_effective if {
	every names in [["NET_RAW", "CHOWN"], ["ALL"]] {
		denied := policy.deny with input as effective(names)
		{d.key | some d in denied} == {"app"}
	}
}

test_passes_without_it if {
	policy.applies with input as fixture.clean
	count(policy.deny) == 0 with input as effective(["CHOWN"])
	count(policy.deny) == 0 with input as fixture.clean
}

test_not_applicable_to_windows if not policy.applies with input as fixture.pod({"os": "windows"})
