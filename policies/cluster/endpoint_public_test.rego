package postscan.cluster.endpoint_public_test

import data.postscan.cluster.endpoint_public as policy
import data.postscan.cluster.fixture_test as fixture

test_fails if {
	denied := policy.deny with input as fixture.cluster({"endpoint": {"public": "true", "restricted": "false"}})
	{d.value | some d in denied} == {"10.0.0.1:6443"}
}

test_what_limits_it_may_not_be_known if {
	every restricted in ["true", "unknown"] {
		count(policy.deny) == 0 with input as fixture.cluster({"endpoint": {"public": "true", "restricted": restricted}})
	}
}

test_unknown if {
	count(policy.unknown) == 1 with input as fixture.cluster({"endpoint": {"public": "unknown"}})
	count(policy.unknown) == 0 with input as fixture.clean
}

test_passes if {
	count(policy.deny) == 0 with input as fixture.clean
}
