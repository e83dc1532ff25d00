package postscan.workload.proc_mount_test

import data.postscan.workload.fixture_test as fixture
import data.postscan.workload.proc_mount as policy

unmasked := fixture.with_container({"proc_mount": "Unmasked"})

in_user_namespace := object.union(unmasked, {"host_users": "false"})

test_fails_for_unmasked if {
	denied := policy.deny with input as unmasked
	denied == {{
		"message": "the proc mount of container app is Unmasked",
		"path": "spec.template.spec.containers[0].securityContext.procMount",
		"value": "Unmasked",
		"key": "app",
		"severity": "high",
	}}
}

test_passes_for_the_default if {
	every value in ["unset", "Default"] {
		count(policy.deny) == 0 with input as fixture.with_container({"proc_mount": value})
	}
}

test_user_namespace_is_enough_from_1_35 if {
	denied := policy.deny with input as in_user_namespace with data.params as {"pss_version": "v1.34"}
	{d.severity | some d in denied} == {"medium"}
	count(policy.deny) == 0 with input as in_user_namespace with data.params as {"pss_version": "v1.35"}
}
