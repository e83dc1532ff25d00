package postscan.node.kubelet_sysctls_test

import data.postscan.node.fixture_test as fixture
import data.postscan.node.kubelet_sysctls as policy

allowed := fixture.node({"kubelet": {"allowed_unsafe_sysctls": ["net.core.somaxconn", "kernel.msg*"]}})

test_fails if {
	denied := policy.deny with input as allowed
	{d.message | some d in denied} == {"any pod may set net.core.somaxconn, kernel.msg*"}
}

test_passes if {
	count(policy.deny) == 0 with input as object.union(allowed, {"own_taint": true})
	count(policy.deny) == 0 with input as fixture.clean
}
