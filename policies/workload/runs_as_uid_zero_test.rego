package postscan.workload.runs_as_uid_zero_test

import data.postscan.workload.fixture_test as fixture
import data.postscan.workload.runs_as_uid_zero as policy

test_fails_for_user_0_on_the_pod if {
	denied := policy.deny with input as fixture.pod({"security_context": {"run_as_user": 0}})
	denied == {{
		"message": "the pod asks for user 0",
		"path": "spec.template.spec.securityContext.runAsUser",
		"value": 0,
		"key": "pod",
	}}
}

test_fails_for_user_0_on_a_container if {
	context := object.union(fixture.app.security_context, {"run_as_user": 0})
	denied := policy.deny with input as fixture.with_container({"security_context": context})
	{d.key | some d in denied} == {"app"}
}

test_passes_for_another_user_or_none if {
	count(policy.deny) == 0 with input as fixture.clean
	count(policy.deny) == 0 with input as fixture.pod({"security_context": {"run_as_user": -1}})
}

test_versions if {
	not policy.applies with input as fixture.clean with data.params as {"pss_version": "v1.22"}
	policy.applies with input as fixture.clean with data.params as {"pss_version": "v1.23"}
}

test_user_namespace_is_enough_from_1_35 if {
	pod := fixture.pod({"host_users": "false", "security_context": {"run_as_user": 0}})
	container := {"security_context": object.union(fixture.app.security_context, {"run_as_user": 0})}
	own := object.union(fixture.with_container(container), {"host_users": "false"})
	every workload in [pod, own] {
		count(policy.deny) == 1 with input as workload with data.params as {"pss_version": "v1.34"}
		count(policy.deny) == 0 with input as workload with data.params as {"pss_version": "v1.35"}
	}
}
