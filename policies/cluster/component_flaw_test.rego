package postscan.cluster.component_flaw_test

import data.postscan.cluster.component_flaw as policy
import data.postscan.cluster.fixture_test as fixture

keys(denied) := {d.key | some d in denied}

test_fails if {
	keys(policy.deny) == {"kube-apiserver/CVE-2018-1002105"} with input as fixture.cluster({"minor": 12, "patch": 2})
}

test_passes if {
	keys(policy.deny) == set() with input as fixture.cluster({"minor": 12, "patch": 3})
	keys(policy.deny) == set() with input as fixture.cluster({"minor": 0, "patch": 0})
	count(policy.deny) == 0 with input as fixture.clean
}
