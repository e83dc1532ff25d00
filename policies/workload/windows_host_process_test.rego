package postscan.workload.windows_host_process_test

import data.postscan.workload.fixture_test as fixture
import data.postscan.workload.windows_host_process as policy

test_fails_on_the_pod if {
	denied := policy.deny with input as fixture.pod({"security_context": {"host_process": "true"}})
	{d.path | some d in denied} == {"spec.template.spec.securityContext.windowsOptions.hostProcess"}
}

test_fails_on_a_container if {
	context := object.union(fixture.app.security_context, {"host_process": "true"})
	denied := policy.deny with input as fixture.with_container({"security_context": context})
	{d.key | some d in denied} == {"app"}
}

test_passes_otherwise if {
	count(policy.deny) == 0 with input as fixture.clean
	count(policy.deny) == 0 with input as fixture.pod({"security_context": {"host_process": "false"}})
}
