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
	of_the_pod := {"containers": [object.union(fixture.app, {"privileged": true})]}
	denied := policy.deny with input as fixture.pod(of_the_pod)
	{d.message | some d in denied} == {"container app is privileged, so the seccomp profile RuntimeDefault that is named has no effect on it"}
}

test_says_so_of_the_profile_of_a_container if {
	context := object.union(fixture.app.security_context, {"seccomp": "Localhost"})
	own := {"containers": [object.union(fixture.app, {"privileged": true, "security_context": context})]}
	denied := policy.deny with input as fixture.pod(own)
	{d.message | some d in denied} == {"container app is privileged, so the seccomp profile Localhost that is named has no effect on it"}
}
