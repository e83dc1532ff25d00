package postscan.namespace.no_quota_test

import data.postscan.namespace.fixture_test as fixture
import data.postscan.namespace.no_quota as policy

keys(denied) := {d.key | some d in denied}

test_fails_for_each_that_is_missing if {
	keys(policy.deny) == {"compute"} with input as fixture.namespace({"quota": false})
	keys(policy.deny) == {"objects", "limits"} with input as fixture.namespace({"quota_objects": false, "limit_range": false})
}

test_passes_with_all if {
	keys(policy.deny) == set() with input as fixture.clean
}

test_not_applicable_to_the_system if {
	not policy.applies with input as fixture.namespace({"system": true})
	keys(policy.deny) == set() with input as fixture.namespace({"system": true, "quota": false})
}
