package postscan.image.secret_in_config_test

import data.postscan.image.fixture_test as fixture
import data.postscan.image.secret_in_config as policy

secret(changes) := object.union(
	{
		"where": "env",
		"name": "API_TOKEN",
		"index": 3,
		"rule": "github-pat",
		"category": "GitHub",
		"title": "GitHub Personal Access Token",
		"severity": "critical",
		"length": 40,
	},
	changes,
)

test_fails_for_a_variable if {
	denied := policy.deny with input as fixture.image({"config_secrets": [secret({})]})
	denied == {{
		"message": "the environment variable API_TOKEN holds a credential: GitHub Personal Access Token",
		"path": "config_secrets[0]",
		"value": {"where": "env", "name": "API_TOKEN", "rule": "github-pat"},
		"key": "env API_TOKEN github-pat",
	}}
}

test_fails_in_every_place if {
	every case in [
		{"where": "label", "name": "token", "begins": "the label token holds"},
		{"where": "entrypoint", "name": "", "begins": "the entrypoint holds"},
		{"where": "cmd", "name": "", "begins": "the command holds"},
		{"where": "history", "name": "", "begins": "step 4 of the build history holds"},
		{"where": "elsewhere", "name": "x", "begins": "elsewhere x holds"},
	] {
		denied := policy.deny with input as fixture.image({"config_secrets": [secret({"where": case.where, "name": case.name})]})
		count(denied) == 1
		some finding in denied
		startswith(finding.message, case.begins)
	}
}

test_fails_for_high_entropy_without_a_title if {
	denied := policy.deny with input as fixture.image({"config_secrets": [secret({"rule": "high-entropy", "title": ""})]})
	some finding in denied
	endswith(finding.message, "holds a credential: high-entropy")
}

test_fails_once_for_each_secret_and_keys_hold_no_index if {
	denied := policy.deny with input as fixture.image({"config_secrets": [
		secret({"where": "history", "name": "", "index": 4}),
		secret({"where": "history", "name": "", "index": 9}),
		secret({}),
	]})
	count(denied) == 3
	{finding.key | some finding in denied} == {"history  github-pat", "env API_TOKEN github-pat"}
}

test_passes_without_secrets if {
	denied := policy.deny with input as fixture.clean
	count(denied) == 0
}
