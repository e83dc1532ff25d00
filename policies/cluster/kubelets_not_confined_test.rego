package postscan.cluster.kubelets_not_confined_test

import data.postscan.cluster.fixture_test as fixture
import data.postscan.cluster.kubelets_not_confined as policy

keys(denied) := {d.key | some d in denied}

test_fails if {
	keys(policy.deny) == {"cp-1/kube-apiserver/authorization-mode"} with input as fixture.servers({"authorization-mode": "RBAC"})
	case_1 := fixture.servers({"enable-admission-plugins": null})
	keys(policy.deny) == {"cp-1/kube-apiserver/enable-admission-plugins"} with input as case_1
	case_2 := fixture.servers({"disable-admission-plugins": "NodeRestriction"})
	keys(policy.deny) == {"cp-1/kube-apiserver/disable-admission-plugins"} with input as case_2
}

test_reads_the_configuration if {
	one := fixture.servers({"authorization-mode": null, "authorization-config": "/x"}).api_servers[0]
	case_3 := fixture.cluster({"api_servers": [object.union(one, {"config": {"authorizers": ["RBAC"]}})]})
	keys(policy.deny) == {"cp-1/kube-apiserver/authorization-config"} with input as case_3
	case_4 := fixture.cluster({"api_servers": [object.union(one, {"config": {"authorizers": ["Node", "RBAC"]}})]})
	keys(policy.deny) == set() with input as case_4
}

test_what_a_file_may_say_is_left_open if {
	case_5 := fixture.behind_a_file(fixture.servers({"authorization-mode": null, "enable-admission-plugins": null}), "api_servers")
	keys(policy.deny) == set() with input as case_5
}

test_passes if {
	count(policy.deny) == 0 with input as fixture.clean
	case_6 := fixture.servers({"enable-admission-plugins": null, "admission-control": "NodeRestriction,ServiceAccount"})
	keys(policy.deny) == set() with input as case_6
}
