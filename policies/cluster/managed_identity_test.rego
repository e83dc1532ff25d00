package postscan.cluster.managed_identity_test

import data.postscan.cluster.fixture_test as fixture
import data.postscan.cluster.managed_identity as policy

keys(denied) := {d.key | some d in denied}

test_fails if {
	keys(policy.deny) == {"aws-auth"} with input as fixture.cluster({"managed": true, "cloud": {"authentication_mode": "CONFIG_MAP"}})
	case_1 := fixture.cluster({"managed": true, "cloud": {"broad_admins": ["arn:aws:iam::111122223333:root"]}})
	keys(policy.deny) == {"arn:aws:iam::111122223333:root"} with input as case_1
	case_2 := fixture.cluster({"managed": true, "cloud": {"local_accounts": "true", "directory_rbac": "false"}})
	keys(policy.deny) == {"local_accounts", "directory_rbac"} with input as case_2
	case_3 := fixture.cluster({"managed": true, "cloud": {"legacy_abac": "true", "basic_auth": "true", "client_certificate": "true"}})
	keys(policy.deny) == {"legacy_abac", "basic_auth", "client_certificate"} with input as case_3
}

test_not_applicable_to_a_cluster_of_your_own if {
	not policy.applies with input as fixture.clean
}

test_passes if {
	case_4 := fixture.cluster({"managed": true, "cloud": {"authentication_mode": "API", "local_accounts": "false", "directory_rbac": "true"}})
	keys(policy.deny) == set() with input as case_4
	count(policy.deny) == 0 with input as fixture.clean
}
