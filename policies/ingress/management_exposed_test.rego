package postscan.ingress.management_exposed_test

import data.postscan.ingress.fixture_test as fixture
import data.postscan.ingress.management_exposed as policy

argo := fixture.ingress({"images": ["argoproj/argocd"], "backends": ["argocd/argocd-server"]})

keys(denied) := {d.key | some d in denied}

test_fails_for_a_known_application if {
	keys(policy.deny) == {"Argo CD"} with input as argo
	keys(policy.deny) == {"Argo CD"} with input as object.union(argo, {"kind": "HTTPRoute"})
}

test_passes_for_others if {
	keys(policy.deny) == set() with input as fixture.clean
}

test_not_applicable_inside if {
	not policy.applies with input as object.union(argo, {"internal": true})
	keys(policy.deny) == set() with input as object.union(argo, {"internal": true})
	not policy.applies with input as fixture.ingress({"kind": "Gateway"})
}
