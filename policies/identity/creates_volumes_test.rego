package postscan.identity.creates_volumes_test

import data.postscan.identity.creates_volumes as policy
import data.postscan.identity.fixture_test as fixture

test_fails_with_claims if {
	denied := policy.deny with input as fixture.everywhere([
		fixture.right("persistentvolumes", ["create"]), fixture.right("persistentvolumeclaims", ["create"]),
	])
	fixture.severities(denied) == {"high"}
}

test_fails_with_pods if {
	denied := policy.deny with input as fixture.everywhere([
		fixture.right("persistentvolumes", ["create"]), fixture.right("pods", ["create"]),
	])
	fixture.severities(denied) == {"high"}
}

test_fails_with_what_makes_pods if {
	denied := policy.deny with input as fixture.everywhere([
		fixture.right("persistentvolumes", ["patch"]), fixture.right("jobs.batch", ["create"]),
	])
	fixture.severities(denied) == {"high"}
}

test_each_alone_passes if {
	count(policy.deny) == 0 with input as fixture.everywhere([fixture.right("persistentvolumes", ["create"])])
	count(policy.deny) == 0 with input as fixture.of([
		fixture.right("persistentvolumeclaims", ["create"]), fixture.right("pods", ["create"]),
	])
	count(policy.deny) == 0 with input as fixture.everywhere([
		fixture.right("persistentvolumes", ["delete", "get"]), fixture.right("pods", ["create"]),
	])
	count(policy.deny) == 0 with input as fixture.clean
}

test_what_comes_with_the_cluster_is_told_apart if {
	denied := policy.deny with input as fixture.system([fixture.right("persistentvolumes", ["create"]), fixture.right("pods", ["create"])])
	fixture.severities(denied) == {"info"}
	every d in denied {
		startswith(d.message, "system: ")
		d.value.system
	}
}

test_the_group_is_judged_not_its_members if {
	count(policy.deny) == 0 with input as fixture.member([fixture.right("persistentvolumes", ["create"]), fixture.right("pods", ["create"])])
}
