package postscan.workload.no_ingress_policy_test

import data.postscan.workload.fixture_test as fixture
import data.postscan.workload.no_ingress_policy as policy

network(changes) := fixture.pod({"network": changes})

open(partial) := network({"ingress": {"isolated": false, "allows_all": true, "allows_outside": true, "partial": partial}})

test_fails_where_no_policy_selects_the_pod if {
	denied := policy.deny with input as open(false)
	{[d.severity, d.path] | some d in denied} == {["medium", "spec.template.metadata.labels"]}
	count(policy.unknown) == 0 with input as open(false)
}

test_passes_where_one_does_whatever_it_allows if {
	count(policy.deny) == 0 with input as fixture.clean
	wide := network({"ingress": {"isolated": true, "allows_all": true, "allows_outside": true, "partial": false}})
	count(policy.deny) == 0 with input as wide
	count(policy.unknown) == 0 with input as wide
}

test_egress_alone_is_not_enough if {
	count(policy.deny) == 1 with input as network({
		"ingress": {"isolated": false, "allows_all": true, "allows_outside": true, "partial": false},
		"egress": {"isolated": true, "allows_all": false, "allows_outside": false, "partial": false},
	})
}

test_host_network_is_told_apart if {
	host := object.union(open(false), {"host_network": true, "network": {"coverable": false}})
	denied := policy.deny with input as host
	{[d.severity, d.key] | some d in denied} == {["info", "host-network"]}
}

test_unknown_where_a_policy_is_not_read if {
	count(policy.deny) == 0 with input as open(true)
	count(policy.unknown) == 1 with input as open(true)
}
