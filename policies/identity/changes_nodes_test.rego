package postscan.identity.changes_nodes_test

import data.postscan.identity.changes_nodes as policy
import data.postscan.identity.fixture_test as fixture

test_fails_for_nodes if {
	denied := policy.deny with input as fixture.everywhere([fixture.right("nodes", ["patch"])])
	fixture.severities(denied) == {"medium"}
}

test_fails_for_their_status if {
	denied := policy.deny with input as fixture.everywhere([fixture.right("nodes/status", ["update"])])
	fixture.severities(denied) == {"medium"}
}

test_fails_for_eviction_and_binding if {
	denied := policy.deny with input as fixture.of([fixture.right("pods/eviction", ["create"]), fixture.right("pods/binding", ["create"])])
	fixture.severities(denied) == {"medium"}
}

test_passes_for_reading_and_for_half if {
	count(policy.deny) == 0 with input as fixture.everywhere([fixture.right("nodes", ["get", "list", "create"])])
	count(policy.deny) == 0 with input as fixture.of([fixture.right("pods/eviction", ["create"])])
	count(policy.deny) == 0 with input as fixture.of([fixture.right("pods/binding", ["create"])])
	count(policy.deny) == 0 with input as fixture.clean
}

test_what_comes_with_the_cluster_is_told_apart if {
	denied := policy.deny with input as fixture.system([fixture.right("nodes", ["delete"])])
	fixture.severities(denied) == {"info"}
	every d in denied {
		startswith(d.message, "system: ")
		d.value.system
	}
}

test_the_group_is_judged_not_its_members if {
	count(policy.deny) == 0 with input as fixture.member([fixture.right("nodes", ["delete"])])
}
