package postscan.cluster.kubelet_certificates_test

import data.postscan.cluster.fixture_test as fixture
import data.postscan.cluster.kubelet_certificates as policy

keys(denied) := {d.key | some d in denied}

test_fails if {
	case_1 := fixture.managers({"feature-gates": "A=true,RotateKubeletServerCertificate=false"})
	keys(policy.deny) == {"cp-1/kube-controller-manager/feature-gates"} with input as case_1
}

test_passes if {
	count(policy.deny) == 0 with input as fixture.clean
	keys(policy.deny) == set() with input as fixture.managers({"feature-gates": "RotateKubeletServerCertificate=true"})
}
