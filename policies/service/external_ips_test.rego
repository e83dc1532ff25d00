package postscan.service.external_ips_test

import data.postscan.service.external_ips as policy
import data.postscan.service.fixture_test as fixture

with_ips(plugin) := fixture.service({"external_ips": ["192.0.2.7"], "cluster": {"deny_external_ips": plugin}})

test_fails_where_the_plugin_is_off if {
	denied := policy.deny with input as with_ips("false")
	{d.value | some d in denied} == {["192.0.2.7"]}
}

test_passes_without_them_and_where_the_plugin_is_on if {
	count(policy.deny) == 0 with input as fixture.clean
	count(policy.unknown) == 0 with input as fixture.clean
	count(policy.deny) == 0 with input as with_ips("true")
}

test_unknown if {
	count(policy.deny) == 0 with input as with_ips("unknown")
	count(policy.unknown) == 1 with input as with_ips("unknown")
}
