package postscan.workload.seccomp_off_test

import data.postscan.workload.fixture_test as fixture
import data.postscan.workload.seccomp_off as policy

note(value) := {"container": "", "exists": true, "value": value, "path": "spec.template.metadata.annotations[a]"}

test_fails_for_unconfined_on_the_pod_and_on_a_container if {
	workload := object.union(
		fixture.pod({"security_context": {"seccomp": "Unconfined"}}),
		fixture.with_container({"security_context": object.union(fixture.app.security_context, {"seccomp": "Unconfined"})}),
	)
	pod := policy.deny with input as fixture.pod({"security_context": {"seccomp": "Unconfined"}}) with data.params as fixture.params
	{d.key | some d in pod} == {"pod"}
	container := policy.deny with input as workload with data.params as fixture.params
	{d.key | some d in container} == {"app"}
}

test_fails_for_a_profile_without_a_type if {
	denied := policy.deny with input as fixture.pod({"security_context": {"seccomp": ""}}) with data.params as fixture.params
	count(denied) == 1
}

test_passes_for_a_profile_or_none if {
	every profile in ["unset", "RuntimeDefault", "Localhost"] {
		count(policy.deny) == 0 with input as fixture.pod({"security_context": {"seccomp": profile}}) with data.params as fixture.params
	}
}

test_annotations_count_before_1_19 if {
	workload := fixture.pod({"security_context": {"seccomp": "Unconfined"}, "seccomp_annotations": [note("unconfined")]})
	denied := policy.deny with input as workload with data.params as {"pss_version": "v1.18"}
	{d.path | some d in denied} == {"spec.template.metadata.annotations[a]"}
	every value in ["runtime/default", "docker/default", "localhost/x.json"] {
		count(policy.deny) == 0 with input as fixture.pod({"seccomp_annotations": [note(value)]})
			with data.params as {"pss_version": "v1.0"}
	}
}
