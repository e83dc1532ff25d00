package postscan.workload.violates_enforced_level_test

import data.postscan.workload.fixture_test as fixture
import data.postscan.workload.violates_enforced_level as policy

enforced(level, minor) := {"running": true, "namespace": {"pod_security": {"enforce": level, "enforce_minor": minor}}}

privileged := object.union(fixture.with_container({"privileged": true}), enforced("baseline", 999))

no_profile := object.union(
	fixture.pod({"security_context": {"seccomp": "unset"}}),
	enforced("restricted", 999),
)

test_fails_for_a_running_pod_that_admission_would_refuse if {
	denied := policy.deny with input as privileged with data.params as fixture.params
	{d.value | some d in denied} == {{"privileged": ["spec.template.spec.containers[0].securityContext.privileged"]}}
	count(policy.deny) == 1 with input as no_profile with data.params as fixture.params
}

test_passes_at_its_level if {
	count(policy.deny) == 0 with input as object.union(fixture.clean, enforced("restricted", 999)) with data.params as fixture.params
	baseline := object.union(no_profile, enforced("baseline", 999))
	count(policy.deny) == 0 with input as baseline with data.params as fixture.params
}

test_the_label_decides_the_version_and_not_the_parameter if {
	old := object.union(no_profile, enforced("restricted", 18))
	count(policy.deny) == 0 with input as old with data.params as fixture.params
	params := object.union(fixture.params, {"pss_version": "latest"})
	count(policy.deny) == 0 with input as old with data.params as params
	current := object.union(fixture.params, {"pss_version": "v1.18"})
	count(policy.deny) == 1 with input as no_profile with data.params as current
}

test_the_cluster_knows_no_newer_version_than_itself if {
	old := object.union(no_profile, {"cluster": {"minor": 18}})
	count(policy.deny) == 0 with input as old with data.params as fixture.params
	new := object.union(no_profile, {"cluster": {"minor": 37}})
	count(policy.deny) == 1 with input as new with data.params as fixture.params
}

test_not_applicable_where_nothing_runs_or_nothing_is_enforced if {
	not policy.applies with input as object.union(privileged, {"running": false}) with data.params as fixture.params
	not policy.applies with input as object.union(privileged, enforced("privileged", 999)) with data.params as fixture.params
	count(policy.deny) == 0 with input as object.union(privileged, {"running": false}) with data.params as fixture.params
}
