package postscan.vm.outdated_test

import data.postscan.vm.fixture_test as fixture
import data.postscan.vm.outdated as policy

test_fails_after_the_end_of_support if {
	{finding.message | some finding in policy.deny} == {"Debian GNU/Linux 12 (bookworm) is out of its vendor's support"}
		with input as fixture.machine({"distribution": {"end_of_life": true}})
		with data.params as fixture.params
	{finding.message | some finding in policy.deny} == {"debian 12.5 is out of its vendor's support"}
		with input as fixture.machine({"distribution": {"end_of_life": true, "name": ""}})
		with data.params as fixture.params
}

test_fails_where_a_newer_kernel_is_not_booted if {
	policy.deny == {{
		"message": "the kernel 6.1.0-18-amd64 runs, but 6.1.0-20-amd64 is installed: the newer one starts with the next boot",
		"path": "kernel.outdated",
		"value": {"running": "6.1.0-18-amd64", "newest": "6.1.0-20-amd64"},
		"key": "kernel not booted",
		"severity": "high",
	}} with input as fixture.machine({"kernel": {"release": "6.1.0-18-amd64", "outdated": true}}) with data.params as fixture.params
}

test_fails_where_the_package_was_replaced_under_the_same_release if {
	found := policy.deny
		with input as fixture.machine({"kernel": {"version": "6.1.82-1", "outdated": true}})
		with data.params as fixture.params
	{finding.message | some finding in found} == {concat(" ", [
		"the kernel 6.1.0-20-amd64 runs as of package 6.1.82-1,",
		"but 6.1.85-1 is installed under the same name",
	])}
}

test_fails_where_a_restart_is_due if {
	{finding.key | some finding in policy.deny} == {"reboot required"}
		with input as fixture.machine({"kernel": {"reboot_required": true}})
		with data.params as fixture.params
	{finding.key | some finding in policy.deny} == {"kernel not booted"}
		with input as fixture.machine({"kernel": {"reboot_required": true, "release": "6.1.0-18-amd64", "outdated": true}})
		with data.params as fixture.params
}

test_fails_for_flaws_of_the_running_kernel if {
	found := policy.deny
		with input as fixture.machine({"kernel": {"vulnerable": ["CVE-2026-0001", "CVE-2026-0002"]}})
		with data.params as fixture.params
	{finding.message | some finding in found} == {"the running kernel 6.1.0-20-amd64 has 2 known vulnerabilities that a newer package mends"}
}

test_fails_without_updates if {
	{[finding.key, finding.severity] | some finding in policy.deny} == {["no updates", "high"]}
		with input as fixture.machine({"updates": {"agent": "", "last_days": 31}})
		with data.params as fixture.params
	count(policy.deny) == 0
		with input as fixture.machine({"updates": {"agent": "", "last_days": 30}})
		with data.params as fixture.params
	{[finding.key, finding.severity] | some finding in policy.deny} == {["no updates", "low"]}
		with input as fixture.machine({"updates": {"last_days": 300}})
		with data.params as fixture.params
}

test_passes_for_the_clean_machine if {
	count(policy.deny) == 0 with input as fixture.clean with data.params as fixture.params
}
