package postscan.workload.token_not_needed_test

import data.postscan.workload.fixture_test as fixture
import data.postscan.workload.token_not_needed as policy

workload(identity, changes) := object.union(fixture.pod({"identity": identity}), changes)

test_fails_for_an_account_without_rights if {
	denied := policy.deny with input as workload({"automount": true, "automount_from": "default"}, {"live": true})
	denied == {{
		"message": "the token of the service account web is mounted, and the account has no rights to use it for",
		"path": "spec.template.spec.automountServiceAccountToken",
		"value": "default",
	}}
}

test_fails_for_a_workload_that_needs_no_api if {
	every live in [true, false] {
		changes := {"live": live, "class": {"api_free": true}}
		denied := policy.deny with input as workload({"automount": true, "bound": true}, changes)
		count(denied) == 1
	}
}

test_passes_with_rights_and_without_token if {
	count(policy.deny) == 0 with input as workload({"automount": true, "bound": true}, {"live": true})
	count(policy.deny) == 0 with input as workload({"automount": false}, {"live": true, "class": {"api_free": true}})
}

# The files need not hold the bindings.
test_manifests_do_not_show_that_there_are_no_rights if {
	count(policy.deny) == 0 with input as workload({"automount": true}, {"live": false})
}
