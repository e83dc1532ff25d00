package postscan.workload.weak_ingress_controller_test

import data.postscan.workload.fixture_test as fixture
import data.postscan.workload.weak_ingress_controller as policy

controller(changes) := fixture.pod({"ingress_controller": object.union(
	{
		"name": "ingress-nginx",
		"version": "1.15.0",
		"snippets_allowed": "unset",
		"snippet_users": [],
		"path": "spec.template.spec.containers[0]",
	},
	changes,
)})

keys(denied) := {d.key | some d in denied}

test_the_last_release_is_retired_all_the_same if {
	keys(policy.deny) == {"retired"} with input as controller({})
	denied := policy.deny with input as controller({})
	{d.path | some d in denied} == {"spec.template.spec.containers[0].image"}
}

test_versions_before_the_fix if {
	every v in ["1.9.4", "1.11.4", "1.12.0", "0.49.3", "1.11.3-debian-12-r0"] {
		keys(policy.deny) == {"retired", "CVE-2025-1974"} with input as controller({"version": v})
	}
}

test_versions_with_the_fix if {
	every v in ["1.11.5", "1.11.10", "1.12.1", "1.13.0", "1.11.5-debian-12-r0"] {
		keys(policy.deny) == {"retired"} with input as controller({"version": v})
	}
}

test_snippets if {
	keys(policy.deny) == {"retired", "snippets"} with input as controller({"snippets_allowed": "true"})
}

test_unknown if {
	count(policy.unknown) == 1 with input as controller({"version": ""})
	count(policy.unknown) == 0 with input as controller({})
}

test_not_applicable_to_others if {
	not policy.applies with input as fixture.clean
	count(policy.deny) == 0 with input as fixture.clean
	count(policy.unknown) == 0 with input as fixture.clean
}
