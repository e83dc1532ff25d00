package postscan.container.dangerous_capability_test

import data.postscan.container.dangerous_capability as policy
import data.postscan.container.fixture_test as fixture

test_fails_for_each if {
	every name in ["ALL", "SYS_ADMIN", "SYS_MODULE", "SYS_PTRACE", "SYS_RAWIO", "DAC_READ_SEARCH", "BPF", "NET_ADMIN"] {
		"high" in {d.severity | some d in policy.deny} with input as fixture.container({"capabilities": [name], "root": "yes"})
	}
}

test_medium_where_it_is_out_of_reach if {
	every changes in [
		{}, {"root": "yes", "namespaces": object.union(fixture.container({}).namespaces, {"user": "private"})},
	] {
		"medium" in {d.severity | some d in policy.deny} with input as fixture.container(object.union({"capabilities": ["SYS_ADMIN"]}, changes))
	}
}

test_passes_for_the_default_set_and_leaves_privileged_ones if {
	count(policy.deny) == 0 with input as fixture.container({"capabilities": ["CHOWN", "NET_RAW", "SETUID"]})
	count(policy.deny) == 0 with input as fixture.container({"capabilities": ["ALL"], "privileged": true})
}
