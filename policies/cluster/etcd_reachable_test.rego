package postscan.cluster.etcd_reachable_test

import data.postscan.cluster.etcd_reachable as policy
import data.postscan.cluster.fixture_test as fixture

keys(denied) := {d.key | some d in denied}

test_fails_without_a_firewall if {
	case_1 := fixture.cluster({"etcd_guarded": "false"})
	keys(policy.deny) == {"cp-1/etcd/listen-client-urls", "cp-1/etcd/listen-peer-urls"} with input as case_1
}

test_loopback_needs_no_firewall if {
	local := fixture.etcds({"listen-client-urls": "https://127.0.0.1:2379", "listen-peer-urls": "unix:///run/peer.sock"})
	keys(policy.deny) == set() with input as object.union(local, {"etcd_guarded": "false"})
}

test_passes if {
	count(policy.deny) == 0 with input as fixture.clean
	keys(policy.deny) == set() with input as fixture.cluster({"etcd_guarded": "unknown"})
}
