package postscan.engine.insecure_registry_test

import data.postscan.engine.fixture_test as fixture
import data.postscan.engine.insecure_registry as policy

test_fails_for_a_registry_that_is_not_verified if {
	some d in policy.deny with input as fixture.engine({"insecure_registries": [
		{"registry": "registry.example:5000", "loopback": false, "source": "the engine"},
	]})
	d.value == "registry.example:5000"
}

test_fails_where_anything_is_accepted if {
	count(policy.deny) == 1 with input as fixture.engine({"signature_policy": {
		"default": "insecureAcceptAnything", "file": "/etc/containers/policy.json",
	}})
}

test_passes_for_the_machine_itself_and_for_a_policy if {
	every changes in [
		{}, {"insecure_registries": [{"registry": "127.0.0.0/8", "loopback": true, "source": "the engine"}]},
		{"signature_policy": {"default": "reject", "file": "/etc/containers/policy.json"}},
	] {
		count(policy.deny) == 0 with input as fixture.engine(changes)
	}
}
