package postscan.image.no_healthcheck_test

import data.postscan.image.fixture_test as fixture
import data.postscan.image.no_healthcheck as policy

test_fails_without_healthcheck if {
	denied := policy.deny with input as fixture.config({"healthcheck": "absent"}) with data.params as fixture.params
	denied == {{
		"message": "no HEALTHCHECK is defined",
		"path": "config.healthcheck",
		"value": "absent",
	}}
}

test_fails_for_none if {
	denied := policy.deny with input as fixture.config({"healthcheck": "none"}) with data.params as fixture.params
	{finding.message | some finding in denied} == {"HEALTHCHECK NONE switches the check of the base image off"}
}

test_passes_with_healthcheck if {
	policy.applies with data.params as fixture.params
	count(policy.deny) == 0 with input as fixture.clean with data.params as fixture.params
}

test_not_applicable_where_kubernetes_runs_the_images if {
	not policy.applies with data.params as object.union(fixture.params, {"require_healthcheck": false})
}
