package postscan.cluster.policies_not_enforced_test

import data.postscan.cluster.policies_not_enforced as policy

network(enforces, plugins, policies) := {"network": {
	"enforces": enforces,
	"plugins": plugins,
	"policies": {"kubernetes": policies, "cilium": 0, "calico": 0, "admin": 0},
}}

test_fails_without_an_engine if {
	denied := policy.deny with input as network("false", ["flannel"], 3)
	{d.message | some d in denied} == {"3 network policies exist, and flannel does not enforce them"}
	off := policy.deny with input as network("false", [], 1)
	{d.message | some d in off} == {"1 network policies exist, and the network plugin does not enforce them"}
}

test_passes_with_an_engine if {
	count(policy.deny) == 0 with input as network("true", ["calico", "flannel"], 3)
	count(policy.unknown) == 0 with input as network("true", ["calico"], 3)
}

test_unknown_where_nothing_was_recognised if {
	count(policy.deny) == 0 with input as network("unknown", [], 3)
	count(policy.unknown) == 1 with input as network("unknown", [], 3)
}

test_not_applicable_without_policies if {
	not policy.applies with input as network("false", ["flannel"], 0)
	count(policy.deny) == 0 with input as network("false", ["flannel"], 0)
}
