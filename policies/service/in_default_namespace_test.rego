package postscan.service.in_default_namespace_test

import data.postscan.service.fixture_test as fixture
import data.postscan.service.in_default_namespace as policy

test_fails_in_default if {
	count(policy.deny) == 1 with input as fixture.service({"namespace": {"name": "default"}})
}

test_passes_elsewhere_and_for_the_api_server if {
	count(policy.deny) == 0 with input as fixture.clean
	count(policy.deny) == 0 with input as fixture.service({"namespace": {"name": "default"}, "api_server": true})
}
