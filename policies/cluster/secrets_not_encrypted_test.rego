package postscan.cluster.secrets_not_encrypted_test

import data.postscan.cluster.fixture_test as fixture
import data.postscan.cluster.secrets_not_encrypted as policy

found(denied) := {[d.key, d.severity] | some d in denied}

test_fails if {
	case_1 := fixture.cluster({"encryption": {"configured": false, "provider": ""}})
	found(policy.deny) == {["encryption", "medium"]} with input as case_1
	found(policy.deny) == {["provider", "medium"]} with input as fixture.cluster({"encryption": {"provider": "identity"}})
	found(policy.deny) == {["provider", "low"]} with input as fixture.cluster({"encryption": {"provider": "aescbc"}})
	found(policy.deny) == {["provider", "low"]} with input as fixture.cluster({"encryption": {"provider": "kms-v1"}})
}

test_a_provider_that_was_not_read_is_no_finding if {
	found(policy.deny) == set() with input as fixture.cluster({"encryption": {"provider": ""}})
}

test_passes if {
	found(policy.deny) == set() with input as fixture.cluster({"encryption": {"provider": "secretbox"}})
	found(policy.deny) == set() with input as fixture.cluster({"encryption": {"provider": "KMS"}})
	count(policy.deny) == 0 with input as fixture.clean
}
