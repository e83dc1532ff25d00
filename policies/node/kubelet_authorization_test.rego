package postscan.node.kubelet_authorization_test

import data.postscan.node.fixture_test as fixture
import data.postscan.node.kubelet_authorization as policy

mode(name) := fixture.node({"kubelet": {"authorization_mode": name}})

test_fails if {
	denied := policy.deny with input as mode("AlwaysAllow")
	{d.key | some d in denied} == {"authorization"}
}

test_another_mode_is_unknown if {
	count(policy.unknown) == 1 with input as mode("")
	count(policy.deny) == 0 with input as mode("")
}

test_passes if {
	count(policy.deny) == 0 with input as fixture.clean
	count(policy.unknown) == 0 with input as fixture.clean
}
