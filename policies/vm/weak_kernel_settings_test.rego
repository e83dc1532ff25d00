package postscan.vm.weak_kernel_settings_test

import data.postscan.vm.fixture_test as fixture
import data.postscan.vm.weak_kernel_settings as policy

test_fails_for_every_weak_setting if {
	every name in {"kptr_restrict", "dmesg_restrict", "unprivileged_bpf_disabled", "ptrace_scope"} {
		{finding.key | some finding in policy.deny} == {name}
			with input as fixture.machine({"sysctls": {name: 0}})
			with data.params as fixture.params
		count(policy.deny) == 0 with input as fixture.machine({"sysctls": {name: -1}}) with data.params as fixture.params
	}
}

test_says_what_a_setting_means if {
	{finding.message | some finding in policy.deny} == {"dmesg_restrict is 0: everybody reads the kernel's log"}
		with input as fixture.machine({"sysctls": {"dmesg_restrict": 0}})
		with data.params as fixture.params
}

test_fails_for_kexec_without_lockdown if {
	{finding.key | some finding in policy.deny} == {"kexec_load_disabled"}
		with input as fixture.machine({"sysctls": {"kexec_load_disabled": 0}, "protection": {"lockdown": "none"}})
		with data.params as fixture.params
	count(policy.deny) == 0 with input as fixture.machine({"sysctls": {"kexec_load_disabled": 0}}) with data.params as fixture.params
}

test_fails_for_open_user_namespaces if {
	{finding.key | some finding in policy.deny} == {"user_namespaces"}
		with input as fixture.machine({"sysctls": {"user_namespaces": "open"}})
		with data.params as fixture.params
	allowed := object.union(fixture.params, {"allow_user_namespaces": true})
	found := policy.deny with input as fixture.machine({"sysctls": {"user_namespaces": "open"}}) with data.params as allowed
	count(found) == 0
}

test_fails_for_a_program_that_others_may_replace if {
	{finding.key | some finding in policy.deny} == {"core_pattern"}
		with input as fixture.machine({"sysctls": {"core_pattern": "|/opt/crash", "core_program_writable": true}})
		with data.params as fixture.params
}

test_is_about_container_hosts if {
	not policy.applies with input as fixture.machine({"role": {"container_host": false}})
	policy.applies with input as fixture.clean
}

test_passes_for_the_clean_machine if {
	count(policy.deny) == 0 with input as fixture.clean with data.params as fixture.params
}
