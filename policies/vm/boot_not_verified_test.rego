package postscan.vm.boot_not_verified_test

import data.postscan.vm.boot_not_verified as policy
import data.postscan.vm.fixture_test as fixture

test_fails_without_secure_boot if {
	policy.deny == {{
		"message": "Secure Boot is off: the firmware starts what nobody signed",
		"path": "boot.secure_boot",
		"value": {"firmware": "efi", "secure_boot": "disabled"},
		"key": "secure boot",
	}} with input as fixture.machine({"boot": {"secure_boot": "disabled"}})
}

test_fails_for_bios_without_a_tpm if {
	{finding.key | some finding in policy.deny} == {"secure boot", "tpm"}
		with input as fixture.machine({"boot": {"firmware": "bios", "secure_boot": "absent", "tpm": "none", "measured_boot": false}})
}

test_fails_for_a_kernel_that_the_hypervisor_loads if {
	{finding.key | some finding in policy.deny} == {"secure boot"}
		with input as fixture.machine({"boot": {"firmware": "direct", "secure_boot": "absent"}})
}

test_fails_in_setup_mode if {
	{finding.key | some finding in policy.deny} == {"setup mode"}
		with input as fixture.machine({"boot": {"setup_mode": true}})
}

test_passes_where_the_processor_measures if {
	every technology in {"sev-snp", "tdx"} {
		count(policy.deny) == 0 with input as fixture.machine({
			"boot": {"firmware": "direct", "secure_boot": "absent", "tpm": "none", "measured_boot": false},
			"confidential": {"technology": technology},
		})
	}
}

test_passes_where_nothing_was_seen if {
	count(policy.deny) == 0
		with input as fixture.machine({"boot": {"firmware": "", "secure_boot": "", "tpm": "", "measured_boot": false}})
}

test_is_about_machines_only if {
	not policy.applies with input as fixture.machine({"machine": {"container": "docker"}})
	policy.applies with input as fixture.clean
}

test_passes_for_the_clean_machine if {
	count(policy.deny) == 0 with input as fixture.clean
}
