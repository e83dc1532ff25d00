package postscan.workload.in_system_namespace_test

import data.postscan.workload.fixture_test as fixture
import data.postscan.workload.in_system_namespace as policy

in_system(component) := fixture.pod({"component": component, "namespace": {"name": "kube-system", "system": true}})

test_fails_for_a_foreign_workload if {
	denied := policy.deny with input as in_system("")
	{d.value | some d in denied} == {"kube-system"}
	count(policy.deny) == 1 with input as fixture.pod({"namespace": {"name": "kube-public"}})
}

test_passes_for_a_component if {
	count(policy.deny) == 0 with input as in_system("coredns")
}

test_not_applicable_elsewhere if {
	not policy.applies with input as fixture.clean
	count(policy.deny) == 0 with input as fixture.pod({"namespace": {"name": "openshift-monitoring", "system": true}})
}
