package postscan.workload.api_proxy_test

import data.postscan.workload.api_proxy as policy
import data.postscan.workload.fixture_test as fixture

test_fails if {
	denied := policy.deny with input as fixture.with_container({"api_proxy": true})
	{[d.key, d.severity] | some d in denied} == {["app", "critical"]}
}

test_passes if {
	count(policy.deny) == 0 with input as fixture.with_container({"api_proxy": false})
	count(policy.deny) == 0 with input as fixture.clean
}
