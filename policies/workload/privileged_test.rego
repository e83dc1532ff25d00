package postscan.workload.privileged_test

import data.postscan.workload.fixture_test as fixture
import data.postscan.workload.privileged as policy

test_fails_for_a_privileged_container if {
	named := {"security_context": {"seccomp": "unset"}}
	denied := policy.deny with input as object.union(fixture.with_container({"privileged": true}), named)
	denied == {{
		"message": "container app is privileged",
		"path": "spec.template.spec.containers[0].securityContext.privileged",
		"value": true,
		"key": "app",
	}}
}

test_passes_for_a_hardened_workload if count(policy.deny) == 0 with input as fixture.clean

test_says_that_a_profile_has_no_effect if {
	every case in [["RuntimeDefault", "unset"], ["Unconfined", "Localhost"]] {
		changes := {"security_context": {"seccomp": case[0]}, "containers": [object.union(
			fixture.app,
			{"privileged": true, "security_context": object.union(fixture.app.security_context, {"seccomp": case[1]})},
		)]}
		denied := policy.deny with input as fixture.pod(changes)
		some d in denied
		endswith(d.message, "has no effect on it")
	}
}
