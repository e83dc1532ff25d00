package postscan.node.shared_or_public_test

import data.postscan.node.fixture_test as fixture
import data.postscan.node.shared_or_public as policy

found(denied) := {[d.key, d.severity] | some d in denied}

test_fails if {
	found(policy.deny) == {["taint", "medium"]} with input as fixture.node({"control_plane": true})
	found(policy.deny) == {["address", "medium"]} with input as fixture.node({"public": true})
}

test_some_are_meant_so if {
	found(policy.deny) == {["taint", "info"]} with input as fixture.node({"control_plane": true, "single": true})
	found(policy.deny) == {["taint", "info"]} with input as fixture.node({"control_plane": true, "cluster": {"distribution": "k3s"}})
}

test_passes if {
	found(policy.deny) == set() with input as fixture.node({"control_plane": true, "tainted": true, "public": true})
	count(policy.deny) == 0 with input as fixture.clean
}
