package postscan.vm.guest_agent_test

import data.postscan.vm.fixture_test as fixture
import data.postscan.vm.guest_agent as policy

test_fails_for_an_agent_that_runs_programs if {
	policy.deny == {{
		"message": "qemu-guest-agent lets the hypervisor run programs and read and write files in the guest",
		"path": "agents[0]",
		"value": {"exec": true, "files": true},
		"key": "qemu-guest-agent",
	}} with input as fixture.machine({"agents": [fixture.agent({})]}) with data.params as fixture.params
}

test_says_which_power_is_left if {
	{finding.message | some finding in policy.deny} == {"qemu-guest-agent lets the hypervisor read and write files in the guest"}
		with input as fixture.machine({"agents": [fixture.agent({"exec": false})]})
		with data.params as fixture.params
}

test_passes_for_an_agent_that_is_limited_off_or_allowed if {
	count(policy.deny) == 0
		with input as fixture.machine({"agents": [fixture.agent({"exec": false, "files": false})]})
		with data.params as fixture.params
	count(policy.deny) == 0
		with input as fixture.machine({"agents": [fixture.agent({"enabled": false})]})
		with data.params as fixture.params
	count(policy.deny) == 0
		with input as fixture.machine({"agents": [fixture.agent({"name": "amazon-ssm-agent"})]})
		with data.params as fixture.params
}

test_fails_for_a_vulnerable_agent if {
	quiet := fixture.agent({"name": "open-vm-tools", "exec": false, "files": false})
	{finding.key | some finding in policy.deny} == {"open-vm-tools vulnerable"}
		with input as fixture.machine({"agents": [quiet], "vulnerabilities": [fixture.vulnerability({"package": "open-vm-tools"})]})
		with data.params as fixture.params
	count(policy.deny) == 0
		with input as fixture.machine({"agents": [quiet], "vulnerabilities": [fixture.vulnerability({})]})
		with data.params as fixture.params
}

test_passes_for_the_clean_machine if {
	count(policy.deny) == 0 with input as fixture.clean with data.params as fixture.params
}
