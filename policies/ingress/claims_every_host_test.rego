package postscan.ingress.claims_every_host_test

import data.postscan.ingress.claims_every_host as policy
import data.postscan.ingress.fixture_test as fixture

found(denied) := {[d.key, d.severity] | some d in denied}

every_host := fixture.with_host({"host": "", "wildcard": true})

route(changes) := object.union(fixture.with_host(object.union({"host": "", "path": "spec"}, changes)), {"kind": "HTTPRoute"})

test_rules if {
	found(policy.deny) == {["host", "low"]} with input as every_host
	found(policy.deny) == {["host *.example.com", "low"]} with input as fixture.with_host({"host": "*.example.com", "wildcard": true})
}

test_medium_on_a_shared_controller if {
	found(policy.deny) == {["host", "medium"]} with input as object.union(every_host, {"shared_controller": "true"})
	found(policy.deny) == {["host", "low"]} with input as object.union(every_host, {"shared_controller": "unknown"})
}

test_default_backend if {
	backend := fixture.ingress({"default_backend": true, "default_backend_path": "spec.defaultBackend"})
	found(policy.deny) == {["default-backend", "low"]} with input as backend
}

test_routes_of_the_gateway_api if {
	found(policy.deny) == {["host", "low"]} with input as route({"wildcard": true, "open_listener": true})
	found(policy.deny) == set() with input as route({"wildcard": true, "open_listener": false})
}

test_passes_for_exact_hosts if {
	found(policy.deny) == set() with input as fixture.clean
}

test_not_applicable_to_gateways if {
	not policy.applies with input as object.union(every_host, {"kind": "Gateway"})
	found(policy.deny) == set() with input as object.union(every_host, {"kind": "Gateway"})
}

test_routes_of_openshift if {
	openshift := object.union(every_host, {"kind": "Route"})
	{d.message | some d in policy.deny} == {"the route claims every host"} with input as openshift
}

test_applies_to_all_but_gateways if {
	policy.applies with input as fixture.clean
	not policy.applies with input as fixture.ingress({"kind": "Gateway"})
}
