package postscan.node.kubelet_anonymous_test

import data.postscan.node.fixture_test as fixture
import data.postscan.node.kubelet_anonymous as policy

messages(denied) := {d.message | some d in denied}

test_fails if {
	case_1 := fixture.node({"kubelet": {"anonymous_auth": true}})
	messages(policy.deny) == {"the kubelet lets in callers without credentials"} with input as case_1
	case_2 := fixture.node({"kubelet": {"anonymous_auth": true, "authorization_mode": "AlwaysAllow"}})
	messages(policy.deny) == {"the kubelet lets in callers without credentials, and lets them do everything"} with input as case_2
}

test_passes if {
	count(policy.deny) == 0 with input as fixture.clean
}
