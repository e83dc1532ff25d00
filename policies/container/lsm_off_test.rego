package postscan.container.lsm_off_test

import data.postscan.container.fixture_test as fixture
import data.postscan.container.lsm_off as policy

test_fails if {
	every changes in [{"apparmor": "Unconfined"}, {"selinux": "disabled"}, {"selinux": "unconfined"}] {
		count(policy.deny) == 1 with input as fixture.container(changes)
	}
}

test_passes if {
	every changes in [
		{}, {"apparmor": "docker-default"}, {"selinux": "container_t"},
		{"apparmor": "Unconfined", "privileged": true},
	] {
		count(policy.deny) == 0 with input as fixture.container(changes)
	}
}
