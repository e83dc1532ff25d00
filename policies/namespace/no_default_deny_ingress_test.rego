package postscan.namespace.no_default_deny_ingress_test

import data.postscan.namespace.fixture_test as fixture
import data.postscan.namespace.no_default_deny_ingress as policy

test_fails_without_one if {
	count(policy.deny) == 1 with input as fixture.namespace({"deny_ingress": false})
	count(policy.deny) == 1 with input as fixture.namespace({"name": "kube-system", "system": true, "deny_ingress": false})
}

test_passes_with_one if {
	count(policy.deny) == 0 with input as fixture.clean
	count(policy.unknown) == 0 with input as fixture.namespace({"policies_unread": 1})
	count(policy.deny) == 0 with input as fixture.namespace({"deny_egress": false})
}

test_unknown_where_a_policy_is_not_read if {
	count(policy.deny) == 0 with input as fixture.namespace({"deny_ingress": false, "policies_unread": 2})
	count(policy.unknown) == 1 with input as fixture.namespace({"deny_ingress": false, "policies_unread": 2})
}

test_not_applicable_where_nothing_runs_by_design if {
	not policy.applies with input as fixture.namespace({"name": "kube-node-lease"})
	count(policy.deny) == 0 with input as fixture.namespace({"name": "kube-node-lease", "deny_ingress": false})
}
