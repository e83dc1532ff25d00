package postscan.node.kubelet_pids_test

import data.postscan.node.fixture_test as fixture
import data.postscan.node.kubelet_pids as policy

limit(n) := fixture.node({"kubelet": {"pod_pids_limit": n}})

test_fails if {
	every n in [-1, 0] {
		count(policy.deny) == 1 with input as limit(n)
	}
}

test_windows_has_no_such_limit if {
	count(policy.deny) == 0 with input as object.union(limit(-1), {"os": "windows"})
}

test_passes if {
	count(policy.deny) == 0 with input as fixture.clean
}
