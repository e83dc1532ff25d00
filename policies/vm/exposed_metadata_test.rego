package postscan.vm.exposed_metadata_test

import data.postscan.vm.exposed_metadata as policy
import data.postscan.vm.fixture_test as fixture

test_fails_where_no_token_is_asked_for if {
	policy.deny == {{
		"message": "the metadata service answers without a session token (IMDSv1)",
		"path": "metadata.tokenless",
		"value": true,
		"key": "tokenless",
		"severity": "high",
	}} with input as fixture.machine({"metadata": {"tokenless": true}})
}

test_passes_where_a_cloud_has_no_tokens if {
	every provider in {"gce", "azure", "openstack", "none"} {
		count(policy.deny) == 0 with input as fixture.machine({"metadata": {"provider": provider, "tokenless": true}})
	}
}

test_medium_where_ordinary_accounts_reach_it if {
	{[finding.key, finding.severity] | some finding in policy.deny} == {["ordinary accounts", "medium"]}
		with input as fixture.machine({"metadata": {"unprivileged": "yes"}})
	count(policy.deny) == 0 with input as fixture.machine({"metadata": {"unprivileged": ""}})
}

test_fails_for_a_credential_in_user_data if {
	file := {"path": "/var/lib/cloud/instances/i-1/user-data.txt", "mode": "0644", "readable": true, "secrets": ["aws-access-key-id"]}
	{finding.message | some finding in policy.deny} == {concat(" ", [
		"/var/lib/cloud/instances/i-1/user-data.txt holds a credential",
		"(aws-access-key-id) and is readable by every account",
	])} with input as fixture.machine({"bootstrap": [file]})
	count(policy.deny) == 0 with input as fixture.machine({"bootstrap": [object.union(file, {"secrets": []})]})
}

test_passes_for_the_clean_machine if {
	count(policy.deny) == 0 with input as fixture.clean
}
