package postscan.cluster.audit_thin_test

import data.postscan.cluster.audit_thin as policy
import data.postscan.cluster.fixture_test as fixture

keys(denied) := {d.key | some d in denied}

test_fails if {
	keys(policy.deny) == {"cp-1/kube-apiserver/audit-log-maxage"} with input as fixture.servers({"audit-log-maxage": "7"})
	keys(policy.deny) == {"cp-1/kube-apiserver/audit-log-maxsize"} with input as fixture.servers({"audit-log-maxsize": null})
	keys(policy.deny) == {"cp-1/kube-apiserver/audit-log-maxbackup"} with input as fixture.servers({"audit-log-maxbackup": "0"})
}

test_fails_for_what_the_policy_drops if {
	one := object.union(fixture.clean.api_servers[0], {"config": {"audit_drops": ["secrets", "exec"]}})
	keys(policy.deny) == {"cp-1/secrets", "cp-1/exec"} with input as fixture.cluster({"api_servers": [one]})
}

test_only_files_are_kept if {
	every sink in ["-", "", null] {
		case_1 := fixture.servers({"audit-log-path": sink, "audit-log-maxage": null, "audit-webhook-config-file": "/x"})
		keys(policy.deny) == set() with input as case_1
	}
}

test_without_auditing_there_is_nothing_to_keep if {
	case := fixture.servers({"audit-log-path": null, "audit-policy-file": null})
	not policy.applies with input as case
	count(policy.deny) == 0 with input as case
}

test_passes if {
	policy.applies with input as fixture.clean
	count(policy.deny) == 0 with input as fixture.clean
}

test_applies_where_there_is_a_policy_without_a_file if {
	policy.applies with input as fixture.servers({"audit-log-path": null})
}
