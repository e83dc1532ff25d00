package postscan.service.open_to_outside_test

import data.postscan.service.fixture_test as fixture
import data.postscan.service.open_to_outside as policy

balancer(changes) := object.union(fixture.service({"type": "LoadBalancer", "allocate_node_ports": true}), changes)

port(number, target) := [{"name": "", "port": number, "target": target, "node_port": 30001, "protocol": "TCP", "path": "spec.ports[0]"}]

found(denied) := {[d.key, d.severity] | some d in denied}

test_open_load_balancer if {
	found(policy.deny) == {["load-balancer", "medium"]} with input as balancer({})
	found(policy.deny) == {["load-balancer", "medium"]} with input as balancer({"source_ranges": ["10.0.0.0/8", "0.0.0.0/0"]})
	halves := balancer({"open_to_all": false, "source_ranges": ["0.0.0.0/1", "128.0.0.0/1"]})
	found(policy.deny) == {["load-balancer", "medium"]} with input as halves
}

test_ports_of_administration_and_data if {
	found(policy.deny) == {["load-balancer", "high"]} with input as balancer({"ports": port(5432, "5432")})
	found(policy.deny) == {["load-balancer", "high"]} with input as balancer({"ports": port(80, "6379")})
	found(policy.deny) == {["load-balancer", "medium"]} with input as balancer({"ports": port(443, "https")})
}

test_closed_load_balancer if {
	found(policy.deny) == set() with input as balancer({"internal": true})
	found(policy.deny) == set() with input as balancer({"open_to_all": false, "source_ranges": ["192.0.2.0/24"]})
}

test_node_ports_on_public_nodes if {
	public := {"nodes_public": "true"}
	found(policy.deny) == {["node-ports", "low"]} with input as object.union(balancer({"internal": true}), public)
	found(policy.deny) == {["node-ports", "low"]} with input as object.union(fixture.service({"type": "NodePort"}), public)
	found(policy.deny) == set() with input as object.union(balancer({"internal": true, "allocate_node_ports": false}), public)
	found(policy.deny) == set() with input as fixture.service({"type": "NodePort", "nodes_public": "false"})
}

test_the_ports_are_named if {
	denied := policy.deny with input as fixture.service({"type": "NodePort", "nodes_public": "true", "ports": port(80, "8080")})
	{d.message | some d in denied} == {"node ports are open on nodes with public addresses: 30001"}
}

test_not_applicable_inside if {
	not policy.applies with input as fixture.clean
	found(policy.deny) == set() with input as fixture.service({"nodes_public": "true"})
}

test_applies_to_what_leads_outside if {
	policy.applies with input as fixture.service({"type": "NodePort"})
	not policy.applies with input as fixture.clean
}
