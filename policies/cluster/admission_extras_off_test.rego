package postscan.cluster.admission_extras_off_test

import data.postscan.cluster.admission_extras_off as policy
import data.postscan.cluster.fixture_test as fixture

keys(denied) := {d.key | some d in denied}

test_fails if {
	keys(policy.deny) == {
		"cp-1/DenyServiceExternalIPs",
		"cp-1/EventRateLimit",
	} with input as fixture.servers({"enable-admission-plugins": "NodeRestriction"}) with data.params as {"multi_tenant": false}
	keys(policy.deny) == {
		"cp-1/AlwaysPullImages",
		"cp-1/DenyServiceExternalIPs",
		"cp-1/EventRateLimit",
	} with input as fixture.servers({"enable-admission-plugins": null}) with data.params as {"multi_tenant": true}
}

test_passes if {
	count(policy.deny) == 0 with input as fixture.clean with data.params as fixture.params
	case_1 := fixture.behind_a_file(fixture.servers({"enable-admission-plugins": null}), "api_servers")
	keys(policy.deny) == set() with input as case_1 with data.params as {"multi_tenant": true}
}
