package postscan.workload.egress_not_restricted_test

import data.postscan.workload.egress_not_restricted as policy
import data.postscan.workload.fixture_test as fixture

egress(isolated, partial) := fixture.pod({"network": {"egress": {
	"isolated": isolated,
	"allows_all": isolated == false,
	"allows_outside": isolated == false,
	"partial": partial,
}}})

test_fails_without_a_policy_for_egress if {
	denied := policy.deny with input as egress(false, false)
	{d.path | some d in denied} == {"spec.template.metadata.labels"}
	count(policy.unknown) == 0 with input as egress(false, false)
}

test_passes_with_one if {
	count(policy.deny) == 0 with input as fixture.clean
	count(policy.deny) == 0 with input as egress(true, true)
	count(policy.unknown) == 0 with input as egress(true, true)
}

test_unknown_where_a_policy_is_not_read if {
	count(policy.deny) == 0 with input as egress(false, true)
	count(policy.unknown) == 1 with input as egress(false, true)
}

test_not_applicable_in_the_host_network if {
	host := object.union(egress(false, false), {"network": {"coverable": false}})
	not policy.applies with input as host
	count(policy.deny) == 0 with input as host
}

test_applies_where_a_policy_can_reach_the_pod if {
	policy.applies with input as fixture.pod({"network": {"coverable": true}})
	not policy.applies with input as fixture.pod({"network": {"coverable": false}})
}
