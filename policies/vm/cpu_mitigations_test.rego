package postscan.vm.cpu_mitigations_test

import data.postscan.vm.cpu_mitigations as policy
import data.postscan.vm.fixture_test as fixture

test_fails_for_a_flaw if {
	policy.deny == {{
		"message": "mds: Vulnerable: Clear CPU buffers attempted, no microcode",
		"path": "mitigations[0]",
		"value": "Vulnerable: Clear CPU buffers attempted, no microcode",
		"key": "mds",
	}}
		with input as fixture.machine({"mitigations": [{
			"name": "mds",
			"status": "Vulnerable: Clear CPU buffers attempted, no microcode",
			"vulnerable": true,
			"smt": false,
		}]})
}

test_fails_where_mitigations_are_off if {
	{finding.key | some finding in policy.deny} == {"mitigations=off"}
		with input as fixture.machine({"kernel": {"parameters": [{"name": "mitigations", "value": "off"}]}})
	count(policy.deny) == 0 with input as fixture.machine({"kernel": {"parameters": [{"name": "mitigations", "value": "auto,nosmt"}]}})
}

test_fails_for_smt_on_a_container_host if {
	exposed := [{"name": "mds", "status": "Mitigation: Clear CPU buffers; SMT vulnerable", "vulnerable": false, "smt": true}]
	{finding.key | some finding in policy.deny} == {"smt"} with input as fixture.machine({"smt": "on", "mitigations": exposed})
	count(policy.deny) == 0 with input as fixture.machine({"smt": "off", "mitigations": exposed})
	count(policy.deny) == 0 with input as fixture.machine({"smt": "on", "mitigations": exposed, "role": {"container_host": false}})
	count(policy.deny) == 0 with input as fixture.machine({"smt": "on"})
}

test_passes_for_the_clean_machine if {
	count(policy.deny) == 0 with input as fixture.clean
}
