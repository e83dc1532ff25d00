package postscan.cluster.managed_boot_test

import data.postscan.cluster.fixture_test as fixture
import data.postscan.cluster.managed_boot as policy

found(denied) := {[d.key, d.severity] | some d in denied}

good := {"name": "p", "secure_boot": "true", "integrity": "true", "tpm": "unknown"}

pools(distribution, pool) := fixture.cluster({
	"managed": true,
	"distribution": distribution,
	"cloud": {"pools": [object.union(good, pool)]},
})

test_fails if {
	case_1 := pools("gke", {"secure_boot": "false", "integrity": "false"})
	found(policy.deny) == {["p/secure_boot", "medium"], ["p/integrity", "medium"]} with input as case_1
	found(policy.deny) == {["p/tpm", "medium"]} with input as pools("aks", {"tpm": "false"})
	found(policy.deny) == {["p/secure_boot", "info"]} with input as pools("eks", {"secure_boot": "false"})
}

test_not_applicable_to_a_cluster_of_your_own if {
	not policy.applies with input as fixture.clean
}

test_passes if {
	found(policy.deny) == set() with input as pools("gke", {})
	count(policy.deny) == 0 with input as fixture.clean
}
