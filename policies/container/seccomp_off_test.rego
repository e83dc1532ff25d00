package postscan.container.seccomp_off_test

import data.postscan.container.fixture_test as fixture
import data.postscan.container.seccomp_off as policy

test_fails if count(policy.deny) == 1 with input as fixture.container({"seccomp": "Unconfined"})

test_passes if {
	every changes in [
		{}, {"seccomp": "Localhost"}, {"seccomp": "Unconfined", "privileged": true},
		{"seccomp": "Unconfined", "sandboxed": true},
	] {
		count(policy.deny) == 0 with input as fixture.container(changes)
	}
}
