package postscan.vm.no_access_control_test

import data.postscan.vm.fixture_test as fixture
import data.postscan.vm.no_access_control as policy

test_fails_without_any if {
	policy.deny == {{
		"message": "neither AppArmor (absent) nor SELinux (absent) is in force",
		"path": "protection.lsms",
		"value": {"apparmor": "absent", "selinux": "absent"},
		"key": "none",
	}} with input as fixture.machine({"protection": {"apparmor": "absent", "selinux": "absent", "lsms": ["lockdown", "capability"]}})
}

test_fails_where_both_are_switched_off if {
	{finding.key | some finding in policy.deny} == {"none"}
		with input as fixture.machine({"protection": {"apparmor": "disabled", "selinux": "disabled"}})
}

test_passes_with_another_module if {
	count(policy.deny) == 0 with input as fixture.machine({"protection": {"apparmor": "absent", "lsms": ["capability", "smack"]}})
}

test_fails_for_permissive_selinux if {
	{finding.key | some finding in policy.deny} == {"permissive"}
		with input as fixture.machine({"protection": {"apparmor": "absent", "selinux": "permissive"}})
}

test_fails_without_lockdown_under_secure_boot if {
	{finding.key | some finding in policy.deny} == {"lockdown"} with input as fixture.machine({"protection": {"lockdown": "none"}})
	count(policy.deny) == 0 with input as fixture.machine({"protection": {"lockdown": "none"}, "boot": {"secure_boot": "disabled"}})
}

test_passes_where_nothing_was_seen if {
	count(policy.deny) == 0 with input as fixture.machine({"protection": {"apparmor": "", "selinux": "", "lockdown": "", "lsms": []}})
}

test_passes_for_the_clean_machine if {
	count(policy.deny) == 0 with input as fixture.clean
}
