package postscan.workload.capability_added_test

import data.postscan.lib.pod_security_controls
import data.postscan.workload.capability_added as policy
import data.postscan.workload.fixture_test as fixture

added(names) := fixture.with_container({"capabilities_add": names})

test_fails_for_each_capability_outside_the_set if {
	denied := policy.deny with input as added(["NET_RAW", "CHOWN", "SYS_ADMIN"])
	{d.key | some d in denied} == {"app NET_RAW", "app SYS_ADMIN"}
}

test_fails_for_all_and_for_other_spellings if {
	every name in ["ALL", "CAP_CHOWN", "chown"] {
		count(policy.deny) == 1 with input as added([name])
	}
}

test_passes_for_the_baseline_set if {
	count(policy.deny) == 0 with input as added([name | some name in pod_security_controls.capabilities])
}
