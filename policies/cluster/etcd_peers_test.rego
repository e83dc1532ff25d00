package postscan.cluster.etcd_peers_test

import data.postscan.cluster.etcd_peers as policy
import data.postscan.cluster.fixture_test as fixture

keys(denied) := {d.key | some d in denied}

test_fails if {
	keys(policy.deny) == {"cp-1/etcd/peer-client-cert-auth"} with input as fixture.etcds({"peer-client-cert-auth": null})
	keys(policy.deny) == {"cp-1/etcd/peer-auto-tls"} with input as fixture.etcds({"peer-auto-tls": "true"})
	case_1 := fixture.etcds({"peer-cert-file": null, "peer-key-file": ""})
	keys(policy.deny) == {"cp-1/etcd/peer-cert-file", "cp-1/etcd/peer-key-file"} with input as case_1
}

test_fails_for_a_shared_authority if {
	keys(policy.deny) == {"cp-1/etcd/trusted-ca-file"} with input as fixture.etcds({"trusted-ca-file": "/etc/kubernetes/pki/ca.crt"})
	case_2 := fixture.servers({"etcd-cafile": "/etc/kubernetes/pki/ca.crt"})
	keys(policy.deny) == {"cp-1/kube-apiserver/etcd-cafile"} with input as case_2
	keys(policy.deny) == set() with input as fixture.servers({"etcd-cafile": "", "client-ca-file": ""})
}

test_passes if {
	count(policy.deny) == 0 with input as fixture.clean
}
