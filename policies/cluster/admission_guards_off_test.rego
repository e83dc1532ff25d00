package postscan.cluster.admission_guards_off_test

import data.postscan.cluster.admission_guards_off as policy
import data.postscan.cluster.fixture_test as fixture

keys(denied) := {d.key | some d in denied}

test_fails if {
	case_1 := fixture.servers({"enable-admission-plugins": "NodeRestriction,AlwaysAdmit"})
	keys(policy.deny) == {"cp-1/AlwaysAdmit"} with input as case_1
	case_2 := fixture.servers({"disable-admission-plugins": "PodSecurity,ServiceAccount"})
	keys(policy.deny) == {"cp-1/PodSecurity", "cp-1/ServiceAccount"} with input as case_2
	case_3 := fixture.servers({"admission-control": "NamespaceLifecycle,NodeRestriction"})
	keys(policy.deny) == {"cp-1/ServiceAccount"} with input as case_3
}

test_another_plugin_may_be_off if {
	keys(policy.deny) == set() with input as fixture.servers({"disable-admission-plugins": "DefaultStorageClass"})
}

test_passes if {
	count(policy.deny) == 0 with input as fixture.clean
}
