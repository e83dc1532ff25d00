package postscan.cluster.static_credentials_test

import data.postscan.cluster.fixture_test as fixture
import data.postscan.cluster.static_credentials as policy

test_fails if {
	denied := policy.deny with input as fixture.servers({"token-auth-file": "/etc/tokens.csv"})
	{d.key | some d in denied} == {"cp-1/kube-apiserver/token-auth-file"}
	{d.message | some d in denied} == {"kube-apiserver on cp-1 reads credentials from a file"}
	count(policy.deny) == 1 with input as fixture.servers({"basic-auth-file": "/etc/users.csv"})
}

test_passes if {
	count(policy.deny) == 0 with input as fixture.clean
}
