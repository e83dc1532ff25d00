package postscan.container.no_user_namespace_test

import data.postscan.container.fixture_test as fixture
import data.postscan.container.no_user_namespace as policy

root := {"root": "yes", "namespaces": object.union(fixture.container({}).namespaces, {"user": "host"})}

test_fails if {
	count(policy.deny) == 1 with input as fixture.container(root)
	count(policy.deny) == 1 with input as fixture.container(object.union(root, {"root": "no", "no_new_privileges": false}))
}

test_passes if {
	every changes in [
		{"rootless": true}, {"sandboxed": true}, {"root": "no"},
		{"namespaces": object.union(fixture.container({}).namespaces, {"user": "private"})},
	] {
		count(policy.deny) == 0 with input as fixture.container(object.union(root, changes))
	}
}
