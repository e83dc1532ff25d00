package postscan.service.management_exposed_test

import data.postscan.service.fixture_test as fixture
import data.postscan.service.management_exposed as policy

grafana(changes) := object.union(fixture.service({"type": "LoadBalancer", "images": ["grafana/grafana", "team/sidecar"]}), changes)

keys(denied) := {d.key | some d in denied}

test_fails_where_it_is_open if {
	keys(policy.deny) == {"Grafana"} with input as grafana({})
	keys(policy.deny) == {"Grafana"} with input as grafana({"type": "NodePort", "nodes_public": "true"})
	keys(policy.deny) == {"Grafana"} with input as grafana({"type": "ClusterIP", "external_ips": ["192.0.2.7"]})
}

test_passes_inside if {
	keys(policy.deny) == set() with input as grafana({"internal": true})
	keys(policy.deny) == set() with input as grafana({"open_to_all": false, "source_ranges": ["192.0.2.0/24"]})
	keys(policy.deny) == set() with input as grafana({"type": "NodePort", "nodes_public": "false"})
	keys(policy.deny) == set() with input as grafana({"images": ["grafana/loki"]})
}

test_not_applicable_inside if {
	not policy.applies with input as fixture.service({"images": ["grafana/grafana"]})
	keys(policy.deny) == set() with input as grafana({"type": "ClusterIP"})
}

test_applies_to_what_leads_outside if {
	policy.applies with input as fixture.service({"type": "NodePort"})
	policy.applies with input as fixture.service({"external_ips": ["192.0.2.7"]})
}

test_ranges_that_are_everything_are_open if {
	halves := grafana({"open_to_all": false, "source_ranges": ["0.0.0.0/1", "128.0.0.0/1"]})
	keys(policy.deny) == {"Grafana"} with input as halves
}
