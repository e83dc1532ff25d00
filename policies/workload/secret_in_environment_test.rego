package postscan.workload.secret_in_environment_test

import data.postscan.workload.fixture_test as fixture
import data.postscan.workload.secret_in_environment as policy

secrets(list) := fixture.with_container({"secret_env": [{
	"name": e[0],
	"secret": e[1],
	"path": sprintf("spec.template.spec.containers[0].env[%d].valueFrom.secretKeyRef", [i]),
} |
	some i, e in list
]})

test_fails_once_for_each_secret if {
	denied := policy.deny with input as secrets([["USER", "db"], ["PASS", "db"], ["TOKEN", "api"]])
	{[d.key, d.message] | some d in denied} == {
		["app db", "container app gets the Secret db as the environment variable PASS, USER"],
		["app api", "container app gets the Secret api as the environment variable TOKEN"],
	}
}

test_fails_for_all_keys if {
	denied := policy.deny with input as secrets([["", "db"], ["PASS", "db"]])
	{d.message | some d in denied} == {"container app gets the Secret db as environment variables, all keys of it"}
}

test_passes_for_a_hardened_workload if count(policy.deny) == 0 with input as fixture.clean
