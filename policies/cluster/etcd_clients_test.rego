package postscan.cluster.etcd_clients_test

import data.postscan.cluster.etcd_clients as policy
import data.postscan.cluster.fixture_test as fixture

keys(denied) := {d.key | some d in denied}

test_fails if {
	keys(policy.deny) == {"cp-1/etcd/client-cert-auth"} with input as fixture.etcds({"client-cert-auth": null})
	keys(policy.deny) == {"cp-1/etcd/client-cert-auth"} with input as fixture.etcds({"client-cert-auth": "false"})
	keys(policy.deny) == {"cp-1/etcd/cert-file"} with input as fixture.etcds({"cert-file": null})
	keys(policy.deny) == {"cp-1/etcd/auto-tls"} with input as fixture.etcds({"auto-tls": "true"})
	denied := policy.deny with input as fixture.etcds({"listen-client-urls": "https://127.0.0.1:2379,http://0.0.0.0:2379"})
	{d.message | some d in denied} == {"etcd on cp-1 takes clients at http://0.0.0.0:2379"}
}

test_a_file_may_say_so if {
	case_1 := fixture.behind_a_file(fixture.etcds({"client-cert-auth": null, "cert-file": null}), "etcds")
	keys(policy.deny) == set() with input as case_1
}

test_sockets_need_no_certificate if {
	case_2 := fixture.etcds({"listen-client-urls": "unix:///run/etcd.sock", "client-cert-auth": null, "cert-file": null, "key-file": null})
	keys(policy.deny) == set() with input as case_2
}

test_passes if {
	count(policy.deny) == 0 with input as fixture.clean
	keys(policy.deny) == set() with input as fixture.etcds({"listen-client-urls": "https://10.0.0.1:2379,http://127.0.0.1:2379"})
}
