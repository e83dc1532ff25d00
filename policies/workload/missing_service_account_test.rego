package postscan.workload.missing_service_account_test

import data.postscan.workload.fixture_test as fixture
import data.postscan.workload.missing_service_account as policy

test_fails_where_only_the_template_names_it if {
	denied := policy.deny with input as fixture.pod({"identity": {"exists": "false", "service_account": "gone", "grants": []}})
	denied == {{
		"message": "the service account gone does not exist: pods are refused until it does",
		"path": "spec.template.spec.serviceAccountName",
		"value": {"system": false, "subject": "gone", "mend": "create the service account, or correct the name"},
		"key": "gone",
		"severity": "info",
	}}
}

test_where_a_binding_names_it_the_binding_is_judged if {
	count(policy.deny) == 0 with input as fixture.pod({"identity": {"exists": "false", "grants": [{"via": ""}]}})
	denied := policy.deny with input as fixture.pod({"identity": {"exists": "false", "grants": [{"via": "system:authenticated"}]}})
	count(denied) == 1
}

test_passes_where_it_exists_or_nobody_knows if {
	count(policy.deny) == 0 with input as fixture.pod({"identity": {"exists": "true"}})
	count(policy.deny) == 0 with input as fixture.pod({"identity": {"exists": "unknown"}})
}
