package postscan.cluster.authorization_open_test

import data.postscan.cluster.authorization_open as policy
import data.postscan.cluster.fixture_test as fixture

messages(denied) := {d.message | some d in denied}

configured(authorizers) := {"api_servers": [object.union(one, {"config": {"authorizers": authorizers}})]} if {
	one := fixture.servers({"authorization-mode": null, "authorization-config": "/etc/authz.yaml"}).api_servers[0]
}

test_fails_for_open_modes if {
	messages(policy.deny) == {
		"kube-apiserver on cp-1 authorizes by AlwaysAllow",
		"kube-apiserver on cp-1 does not use RBAC",
	} with input as fixture.servers({"authorization-mode": "AlwaysAllow"})
	case_1 := fixture.servers({"authorization-mode": "Node,RBAC,ABAC"})
	messages(policy.deny) == {"kube-apiserver on cp-1 authorizes by ABAC"} with input as case_1
	case_2 := fixture.servers({"authorization-mode": "Node,Webhook"})
	messages(policy.deny) == {"kube-apiserver on cp-1 does not use RBAC"} with input as case_2
	case_3 := fixture.servers({"authorization-mode": null})
	messages(policy.deny) == {"kube-apiserver on cp-1 allows everything: that is the default of the mode"} with input as case_3
}

test_findings_of_one_flag_have_keys_of_their_own if {
	denied := policy.deny with input as fixture.servers({"authorization-mode": "AlwaysAllow,ABAC"})
	{d.key | some d in denied} == {
		"cp-1/kube-apiserver/authorization-mode/AlwaysAllow",
		"cp-1/kube-apiserver/authorization-mode/ABAC",
		"cp-1/kube-apiserver/authorization-mode/RBAC",
	}
}

test_reads_the_configuration if {
	case_4 := fixture.cluster(configured(["Node", "Webhook"]))
	messages(policy.deny) == {"kube-apiserver on cp-1 does not use RBAC"} with input as case_4
	messages(policy.deny) == set() with input as fixture.cluster(configured(["Node", "RBAC"]))
}

test_a_file_that_was_not_read_is_no_default if {
	open := fixture.servers({"authorization-mode": null, "authorization-config": "/etc/authz.yaml"})
	unread := {"api_servers": [object.union(open.api_servers[0], {"config": {"read": false}})]}
	messages(policy.deny) == set() with input as fixture.cluster(unread)
	messages(policy.deny) == set() with input as fixture.behind_a_file(fixture.servers({"authorization-mode": null}), "api_servers")
}

test_passes if {
	count(policy.deny) == 0 with input as fixture.clean
}

test_fails_for_an_open_authorizer_of_the_configuration if {
	case := fixture.cluster(configured(["Node", "RBAC", "AlwaysAllow"]))
	messages(policy.deny) == {"kube-apiserver on cp-1 authorizes by AlwaysAllow"} with input as case
}
