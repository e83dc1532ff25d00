package postscan.cluster.weak_tls_test

import data.postscan.cluster.fixture_test as fixture
import data.postscan.cluster.weak_tls as policy

keys(denied) := {d.key | some d in denied}

cbc := "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA,TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"

test_fails if {
	keys(policy.deny) == {"cp-1/kube-apiserver/tls-min-version"} with input as fixture.servers({"tls-min-version": "VersionTLS10"})
	keys(policy.deny) == {"cp-1/etcd/tls-min-version"} with input as fixture.etcds({"tls-min-version": "TLS1.1"})
	keys(policy.deny) == {"cp-1/kube-apiserver/tls-cert-file"} with input as fixture.servers({"tls-cert-file": null})
	keys(policy.deny) == {"cp-1/etcd/cipher-suites"} with input as fixture.etcds({"cipher-suites": cbc})
	denied := policy.deny with input as fixture.servers({"tls-cipher-suites": cbc})
	{d.message | some d in denied} == {"kube-apiserver on cp-1 accepts TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"}
}

test_version_3_has_none_of_them if {
	keys(policy.deny) == set() with input as fixture.servers({"tls-min-version": "VersionTLS13", "tls-cipher-suites": cbc})
}

test_passes if {
	count(policy.deny) == 0 with input as fixture.clean
}
