package postscan.node.kubelet_read_only_port_test

import data.postscan.node.fixture_test as fixture
import data.postscan.node.kubelet_read_only_port as policy

test_fails if {
	denied := policy.deny with input as fixture.node({"kubelet": {"read_only_port": 10255}})
	{d.value | some d in denied} == {10255}
}

test_passes if {
	count(policy.deny) == 0 with input as fixture.clean
}
