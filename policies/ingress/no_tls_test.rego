package postscan.ingress.no_tls_test

import data.postscan.ingress.fixture_test as fixture
import data.postscan.ingress.no_tls as policy

keys(denied) := {d.key | some d in denied}

plain := fixture.with_host({"tls": "none"})

listener(changes) := object.union(
	fixture.with_host(object.union({"protocol": "HTTP", "tls": "none", "path": "spec.listeners[0]"}, changes)),
	{"kind": "Gateway"},
)

route(changes) := object.union(fixture.with_host(changes), {"kind": "Route"})

test_ingress if {
	keys(policy.deny) == {"host shop.example.com"} with input as plain
	keys(policy.deny) == set() with input as fixture.clean
	keys(policy.deny) == {"host"} with input as fixture.with_host({"host": "", "tls": "none"})
}

test_annotations if {
	keys(policy.deny) == set() with input as object.union(plain, {"redirects": true})
	off := policy.deny with input as fixture.ingress({"redirect_off": true})
	count(off) == 1
	every d in off {
		contains(d.message, "beside TLS")
	}
}

test_default_backend if {
	bare := {"hosts": [], "default_backend": true, "default_backend_path": "spec.defaultBackend", "default_backend_tls": "none"}
	keys(policy.deny) == {"default-backend"} with input as fixture.ingress(bare)
	keys(policy.deny) == set() with input as fixture.ingress(object.union(bare, {"default_backend_tls": "terminate"}))
	keys(policy.deny) == set() with input as fixture.ingress(object.union(bare, {"redirects": true}))
}

test_gateway if {
	keys(policy.deny) == {"HTTP shop.example.com"} with input as listener({})
	keys(policy.deny) == set() with input as listener({"redirects": true})
	keys(policy.deny) == set() with input as listener({"protocol": "HTTPS", "tls": "terminate"})
	keys(policy.deny) == set() with input as listener({"protocol": "TLS", "tls": "passthrough"})
}

test_route if {
	keys(policy.deny) == {"host shop.example.com"} with input as route({"tls": "none", "path": "spec"})
	allow := policy.deny with input as route({"insecure": true, "path": "spec"})
	{d.path | some d in allow} == {"spec.tls.insecureEdgeTerminationPolicy"}
	keys(policy.deny) == set() with input as route({"tls": "reencrypt"})
}

test_routes_of_the_gateway_api_are_not_judged if {
	not policy.applies with input as object.union(plain, {"kind": "HTTPRoute"})
	keys(policy.deny) == set() with input as object.union(plain, {"kind": "HTTPRoute"})
}

test_applies_to_what_has_hosts_of_its_own if {
	every kind in ["Ingress", "Gateway", "Route"] {
		policy.applies with input as fixture.ingress({"kind": kind})
	}
	not policy.applies with input as fixture.ingress({"kind": "HTTPRoute"})
}
