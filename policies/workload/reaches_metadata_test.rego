package postscan.workload.reaches_metadata_test

import data.postscan.workload.fixture_test as fixture
import data.postscan.workload.reaches_metadata as policy

workload(provider, guard, reach) := fixture.pod({
	"nodes": {"provider": provider, "metadata_guard": guard},
	"network": {"metadata_addresses": [
		{"address": "169.254.169.254", "reach": reach[0]},
		{"address": "fd00:ec2::254", "reach": reach[1]},
		{"address": "168.63.129.16", "reach": reach[2]},
	]},
})

alike(how) := [how, how, how]

test_fails_on_unguarded_nodes if {
	denied := policy.deny with input as workload("gce", "false", alike("allowed"))
	{d.value | some d in denied} == {["169.254.169.254"]}
	count(policy.deny) == 1 with input as workload("gce", "mixed", alike("allowed"))
}

test_each_cloud_has_its_own_addresses if {
	aws := policy.deny with input as workload("aws", "false", ["blocked", "allowed", "allowed"])
	{d.value | some d in aws} == {["fd00:ec2::254"]}
	azure := policy.deny with input as workload("azure", "false", ["blocked", "allowed", "allowed"])
	{d.value | some d in azure} == {["168.63.129.16"]}
	count(policy.deny) == 0 with input as workload("gce", "false", ["blocked", "allowed", "allowed"])
}

test_passes_behind_a_policy_or_a_guard if {
	count(policy.deny) == 0 with input as workload("aws", "false", alike("blocked"))
	count(policy.deny) == 0 with input as workload("gce", "true", alike("allowed"))
	count(policy.unknown) == 0 with input as workload("gce", "true", alike("unknown"))
}

test_unknown_where_a_policy_is_not_read if {
	count(policy.deny) == 0 with input as workload("gce", "false", alike("unknown"))
	count(policy.unknown) == 1 with input as workload("gce", "false", alike("unknown"))
}

test_not_applicable_where_there_is_no_such_service if {
	not policy.applies with input as workload("vsphere", "false", alike("allowed"))
	count(policy.deny) == 0 with input as workload("kind", "false", alike("allowed"))
}
