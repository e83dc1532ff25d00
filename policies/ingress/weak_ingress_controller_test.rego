package postscan.ingress.weak_ingress_controller_test

import data.postscan.ingress.fixture_test as fixture
import data.postscan.ingress.weak_ingress_controller as policy

test_fails_for_a_snippet if {
	snippet := "nginx.ingress.kubernetes.io/configuration-snippet"
	denied := policy.deny with input as fixture.ingress({"snippets": [snippet]})
	{d.path | some d in denied} == {"metadata.annotations[nginx.ingress.kubernetes.io/configuration-snippet]"}
}

test_passes_without if {
	count(policy.deny) == 0 with input as fixture.clean
}

test_not_applicable_to_gateways if {
	not policy.applies with input as fixture.ingress({"kind": "Gateway"})
}

test_applies_to_ingresses if policy.applies with input as fixture.clean
