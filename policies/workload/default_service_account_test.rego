package postscan.workload.default_service_account_test

import data.postscan.workload.default_service_account as policy
import data.postscan.workload.fixture_test as fixture

identity(changes) := fixture.pod({"identity": changes})

test_fails_with_its_token if {
	denied := policy.deny with input as identity({"service_account": "default", "declared": false, "automount": true})
	denied == {{
		"message": "the token of the default service account is mounted",
		"path": "spec.template.spec.serviceAccountName",
		"value": "default",
	}}
	count(policy.deny) == 1 with input as identity({"service_account": "default", "declared": true, "automount": true})
}

test_fails_with_a_token_that_a_volume_declares if {
	projected := fixture.with_volume({"type": "projected", "tokens": [{"audience": "", "expiration_seconds": 3600, "path": "x"}]})
	count(policy.deny) == 1 with input as object.union(projected, {"identity": {"service_account": "default", "automount": false}})
}

test_passes_without_token_and_with_another_account if {
	count(policy.deny) == 0 with input as identity({"service_account": "default", "automount": false})
	count(policy.deny) == 0 with input as identity({"service_account": "web", "automount": true})
}
