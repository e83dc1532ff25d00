package postscan.workload.privileged_test

import data.postscan.workload.fixture_test as fixture
import data.postscan.workload.privileged as policy

test_fails_for_a_privileged_container if {
	denied := policy.deny with input as fixture.with_container({"privileged": true})
	denied == {{
		"message": "container app is privileged",
		"path": "spec.template.spec.containers[0].securityContext.privileged",
		"value": true,
		"key": "app",
	}}
}

test_passes_for_a_hardened_workload if count(policy.deny) == 0 with input as fixture.clean
