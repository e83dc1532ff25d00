package postscan.node.kubelet_seccomp_default_test

import data.postscan.node.fixture_test as fixture
import data.postscan.node.kubelet_seccomp_default as policy

off := fixture.node({"kubelet": {"seccomp_default": false}})

test_fails if {
	count(policy.deny) == 1 with input as off
}

test_windows_has_no_seccomp if {
	not policy.applies with input as object.union(off, {"os": "windows"})
	count(policy.deny) == 0 with input as object.union(off, {"os": "windows"})
}

test_passes if {
	count(policy.deny) == 0 with input as fixture.clean
}
