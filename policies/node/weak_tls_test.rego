package postscan.node.weak_tls_test

import data.postscan.node.fixture_test as fixture
import data.postscan.node.weak_tls as policy

keys(denied) := {d.key | some d in denied}

test_fails if {
	keys(policy.deny) == {"version"} with input as fixture.node({"kubelet": {"tls_min_version": "VersionTLS11"}})
	keys(policy.deny) == {"suites"} with input as fixture.node({"kubelet": {"tls_cipher_suites": ["TLS_RSA_WITH_AES_128_GCM_SHA256"]}})
}

test_version_3_has_none_of_them if {
	case_1 := fixture.node({"kubelet": {"tls_min_version": "VersionTLS13", "tls_cipher_suites": ["TLS_RSA_WITH_AES_128_GCM_SHA256"]}})
	keys(policy.deny) == set() with input as case_1
}

test_passes if {
	count(policy.deny) == 0 with input as fixture.clean
}
