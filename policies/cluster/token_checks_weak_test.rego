package postscan.cluster.token_checks_weak_test

import data.postscan.cluster.fixture_test as fixture
import data.postscan.cluster.token_checks_weak as policy

keys(denied) := {d.key | some d in denied}

test_fails if {
	case_1 := fixture.servers({"service-account-lookup": "false"})
	keys(policy.deny) == {"cp-1/kube-apiserver/service-account-lookup"} with input as case_1
	case_2 := fixture.servers({"service-account-key-file": null})
	keys(policy.deny) == {"cp-1/kube-apiserver/service-account-key-file"} with input as case_2
	case_3 := fixture.servers({"service-account-extend-token-expiration": null})
	keys(policy.deny) == {"cp-1/kube-apiserver/service-account-extend-token-expiration"} with input as case_3
	case_4 := fixture.managers({"service-account-private-key-file": null})
	keys(policy.deny) == {"cp-1/kube-controller-manager/service-account-private-key-file"} with input as case_4
}

test_an_outside_signer_needs_no_key_file if {
	case_5 := fixture.servers({"service-account-key-file": null, "service-account-signing-endpoint": "/run/signer.sock"})
	keys(policy.deny) == set() with input as case_5
}

test_passes if {
	count(policy.deny) == 0 with input as fixture.clean
}
