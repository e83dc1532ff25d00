package postscan.workload.in_default_namespace_test

import data.postscan.workload.fixture_test as fixture
import data.postscan.workload.in_default_namespace as policy

test_fails_in_default if {
	denied := policy.deny with input as fixture.pod({"namespace": {"name": "default"}})
	{d.path | some d in denied} == {"metadata.namespace"}
}

test_passes_elsewhere if {
	count(policy.deny) == 0 with input as fixture.clean
	count(policy.deny) == 0 with input as fixture.pod({"namespace": {"name": "default-backend"}})
}
