package postscan.ingress.in_default_namespace_test

import data.postscan.ingress.fixture_test as fixture
import data.postscan.ingress.in_default_namespace as policy

test_fails_in_default if {
	denied := policy.deny with input as fixture.ingress({"kind": "Gateway", "namespace": {"name": "default"}})
	{d.message | some d in denied} == {"the Gateway is in the namespace default"}
}

test_passes_elsewhere if {
	count(policy.deny) == 0 with input as fixture.clean
}
