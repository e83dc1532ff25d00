package postscan.identity.ephemeral_containers_test

import data.postscan.identity.ephemeral_containers as policy
import data.postscan.identity.fixture_test as fixture

test_fails_for_update_and_patch if {
	denied := policy.deny with input as fixture.of([fixture.right("pods/ephemeralcontainers", ["patch"])])
	fixture.severities(denied) == {"high"}
}

test_passes_for_pods_alone if {
	count(policy.deny) == 0 with input as fixture.of([fixture.right("pods", ["patch"])])
	count(policy.deny) == 0 with input as fixture.clean
}

test_what_comes_with_the_cluster_is_told_apart if {
	denied := policy.deny with input as fixture.system([fixture.right("pods/ephemeralcontainers", ["update"])])
	fixture.severities(denied) == {"info"}
	every d in denied {
		startswith(d.message, "system: ")
		d.value.system
	}
}

test_the_group_is_judged_not_its_members if {
	count(policy.deny) == 0 with input as fixture.member([fixture.right("pods/ephemeralcontainers", ["update"])])
}
