package postscan.workload.literal_secret_test

import data.postscan.workload.fixture_test as fixture
import data.postscan.workload.literal_secret as policy

found(changes) := fixture.with_container({"literal_secrets": [object.union(
	{
		"where": "env",
		"name": "DB_PASSWORD",
		"rule": "high-entropy",
		"category": "Environment",
		"title": "Value that looks random",
		"severity": "high",
		"length": 12,
		"path": "spec.template.spec.containers[0].env[0].value",
	},
	changes,
)]})

test_fails_for_a_variable if {
	denied := policy.deny with input as found({})
	denied == {{
		"message": "the variable DB_PASSWORD of container app holds a credential: Value that looks random",
		"path": "spec.template.spec.containers[0].env[0].value",
		"value": {"where": "env", "name": "DB_PASSWORD", "rule": "high-entropy"},
		"key": "app env DB_PASSWORD high-entropy",
	}}
}

test_fails_for_arguments if {
	every case in [["args", "an argument of container app"], ["command", "the command of container app"]] {
		denied := policy.deny with input as found({"where": case[0], "name": "", "title": ""})
		{m | some d in denied; m := startswith(d.message, case[1])} == {true}
	}
}

test_passes_for_a_hardened_workload if count(policy.deny) == 0 with input as fixture.clean
