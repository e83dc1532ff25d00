package postscan.namespace.no_pod_security_test

import data.postscan.namespace.fixture_test as fixture
import data.postscan.namespace.no_pod_security as policy

unlabelled(guards) := fixture.namespace({"guards": guards, "pod_security": {"enforce": "privileged", "enforce_label": "unset"}})

guard(changes) := object.union(
	{"engine": "kyverno", "name": "baseline", "enforces": true, "privileged": true, "understood": true},
	changes,
)

test_fails_without_a_label if {
	denied := policy.deny with input as unlabelled([])
	{d.message | some d in denied} == {"the namespace has no enforce label, and no other policy refuses privileged pods in it"}
	assumed := policy.deny with input as object.union(unlabelled([]), {"pod_security_default": "assumed"})
	every d in assumed {
		contains(d.message, "not in view")
	}
}

test_fails_where_policies_do_something_else if {
	count(policy.deny) == 1 with input as unlabelled([guard({"privileged": false})])
	count(policy.deny) == 1 with input as unlabelled([guard({"enforces": false})])
}

test_passes_with_a_label_or_a_policy if {
	count(policy.deny) == 0 with input as fixture.clean
	count(policy.deny) == 0 with input as unlabelled([guard({})])
	count(policy.deny) == 0 with input as unlabelled([guard({"engine": "scc"})])
	opaque := guard({"engine": "gatekeeper", "privileged": false, "understood": false})
	count(policy.unknown) == 0 with input as unlabelled([guard({}), opaque])
}

test_unknown_where_a_policy_refuses_for_its_own_reasons if {
	opaque := guard({"engine": "gatekeeper", "name": "house", "privileged": false, "understood": false})
	count(policy.deny) == 0 with input as unlabelled([opaque])
	policy.unknown == {"gatekeeper house refuses pods of the namespace, and postscan cannot tell which"} with input as unlabelled([opaque])
}

test_not_applicable_to_the_system if {
	not policy.applies with input as object.union(unlabelled([]), {"system": true})
	count(policy.deny) == 0 with input as object.union(unlabelled([]), {"system": true})
}
