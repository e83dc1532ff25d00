package postscan.identity.forges_tokens_test

import data.postscan.identity.fixture_test as fixture
import data.postscan.identity.forges_tokens as policy

test_fails_for_both_in_one_place if {
	denied := policy.deny with input as fixture.of([fixture.right("secrets", ["create"]), fixture.right("secrets", ["get"])])
	fixture.severities(denied) == {"high"}
}

test_update_counts_too if {
	denied := policy.deny with input as fixture.of([fixture.right("secrets", ["list", "update"])])
	fixture.severities(denied) == {"high"}
}

test_a_name_to_read_can_be_created if {
	denied := policy.deny with input as fixture.of([fixture.right("secrets", ["create"]), fixture.named("secrets", ["get"], ["a"])])
	fixture.severities(denied) == {"high"}
}

test_each_alone_passes if {
	count(policy.deny) == 0 with input as fixture.of([fixture.right("secrets", ["create", "update", "patch"])])
	count(policy.deny) == 0 with input as fixture.of([fixture.right("secrets", ["get", "list", "watch"])])
	count(policy.deny) == 0 with input as fixture.clean
}

test_rights_that_do_not_meet_pass if {
	count(policy.deny) == 0 with input as fixture.of([
		fixture.right("secrets", ["create"]), object.union(fixture.right("secrets", ["get"]), {"namespaces": ["ops"]}),
	])
	count(policy.deny) == 0 with input as fixture.of([fixture.named("secrets", ["update"], ["a"]), fixture.named("secrets", ["get"], ["b"])])
}

test_what_comes_with_the_cluster_is_told_apart if {
	denied := policy.deny with input as fixture.system([fixture.right("secrets", ["create", "get"])])
	fixture.severities(denied) == {"info"}
	every d in denied {
		startswith(d.message, "system: ")
		d.value.system
	}
}

test_the_group_is_judged_not_its_members if {
	count(policy.deny) == 0 with input as fixture.member([fixture.right("secrets", ["create", "get"])])
}
