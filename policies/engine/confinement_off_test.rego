package postscan.engine.confinement_off_test

import data.postscan.engine.confinement_off as policy
import data.postscan.engine.fixture_test as fixture

test_fails_where_the_engine_does_not_use_it if {
	every changes in [{"apparmor": "disabled"}, {"selinux": "disabled", "apparmor": "absent"}] {
		count(policy.deny) == 1 with input as fixture.engine(changes)
	}
}

test_passes_where_it_does_or_there_is_none if {
	every changes in [
		{}, {"apparmor": "enabled"}, {"selinux": "disabled", "apparmor": "enabled"},
		{"selinux": "enabled", "apparmor": "disabled"},
	] {
		count(policy.deny) == 0 with input as fixture.engine(changes)
	}
}
