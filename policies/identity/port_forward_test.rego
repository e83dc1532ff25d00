package postscan.identity.port_forward_test

import data.postscan.identity.fixture_test as fixture
import data.postscan.identity.port_forward as policy

version(minor, rights) := fixture.with_fields(rights, {"cluster": {"minor": minor}})

test_fails_for_create if {
	denied := policy.deny with input as fixture.of([fixture.right("pods/portforward", ["create"])])
	fixture.severities(denied) == {"medium"}
}

test_get_is_enough_before_1_35 if {
	denied := policy.deny with input as version(34, [fixture.right("pods/portforward", ["get"])])
	fixture.severities(denied) == {"medium"}
	count(policy.deny) == 0 with input as version(35, [fixture.right("pods/portforward", ["get"])])
}

test_any_verb_on_a_proxy if {
	every resource in ["pods/proxy", "services/proxy"] {
		every verb in ["create", "delete", "get", "patch", "update"] {
			denied := policy.deny with input as fixture.of([fixture.right(resource, [verb])])
			fixture.severities(denied) == {"medium"}
		}
	}
}

test_passes_without if {
	count(policy.deny) == 0 with input as fixture.clean
}

test_what_comes_with_the_cluster_is_told_apart if {
	denied := policy.deny with input as fixture.system([fixture.right("pods/proxy", ["get"])])
	fixture.severities(denied) == {"info"}
	every d in denied {
		startswith(d.message, "system: ")
		d.value.system
	}
}

test_the_group_is_judged_not_its_members if {
	count(policy.deny) == 0 with input as fixture.member([fixture.right("pods/proxy", ["get"])])
}
