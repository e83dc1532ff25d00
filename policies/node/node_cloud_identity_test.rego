package postscan.node.node_cloud_identity_test

import data.postscan.node.fixture_test as fixture
import data.postscan.node.node_cloud_identity as policy

open := fixture.node({"provider": "gce", "metadata_guard": "false"})

test_fails if {
	policy.applies with input as open
	count(policy.deny) == 1 with input as open
}

test_not_applicable if {
	not policy.applies with input as fixture.clean
	every changes in [{"provider": ""}, {"pod_per_machine": true}] {
		count(policy.deny) == 0 with input as object.union(open, changes)
	}
}

test_passes if {
	count(policy.deny) == 0 with input as object.union(open, {"metadata_guard": "true"})
}
