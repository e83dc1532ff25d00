package postscan.container.new_privileges_test

import data.postscan.container.fixture_test as fixture
import data.postscan.container.new_privileges as policy

test_fails if count(policy.deny) == 1 with input as fixture.container({"no_new_privileges": false})

test_passes if {
	count(policy.deny) == 0 with input as fixture.container({})
	count(policy.deny) == 0 with input as fixture.container({"no_new_privileges": false, "privileged": true})
}
