package postscan.cluster.weak_pod_security_test

import data.postscan.cluster.weak_pod_security as policy

params := {"allowed_exemptions": ["namespace kube-system"]}

exempt(list) := {"pod_security_exemptions": list}

test_fails_for_what_is_not_meant if {
	denied := policy.deny with input as exempt(["namespace kube-system", "user ci"]) with data.params as params
	{[d.key, d.path] | some d in denied} == {["user ci", "pod_security_exemptions[1]"]}
}

test_passes if {
	count(policy.deny) == 0 with input as exempt([]) with data.params as params
	count(policy.deny) == 0 with input as exempt(["namespace kube-system"]) with data.params as params
}
