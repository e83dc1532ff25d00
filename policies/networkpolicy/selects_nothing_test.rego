package postscan.networkpolicy.selects_nothing_test

import data.postscan.networkpolicy.fixture_test as fixture
import data.postscan.networkpolicy.selects_nothing as policy

found(denied) := {[d.severity, d.key] | some d in denied}

test_selector if {
	found(policy.deny) == {["low", "selector"]} with input as fixture.policy({"matches": 0})
	found(policy.deny) == {["info", "selector"]} with input as fixture.policy({"matches": 0, "others": 0})
}

test_an_empty_selector_waits_for_pods if {
	found(policy.deny) == set() with input as fixture.policy({"matches": 0, "others": 0, "selects_all": true, "selector": "<all>"})
}

test_a_peer_that_stands_twice_is_one_finding if {
	dead := object.union(fixture.peer, {"matches": false})
	again := object.union(fixture.rule, {"peers": [object.union(dead, {"path": "spec.ingress[1].from[0]"})]})
	denied := policy.deny with input as fixture.policy({"rules": [object.union(fixture.rule, {"peers": [dead]}), again]})
	{[d.key, d.path] | some d in denied} == {["ingress app=web", "spec.ingress[0].from[0]"]}
}

test_peers if {
	found(policy.deny) == {["low", "ingress app=web"]} with input as fixture.with_peer({"matches": false})
	namespaces := fixture.with_peer({"type": "namespaces", "selector": "team=ops", "matches": false})
	found(policy.deny) == {["low", "ingress team=ops"]} with input as namespaces
}

test_passes if {
	found(policy.deny) == set() with input as fixture.clean
	found(policy.deny) == set() with input as fixture.with_rule({"peers": [fixture.block("192.0.2.0/24", 0)]})
	count(policy.unknown) == 0 with input as fixture.clean
}

test_unknown_where_it_is_not_read if {
	found(policy.deny) == set() with input as fixture.policy({"read": false, "matches": 0})
	count(policy.unknown) == 1 with input as fixture.policy({"read": false, "matches": 0})
}
