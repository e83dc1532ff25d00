package postscan.workload.may_run_as_root_test

import data.postscan.workload.fixture_test as fixture
import data.postscan.workload.may_run_as_root as policy

pod(value) := fixture.pod({"security_context": {"run_as_non_root": value}})

container(value) := fixture.with_container({"security_context": object.union(
	fixture.app.security_context,
	{"run_as_non_root": value},
)})

test_fails_where_nobody_says if {
	denied := policy.deny with input as pod("unset")
	{d.key | some d in denied} == {"app"}
}

test_fails_for_false_on_the_container if {
	denied := policy.deny with input as container("false")
	{d.key | some d in denied} == {"app"}
}

test_fails_for_false_on_the_pod_although_the_container_says_true if {
	workload := object.union(container("true"), {"security_context": {"run_as_non_root": "false"}})
	denied := policy.deny with input as workload
	{d.key | some d in denied} == {"pod"}
}

test_passes_where_the_pod_or_the_container_says_so if {
	count(policy.deny) == 0 with input as fixture.clean
	count(policy.deny) == 0 with input as object.union(container("true"), {"security_context": {"run_as_non_root": "unset"}})
}

test_user_namespace_is_enough_from_1_35 if {
	every context in [{"run_as_non_root": "false"}, {"run_as_non_root": "unset"}] {
		workload := fixture.pod({"host_users": "false", "security_context": context})
		count(policy.deny) > 0 with input as workload with data.params as {"pss_version": "v1.34"}
		count(policy.deny) == 0 with input as workload with data.params as {"pss_version": "v1.35"}
	}
	container := {"security_context": object.union(fixture.app.security_context, {"run_as_non_root": "false"})}
	own := object.union(fixture.with_container(container), {"host_users": "false"})
	count(policy.deny) == 1 with input as own with data.params as {"pss_version": "v1.34"}
	count(policy.deny) == 0 with input as own with data.params as {"pss_version": "v1.35"}
}
