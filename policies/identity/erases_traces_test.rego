package postscan.identity.erases_traces_test

import data.postscan.identity.erases_traces as policy
import data.postscan.identity.fixture_test as fixture

test_fails_for_events_of_both_groups if {
	every resource in ["events", "events.events.k8s.io"] {
		every verb in ["delete", "deletecollection"] {
			denied := policy.deny with input as fixture.of([fixture.right(resource, [verb])])
			fixture.severities(denied) == {"medium"}
		}
	}
}

test_fails_for_collections_across_namespaces if {
	every resource in ["pods", "deployments.apps", "persistentvolumeclaims", "namespaces"] {
		denied := policy.deny with input as fixture.everywhere([fixture.right(resource, ["deletecollection"])])
		fixture.severities(denied) == {"medium"}
		count(policy.deny) == 0 with input as fixture.of([fixture.right(resource, ["deletecollection"])])
	}
}

test_passes_for_logs_and_single_objects if {
	count(policy.deny) == 0 with input as fixture.everywhere([fixture.right("pods/log", ["delete", "deletecollection"])])
	count(policy.deny) == 0 with input as fixture.everywhere([fixture.right("pods", ["delete"])])
	count(policy.deny) == 0 with input as fixture.everywhere([fixture.right("events", ["create", "patch"])])
	count(policy.deny) == 0 with input as fixture.clean
}

test_what_comes_with_the_cluster_is_told_apart if {
	denied := policy.deny with input as fixture.system([fixture.right("events", ["delete"])])
	fixture.severities(denied) == {"info"}
	every d in denied {
		startswith(d.message, "system: ")
		d.value.system
	}
}

test_the_group_is_judged_not_its_members if {
	count(policy.deny) == 0 with input as fixture.member([fixture.right("events", ["delete"])])
}
