package postscan.container.privileged_test

import data.postscan.container.fixture_test as fixture
import data.postscan.container.privileged as policy

test_fails if {
	some d in policy.deny with input as fixture.container({"privileged": true})
	d.severity == "critical"
}

test_fails_for_exec_sessions if count(policy.deny) == 1 with input as fixture.container({"privileged_execs": 2})

test_medium_where_the_engine_is_rootless if {
	some d in policy.deny with input as fixture.container({"privileged": true, "rootless": true})
	d.severity == "medium"
}

test_passes if count(policy.deny) == 0 with input as fixture.container({})
