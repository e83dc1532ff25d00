package postscan.container.host_namespace_test

import data.postscan.container.fixture_test as fixture
import data.postscan.container.host_namespace as policy

with_namespaces(changes) := fixture.container({"namespaces": object.union(fixture.container({}).namespaces, changes)})

test_fails_for_the_host_and_for_a_container_that_is_as_good if {
	every changes in [
		{"pid": "host"}, {"network": "host"},
		{
			"pid": "container", "pid_of": "agent", "other_privileged": "true",
		},
		{"network": "container", "network_of": "agent", "other_privileged": "true"},
	] {
		count(policy.deny) == 1 with input as with_namespaces(changes)
	}
}

test_passes if {
	every changes in [{}, {"pid": "container", "pid_of": "app", "other_privileged": "false"}, {"network": "pod"}] {
		count(policy.deny) == 0 with input as with_namespaces(changes)
	}
}
