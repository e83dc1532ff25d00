package postscan.cluster.audit_off_test

import data.postscan.cluster.audit_off as policy
import data.postscan.cluster.fixture_test as fixture

keys(denied) := {d.key | some d in denied}

test_fails if {
	keys(policy.deny) == {"cp-1/kube-apiserver/audit-log-path"} with input as fixture.servers({"audit-log-path": null})
	keys(policy.deny) == {"cp-1/kube-apiserver/audit-policy-file"} with input as fixture.servers({"audit-policy-file": null})
}

test_a_webhook_is_a_sink if {
	keys(policy.deny) == set() with input as fixture.servers({"audit-log-path": null, "audit-webhook-config-file": "/etc/audit.conf"})
}

test_passes if {
	count(policy.deny) == 0 with input as fixture.clean
}
