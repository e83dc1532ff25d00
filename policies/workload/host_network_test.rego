package postscan.workload.host_network_test

import data.postscan.workload.fixture_test as fixture
import data.postscan.workload.host_network as policy

test_fails_with_the_namespace_of_the_node if {
	denied := policy.deny with input as fixture.pod({"host_network": true})
	denied == {{"message": "hostNetwork is true", "path": "spec.template.spec.hostNetwork", "value": true}}
}

test_passes_for_a_hardened_workload if count(policy.deny) == 0 with input as fixture.clean
