package postscan.networkpolicy.allows_everything_test

import data.postscan.networkpolicy.allows_everything as policy
import data.postscan.networkpolicy.fixture_test as fixture

found(denied) := {[d.severity, d.path] | some d in denied}

on_every_port(peers) := fixture.with_rule({"peers": peers, "all_ports": true, "ports": 0, "port_list": []})

whole_rule := {["medium", "spec.ingress[0]"]}

first_peer := {["medium", "spec.ingress[0].from[0]"]}

test_empty_rule if {
	open := fixture.with_rule({"all_peers": true, "all_ports": true, "peers": [], "ports": 0, "port_list": []})
	found(policy.deny) == whole_rule with input as open
}

test_all_of_a_protocol_is_every_port if {
	found(policy.deny) == whole_rule with input as fixture.with_rule({"all_peers": true, "peers": [], "port_list": ["TCP"]})
}

test_a_range_of_all_ports_is_every_port if {
	found(policy.deny) == whole_rule with input as fixture.with_rule({"all_peers": true, "peers": [], "port_list": ["TCP/1-65535"]})
	part := fixture.with_rule({"all_peers": true, "peers": [], "port_list": ["TCP/1-6553"]})
	found(policy.deny) == {["info", "spec.ingress[0]"]} with input as part
}

test_rules_that_allow_the_same_are_one_finding if {
	open := object.union(fixture.rule, {"all_peers": true, "all_ports": true, "peers": [], "port_list": []})
	rules := [fixture.rule, object.union(open, {"path": "spec.ingress[1]"}), object.union(open, {"path": "spec.ingress[2]"})]
	denied := policy.deny with input as fixture.policy({"rules": rules})
	{[d.key, d.path, d.message] | some d in denied} == {[
		"ingress every address on every port",
		"spec.ingress[1]",
		"2 rules or peers allow from every address on every port",
	]}
}

test_keys_do_not_count_rules if {
	port := object.union(fixture.rule, {"all_peers": true, "peers": [], "port_list": ["TCP/443"], "path": "spec.ingress[7]"})
	denied := policy.deny with input as fixture.policy({"rules": [port]})
	{d.key | some d in denied} == {"ingress TCP/443"}
}

test_public_port if {
	port := fixture.with_rule({"all_peers": true, "peers": [], "port_list": ["TCP/443"]})
	found(policy.deny) == {["info", "spec.ingress[0]"]} with input as port
}

test_blocks if {
	found(policy.deny) == whole_rule with input as on_every_port([fixture.block("0.0.0.0/0", 0)])
	found(policy.deny) == whole_rule with input as on_every_port([fixture.block("::/0", 0)])
	halves := [fixture.block("0.0.0.0/1", 0), fixture.block("128.0.0.0/1", 0)]
	found(policy.deny) == whole_rule with input as on_every_port(halves)
}

test_blocks_that_are_less if {
	found(policy.deny) == set() with input as on_every_port([fixture.block("10.0.0.0/8", 0)])
	except := object.union(fixture.block("0.0.0.0/0", 1), {"everything": false})
	found(policy.deny) == set() with input as on_every_port([except])
	found(policy.deny) == set() with input as fixture.with_rule({"peers": [fixture.block("0.0.0.0/0", 0)]})
}

test_every_pod_of_the_cluster if {
	every_pod := {"type": "namespaces", "everything": true, "selector": "<all>"}
	found(policy.deny) == first_peer with input as fixture.with_peer(every_pod)
	both := {"type": "both", "everything": true, "selector": "namespaces <all>, pods <all>"}
	found(policy.deny) == first_peer with input as fixture.with_peer(both)
	found(policy.deny) == set() with input as fixture.with_peer({"type": "pods", "selector": "<all>"})
}

test_dns_to_every_pod_is_meant if {
	peers := [object.union(fixture.peer, {"type": "namespaces", "everything": true})]
	egress := {"direction": "egress", "peers": peers}
	dns := object.union(egress, {"port_list": ["UDP/53", "TCP/53"]})
	found(policy.deny) == set() with input as fixture.with_rule(dns)
	more := object.union(egress, {"port_list": ["UDP/53", "TCP/80"]})
	found(policy.deny) == first_peer with input as fixture.with_rule(more)
	ingress := {"direction": "ingress", "peers": peers, "port_list": ["UDP/53"]}
	found(policy.deny) == first_peer with input as fixture.with_rule(ingress)
}

test_other_engines if {
	world := object.union(fixture.peer, {"type": "other", "everything": true, "selector": ""})
	found(policy.deny) == first_peer with input as on_every_port([world])
	found(policy.deny) == set() with input as fixture.with_rule({"peers": [world]})
	denial := {"action": "deny", "all_peers": true, "all_ports": true}
	found(policy.deny) == set() with input as fixture.with_rule(denial)
}

test_clean_and_empty if {
	found(policy.deny) == set() with input as fixture.clean
	found(policy.deny) == set() with input as fixture.policy({"rules": []})
	count(policy.unknown) == 0 with input as fixture.clean
}

test_unknown_where_it_is_not_read if {
	count(policy.unknown) == 1 with input as fixture.policy({"read": false})
}
