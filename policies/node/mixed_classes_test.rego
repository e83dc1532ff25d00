package postscan.node.mixed_classes_test

import data.postscan.node.mixed_classes as policy

node(classes) := {"classes": classes, "pod_per_machine": false}

keys(denied) := {d.key | some d in denied}

test_fails_for_two_tenants_or_levels if {
	keys(policy.deny) == {"tenants"} with input as node(["blue/", "red/"])
	keys(policy.deny) == {"sensitivities"} with input as node(["blue/high", "blue/low"])
	keys(policy.deny) == {"tenants", "sensitivities"} with input as node(["blue/high", "red/low"])
}

test_passes_for_one_class_and_for_what_cannot_be_compared if {
	keys(policy.deny) == set() with input as node([])
	keys(policy.deny) == set() with input as node(["blue/high"])
	keys(policy.deny) == set() with input as node(["blue/", "blue/high"])
	keys(policy.deny) == set() with input as node(["blue/", "/high"])
}

test_not_applicable_where_each_pod_has_a_machine if {
	machine := object.union(node(["blue/", "red/"]), {"pod_per_machine": true})
	not policy.applies with input as machine
	keys(policy.deny) == set() with input as machine
}
