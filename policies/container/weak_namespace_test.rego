package postscan.container.weak_namespace_test

import data.postscan.container.fixture_test as fixture
import data.postscan.container.weak_namespace as policy

with_namespaces(changes) := fixture.container({"namespaces": object.union(fixture.container({}).namespaces, changes)})

test_fails_for_each if {
	every changes in [{"ipc": "host"}, {"uts": "host"}] {
		count(policy.deny) == 1 with input as with_namespaces(changes)
	}
	count(policy.deny) == 1 with input as object.union(with_namespaces({"cgroup": "host"}), {"cgroup_namespace_asked": true})
	count(policy.deny) == 1 with input as object.union(with_namespaces({"user": "host"}), {"engine_remaps": true})
	count(policy.deny) == 1 with input as fixture.container({"cgroup_parent": "/other"})
}

test_passes if {
	every changes in [{}, {"cgroup": "host"}, {"user": "host"}, {"uts": "host", "network": "host"}] {
		count(policy.deny) == 0 with input as with_namespaces(changes)
	}
	count(policy.deny) == 0 with input as fixture.container({"cgroup_parent": "/docker/build"})
}
