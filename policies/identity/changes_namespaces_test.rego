package postscan.identity.changes_namespaces_test

import data.postscan.identity.changes_namespaces as policy
import data.postscan.identity.fixture_test as fixture

test_fails_for_update if {
	denied := policy.deny with input as fixture.everywhere([fixture.right("namespaces", ["update"])])
	fixture.severities(denied) == {"high"}
}

test_fails_for_the_own_namespace if {
	denied := policy.deny with input as fixture.of([fixture.right("namespaces", ["patch"])])
	fixture.severities(denied) == {"high"}
}

test_passes_with_names_and_for_others if {
	count(policy.deny) == 0 with input as fixture.everywhere([fixture.named("namespaces", ["patch"], ["shop"])])
	count(policy.deny) == 0 with input as fixture.everywhere([fixture.right("namespaces", ["create", "delete"])])
	count(policy.deny) == 0 with input as fixture.clean
}

test_what_comes_with_the_cluster_is_told_apart if {
	denied := policy.deny with input as fixture.system([fixture.right("namespaces", ["patch"])])
	fixture.severities(denied) == {"info"}
	every d in denied {
		startswith(d.message, "system: ")
		d.value.system
	}
}

test_the_group_is_judged_not_its_members if {
	count(policy.deny) == 0 with input as fixture.member([fixture.right("namespaces", ["patch"])])
}
