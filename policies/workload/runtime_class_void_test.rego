package postscan.workload.runtime_class_void_test

import data.postscan.workload.fixture_test as fixture
import data.postscan.workload.runtime_class_void as policy

params := object.union(fixture.params, {"sandbox_handlers": []})

class(changes) := fixture.pod({"runtime_class": object.union(
	{"name": "box", "handler": "runsc", "exists": "true", "available": "true"},
	changes,
)})

test_fails_for_a_sandbox_that_is_open if {
	open := object.union(class({}), {"host_pid": true, "host_network": true})
	denied := policy.deny with input as open with data.params as params
	{[d.key, d.severity] | some d in denied} == {["hostPID", "medium"], ["hostNetwork", "medium"]}
	privileged := object.union(class({}), {"containers": [object.union(fixture.app, {"privileged": true})]})
	denied_privileged := policy.deny with input as privileged with data.params as params
	{d.key | some d in denied_privileged} == {"privileged of container app"}
}

test_low_where_the_pod_cannot_run if {
	missing := policy.deny with input as class({"exists": "false", "available": "false"}) with data.params as params
	{[d.key, d.severity] | some d in missing} == {["missing", "low"]}
	unavailable := policy.deny with input as class({"available": "false"}) with data.params as params
	{[d.key, d.severity] | some d in unavailable} == {["handler", "low"]}
}

test_passes_for_a_whole_sandbox_and_for_other_runtimes if {
	count(policy.deny) == 0 with input as class({}) with data.params as params
	other := object.union(class({"handler": "crun"}), {"host_pid": true})
	count(policy.deny) == 0 with input as other with data.params as params
}

test_what_the_pod_voids_does_not_hang_on_the_class if {
	open := object.union(class({"exists": "unknown", "available": "unknown"}), {"host_pid": true})
	denied := policy.deny with input as open with data.params as params
	{d.key | some d in denied} == {"hostPID"}
	count(policy.deny) == 0 with input as class({"exists": "unknown"}) with data.params as params
}

test_not_applicable_without_a_class if {
	not policy.applies with input as fixture.clean
}

test_applies_to_pods_with_a_class if {
	policy.applies with input as fixture.pod({"runtime_class": {"name": "box"}})
	not policy.applies with input as fixture.clean
}
