package postscan.cluster.etcd_without_tls_test

import data.postscan.cluster.etcd_without_tls as policy
import data.postscan.cluster.fixture_test as fixture

found(denied) := {[d.key, d.severity] | some d in denied}

none := {"etcd-certfile": null, "etcd-keyfile": null, "etcd-cafile": null}

test_fails if {
	case_1 := fixture.servers({"etcd-servers": "https://10.0.0.1:2379,http://10.0.0.2:2379"})
	found(policy.deny) == {["cp-1/kube-apiserver/etcd-servers", "high"]} with input as case_1
	found(policy.deny) == {["cp-1/kube-apiserver/etcd-certfile", "high"]} with input as fixture.servers({"etcd-certfile": null})
	found(policy.deny) == {["cp-1/kube-apiserver/etcd-cafile", "high"]} with input as fixture.servers({"etcd-cafile": null})
	found(policy.deny) == {["cp-1/kube-apiserver/client-ca-file", "info"]} with input as fixture.servers({"client-ca-file": null})
}

test_sockets_and_loopback_are_exempt if {
	every address in ["unix:///run/kine.sock", "http://127.0.0.1:2379"] {
		found(policy.deny) == set() with input as fixture.servers(object.union(none, {"etcd-servers": address}))
	}
}

test_passes if {
	count(policy.deny) == 0 with input as fixture.clean
}
