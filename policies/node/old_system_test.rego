package postscan.node.old_system_test

import data.postscan.node.fixture_test as fixture
import data.postscan.node.old_system as policy

found(denied) := {[d.key, d.severity] | some d in denied}

test_fails if {
	case_1 := fixture.node({"os_image": "Ubuntu 22.04.5 LTS"})
	found(policy.deny) == {["general-purpose", "info"]} with input as case_1 with data.params as fixture.params
	case_2 := fixture.node({"os_image": "Debian GNU/Linux 10 (buster)"})
	found(policy.deny) == {["general-purpose", "info"], ["ended", "medium"]} with input as case_2 with data.params as fixture.params
	case_3 := fixture.node({"reboot_due": true, "reboot_due_days": 8})
	found(policy.deny) == {["reboot", "medium"]} with input as case_3 with data.params as fixture.params
}

test_a_fresh_reboot_may_wait if {
	case_4 := fixture.node({"reboot_due": true, "reboot_due_days": 7})
	found(policy.deny) == set() with input as case_4 with data.params as fixture.params
	case_5 := fixture.node({"os": "windows", "os_image": "Windows Server 2022 Datacenter"})
	found(policy.deny) == set() with input as case_5 with data.params as fixture.params
}

test_unknown if {
	case := fixture.node({"reboot_due": true})
	count(policy.unknown) == 1 with input as case
}

test_passes if {
	count(policy.deny) == 0 with input as fixture.clean with data.params as fixture.params
	count(policy.unknown) == 0 with input as fixture.clean
}
