package postscan.workload.seccomp_not_set_test

import data.postscan.workload.fixture_test as fixture
import data.postscan.workload.seccomp_not_set as policy

pod(profile) := fixture.pod({"security_context": {"seccomp": profile}})

nodes(value) := {"nodes": {"seccomp_default": value}}

test_fails_where_nobody_names_one if {
	denied := policy.deny with input as pod("unset")
	{[d.key, d.severity] | some d in denied} == {["app", "medium"]}
}

test_information_where_the_nodes_have_a_default if {
	denied := policy.deny with input as object.union(pod("unset"), nodes("true"))
	{d.severity | some d in denied} == {"info"}
	mixed := policy.deny with input as object.union(pod("unset"), nodes("mixed"))
	{d.severity | some d in mixed} == {"medium"}
}

test_a_privileged_container_gets_none_from_the_kubelet if {
	privileged := {"containers": [object.union(fixture.app, {"privileged": true})]}
	denied := policy.deny with input as object.union_n([pod("unset"), nodes("true"), privileged])
	{[d.severity, d.message] | some d in denied} == {["medium", "container app has no seccomp profile"]}
}

test_says_that_the_kubelets_put_one_in_place if {
	denied := policy.deny with input as object.union(pod("unset"), nodes("true"))
	{d.message | some d in denied} == {"container app has no seccomp profile; the kubelets of its nodes put RuntimeDefault in place"}
}

test_fails_for_a_container_whose_profile_filters_nothing if {
	context := object.union(fixture.app.security_context, {"seccomp": "Unconfined"})
	container := object.union(fixture.app, {"security_context": context})
	denied := policy.deny with input as object.union(pod("RuntimeDefault"), {"containers": [container]})
	{[d.key, d.path] | some d in denied} == {["app", "spec.template.spec.containers[0].securityContext.seccompProfile.type"]}
}

test_fails_for_a_profile_that_filters_nothing if {
	denied := policy.deny with input as pod("Unconfined")
	{d.key | some d in denied} == {"app", "pod"}
}

test_passes_for_a_profile_of_the_pod if {
	every profile in ["RuntimeDefault", "Localhost"] {
		count(policy.deny) == 0 with input as pod(profile)
	}
}

test_passes_for_a_profile_of_the_container if {
	context := object.union(fixture.app.security_context, {"seccomp": "RuntimeDefault"})
	count(policy.deny) == 0 with input as object.union(pod("unset"), fixture.with_container({"security_context": context}))
}

test_versions_and_windows if {
	not policy.applies with input as fixture.clean with data.params as {"pss_version": "v1.18"}
	policy.applies with input as fixture.clean with data.params as fixture.params
	not policy.applies with input as fixture.pod({"os": "windows"}) with data.params as fixture.params
	policy.applies with input as fixture.pod({"os": "windows"}) with data.params as {"pss_version": "v1.24"}
}
