package postscan.cluster.managed_logs_off_test

import data.postscan.cluster.fixture_test as fixture
import data.postscan.cluster.managed_logs_off as policy

keys(denied) := {d.key | some d in denied}

managed(distribution, logs) := fixture.cluster({"managed": true, "distribution": distribution, "cloud": {"logs": logs}})

test_fails if {
	keys(policy.deny) == {"audit", "authenticator"} with input as managed("eks", ["api", "scheduler"])
	keys(policy.deny) == {"kube-audit|kube-audit-admin"} with input as managed("aks", [])
	keys(policy.deny) == {"APISERVER"} with input as managed("gke", ["SYSTEM_COMPONENTS"])
}

test_not_applicable_to_a_cluster_of_your_own if {
	not policy.applies with input as fixture.clean
}

test_passes if {
	keys(policy.deny) == set() with input as managed("aks", ["kube-audit-admin"])
	keys(policy.deny) == set() with input as managed("eks", ["api", "audit", "authenticator"])
	count(policy.deny) == 0 with input as fixture.clean
}
