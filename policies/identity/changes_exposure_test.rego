package postscan.identity.changes_exposure_test

import data.postscan.identity.changes_exposure as policy
import data.postscan.identity.fixture_test as fixture

test_fails_for_every_kind if {
	every resource in [
		"networkpolicies.networking.k8s.io",
		"services",
		"endpoints",
		"endpointslices.discovery.k8s.io",
		"ingresses.networking.k8s.io",
		"gateways.gateway.networking.k8s.io",
		"httproutes.gateway.networking.k8s.io",
		"routes.route.openshift.io",
	] {
		denied := policy.deny with input as fixture.of([fixture.right(resource, ["patch"])])
		fixture.severities(denied) == {"medium"}
		count(policy.deny) == 0 with input as object.union(fixture.of([fixture.right(resource, ["patch"])]), {"type": "User"})
	}
}

test_a_status_counts_for_people_too if {
	every resource in ["services/status", "pods/status"] {
		denied := policy.deny with input as object.union(fixture.of([fixture.right(resource, ["update"])]), {"type": "Group"})
		fixture.severities(denied) == {"medium"}
	}
}

test_endpoints_left_in_edit_count_for_people_too if {
	old := object.union(
		fixture.of([fixture.right("endpoints", ["update"])]),
		{"type": "User", "grants": [object.union(fixture.cluster_grant, {"role": {"name": "edit"}})]},
	)
	denied := policy.deny with input as old
	fixture.severities(denied) == {"medium"}
	count(policy.deny) == 0 with input as object.union(fixture.of([fixture.right("endpoints", ["update"])]), {"type": "User"})
}

test_passes_for_reading_and_deleting if {
	count(policy.deny) == 0 with input as fixture.of([fixture.right("services", ["delete"])])
	count(policy.deny) == 0 with input as fixture.clean
}

test_what_comes_with_the_cluster_is_told_apart if {
	denied := policy.deny with input as fixture.system([fixture.right("services", ["update"])])
	fixture.severities(denied) == {"info"}
	every d in denied {
		startswith(d.message, "system: ")
		d.value.system
	}
}

test_the_group_is_judged_not_its_members if {
	count(policy.deny) == 0 with input as fixture.member([fixture.right("services", ["update"])])
}
