package postscan.cluster.plain_text_port_test

import data.postscan.cluster.fixture_test as fixture
import data.postscan.cluster.plain_text_port as policy

of(version, changes) := {"api_servers": [object.union(fixture.servers(changes).api_servers[0], {"version": version})]}

found(denied) := {[d.key, d.severity] | some d in denied}

test_fails_before_120 if {
	found(policy.deny) == {["cp-1/kube-apiserver/insecure-port", "critical"]} with input as fixture.cluster(of("1.19.16", {}))
	case_1 := fixture.cluster(of("1.19.16", {"insecure-port": "8080"}))
	found(policy.deny) == {["cp-1/kube-apiserver/insecure-port", "critical"]} with input as case_1
	case_2 := object.union(fixture.cluster(of("", {})), {"minor": 18})
	found(policy.deny) == {["cp-1/kube-apiserver/insecure-port", "critical"]} with input as case_2
}

test_the_flag_means_nothing_later if {
	found(policy.deny) == set() with input as fixture.cluster(of("1.20.0", {"insecure-port": "8080"}))
	found(policy.deny) == set() with input as fixture.cluster(of("1.19.16", {"insecure-port": "0"}))
	found(policy.deny) == set() with input as object.union(fixture.cluster(of("", {})), {"minor": 0})
}

test_fails_over_http if {
	found(policy.deny) == {["endpoint", "critical"]} with input as fixture.cluster({"endpoint": {"plain": true}})
}

test_no_secure_port if {
	found(policy.deny) == {["cp-1/kube-apiserver/secure-port", "info"]} with input as fixture.servers({"secure-port": "0"})
}

test_passes if {
	count(policy.deny) == 0 with input as fixture.clean
}

test_a_file_that_was_not_read_may_close_it if {
	one := fixture.behind_a_file(fixture.cluster(of("1.19.16", {})), "api_servers")
	found(policy.deny) == set() with input as one
	said := fixture.behind_a_file(fixture.cluster(of("1.19.16", {"insecure-port": "8080"})), "api_servers")
	found(policy.deny) == {["cp-1/kube-apiserver/insecure-port", "critical"]} with input as said
}
