package postscan.identity.changes_pods_test

import data.postscan.identity.changes_pods as policy
import data.postscan.identity.fixture_test as fixture

test_fails_for_creating_pods if {
	denied := policy.deny with input as fixture.of([fixture.right("pods", ["create"])])
	fixture.severities(denied) == {"high"}
}

test_any_write_on_an_owner_is_as_good if {
	every resource in [
		"replicationcontrollers", "deployments.apps", "daemonsets.apps", "statefulsets.apps", "replicasets.apps", "jobs.batch", "cronjobs.batch",
	] {
		every verb in ["create", "update", "patch"] {
			denied := policy.deny with input as fixture.of([fixture.right(resource, [verb])])
			fixture.severities(denied) == {"high"}
		}
	}
}

test_critical_where_pod_security_lets_anything_in if {
	denied := policy.deny with input as fixture.of([object.union(fixture.right("pods", ["create"]), {"weakest": "privileged"})])
	fixture.severities(denied) == {"critical"}
}

test_says_where_namespaces_were_not_seen if {
	unseen := fixture.of([object.union(fixture.right("pods", ["create"]), {"weakest": "unknown"})])
	count(policy.unknown) == 1 with input as unseen
	count(policy.unknown) == 0 with input as object.union(unseen, {"live": false})
	denied := policy.deny with input as unseen
	fixture.severities(denied) == {"high"}
}

test_changing_pods_alone_swaps_an_image if {
	denied := policy.deny with input as fixture.of([fixture.right("pods", ["patch", "update"])])
	fixture.severities(denied) == {"medium"}
}

test_passes_for_reading_and_deleting if {
	count(policy.deny) == 0 with input as fixture.of([fixture.right("pods", ["delete", "get", "list", "watch"])])
	count(policy.deny) == 0 with input as fixture.clean
}

test_what_comes_with_the_cluster_is_told_apart if {
	denied := policy.deny with input as fixture.system([fixture.right("pods", ["create"])])
	fixture.severities(denied) == {"info"}
	every d in denied {
		startswith(d.message, "system: ")
		d.value.system
	}
}

test_the_group_is_judged_not_its_members if {
	count(policy.deny) == 0 with input as fixture.member([fixture.right("pods", ["create"])])
}
