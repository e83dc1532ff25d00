package postscan.cluster.mesh_not_strict_test

import data.postscan.cluster.mesh_not_strict as policy

mesh(name, mode, weaker) := {"mesh": {"name": name, "mode": mode, "weaker": weaker}}

keys(denied) := {d.key | some d in denied}

test_istio if {
	every mode in ["unset", "PERMISSIVE", "DISABLE"] {
		keys(policy.deny) == {"mesh"} with input as mesh("istio", mode, [])
	}
	keys(policy.deny) == {"shop/legacy"} with input as mesh("istio", "STRICT", ["shop/legacy"])
	keys(policy.deny) == set() with input as mesh("istio", "STRICT", [])
}

test_linkerd if {
	keys(policy.deny) == {"mesh"} with input as mesh("linkerd", "all-unauthenticated", [])
	keys(policy.deny) == {"mesh"} with input as mesh("linkerd", "unset", [])
	keys(policy.deny) == set() with input as mesh("linkerd", "all-authenticated", [])
	keys(policy.deny) == set() with input as mesh("linkerd", "deny", [])
}

test_not_applicable_without_a_mesh if {
	not policy.applies with input as mesh("", "", [])
	keys(policy.deny) == set() with input as mesh("", "", [])
}

test_applies_to_a_mesh if policy.applies with input as mesh("istio", "STRICT", [])
