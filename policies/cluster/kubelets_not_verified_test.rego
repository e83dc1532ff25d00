package postscan.cluster.kubelets_not_verified_test

import data.postscan.cluster.fixture_test as fixture
import data.postscan.cluster.kubelets_not_verified as policy

keys(denied) := {d.key | some d in denied}

test_fails if {
	case_1 := fixture.servers({"kubelet-certificate-authority": null})
	keys(policy.deny) == {"cp-1/kube-apiserver/kubelet-certificate-authority"} with input as case_1
	keys(policy.deny) == {
		"cp-1/kube-apiserver/kubelet-client-certificate",
		"cp-1/kube-apiserver/kubelet-client-key",
	} with input as fixture.servers({"kubelet-client-certificate": "", "kubelet-client-key": null})
}

test_a_file_may_say_so if {
	case_2 := fixture.behind_a_file(fixture.servers({"kubelet-certificate-authority": null}), "api_servers")
	keys(policy.deny) == set() with input as case_2
}

test_passes if {
	count(policy.deny) == 0 with input as fixture.clean
}
