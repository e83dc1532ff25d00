package postscan.identity.exec_test

import data.postscan.identity.exec as policy
import data.postscan.identity.fixture_test as fixture

version(minor, rights) := fixture.with_fields(rights, {"cluster": {"minor": minor}})

test_fails_for_create if {
	denied := policy.deny with input as fixture.of([fixture.right("pods/exec", ["create"])])
	fixture.severities(denied) == {"high"}
}

test_attach_is_the_same if {
	denied := policy.deny with input as fixture.of([fixture.right("pods/attach", ["create"])])
	fixture.severities(denied) == {"high"}
}

test_get_is_enough_before_1_35 if {
	every minor in [0, 29, 34] {
		denied := policy.deny with input as version(minor, [fixture.right("pods/exec", ["get"])])
		fixture.severities(denied) == {"high"}
	}
	every minor in [35, 37] {
		denied := policy.deny with input as version(minor, [fixture.right("pods/exec", ["get"])])
		fixture.severities(denied) == {"low"}
	}
}

test_passes_for_pods_alone if {
	count(policy.deny) == 0 with input as fixture.of([fixture.right("pods", ["create", "get"])])
	count(policy.deny) == 0 with input as fixture.clean
}

test_what_comes_with_the_cluster_is_told_apart if {
	denied := policy.deny with input as fixture.system([fixture.right("pods/exec", ["create"])])
	fixture.severities(denied) == {"info"}
	every d in denied {
		startswith(d.message, "system: ")
		d.value.system
	}
}

test_the_group_is_judged_not_its_members if {
	count(policy.deny) == 0 with input as fixture.member([fixture.right("pods/exec", ["create"])])
}
