package postscan.image.secret_in_layer_test

import data.postscan.image.fixture_test as fixture
import data.postscan.image.secret_in_layer as policy

secret(changes) := object.union(
	{
		"rule": "private-key",
		"category": "AsymmetricPrivateKey",
		"title": "Asymmetric Private Key",
		"severity": "high",
		"path": "root/.ssh/id_ed25519",
		"start_line": 1,
		"end_line": 7,
		"length": 399,
		"layer": 2,
		"deleted": false,
		"deleted_in": -1,
	},
	changes,
)

test_fails_for_a_file if {
	denied := policy.deny with input as fixture.image({"secrets": [secret({})]})
	denied == {{
		"message": "root/.ssh/id_ed25519 holds a credential: Asymmetric Private Key",
		"path": "secrets[0]",
		"value": {"path": "root/.ssh/id_ed25519", "rule": "private-key", "deleted": false},
		"key": "root/.ssh/id_ed25519 private-key",
	}}
}

test_fails_for_a_deleted_file_and_says_so if {
	denied := policy.deny with input as fixture.image({"secrets": [secret({"deleted": true, "deleted_in": 4})]})
	some finding in denied
	contains(finding.message, "a later layer removes the file, but this layer still has it")
	finding.value.deleted
}

test_fails_for_each_file_and_rule if {
	denied := policy.deny with input as fixture.image({"secrets": [
		secret({}),
		secret({"rule": "aws-access-key-id", "path": "root/.aws/credentials"}),
		secret({"rule": "aws-secret-access-key", "path": "root/.aws/credentials", "title": ""}),
	]})
	count({finding.key | some finding in denied}) == 3
	"root/.aws/credentials holds a credential: aws-secret-access-key" in {finding.message | some finding in denied}
	{finding.path | some finding in denied} == {"secrets[0]", "secrets[1]", "secrets[2]"}
}

test_key_holds_no_line_and_no_layer if {
	one := policy.deny with input as fixture.image({"secrets": [secret({})]})
	other := policy.deny with input as fixture.image({"secrets": [secret({"layer": 9, "start_line": 40, "end_line": 46})]})
	{finding.key | some finding in one} == {finding.key | some finding in other}
}

test_passes_without_secrets if {
	denied := policy.deny with input as fixture.clean
	count(denied) == 0
}
