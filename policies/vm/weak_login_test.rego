package postscan.vm.weak_login_test

import data.postscan.vm.fixture_test as fixture
import data.postscan.vm.weak_login as policy

test_fails_for_passwords if {
	policy.deny == {{
		"message": "sshd takes passwords (KbdInteractiveAuthentication, PasswordAuthentication)",
		"path": "ssh.password_authentication",
		"value": true,
		"key": "password",
	}} with input as fixture.machine({"ssh": {"password_authentication": true, "keyboard_interactive": true}})
}

test_passes_where_a_password_is_not_enough if {
	count(policy.deny) == 0
		with input as fixture.machine({"ssh": {"password_authentication": true, "authentication_methods": "publickey,password"}})
	{finding.key | some finding in policy.deny} == {"password"}
		with input as fixture.machine({"ssh": {"password_authentication": true, "authentication_methods": "publickey password"}})
}

test_fails_for_root if {
	{finding.key | some finding in policy.deny} == {"root"} with input as fixture.machine({"ssh": {"permit_root_login": "yes"}})
	{finding.key | some finding in policy.deny} == {"root"}
		with input as fixture.machine({"ssh": {"permit_root_login": "prohibit-password"}})
	count(policy.deny) == 0
		with input as fixture.machine({"ssh": {"permit_root_login": "prohibit-password"}, "machine": {"provider": ""}})
	{finding.key | some finding in policy.deny} == {"root keys"}
		with input as fixture.machine({
			"ssh": {"permit_root_login": "prohibit-password", "root_keys_unrestricted": 2},
			"machine": {"provider": ""},
		})
}

test_fails_for_accounts_without_a_password if {
	{finding.key | some finding in policy.deny} == {"empty passwords"}
		with input as fixture.machine({"ssh": {"permit_empty_passwords": true}})
	guest := {"name": "guest", "uid": 1000, "gid": 1000, "home": "/home/guest", "shell": "/bin/sh", "login_shell": true, "password": "empty"}
	{finding.key | some finding in policy.deny} == {"account guest"} with input as fixture.machine({"users": [guest]})
	count(policy.deny) == 0 with input as fixture.machine({"users": [object.union(guest, {"login_shell": false})]})
}

test_fails_for_a_weak_match_block if {
	{finding.key | some finding in policy.deny} == {"match"}
		with input as fixture.machine({"ssh": {"match_weakens": true}})
}

test_fails_for_a_console_that_asks_nothing if {
	{finding.key | some finding in policy.deny} == {"console ttyS0"}
		with input as fixture.machine({"consoles": [{"name": "ttyS0", "kernel": true, "getty": true, "autologin": "root", "serial": true}]})
}

test_passes_where_sshd_does_not_run if {
	count(policy.deny) == 0
		with input as fixture.machine({"ssh": {"enabled": false, "password_authentication": true, "permit_root_login": "yes"}})
}

test_passes_for_the_clean_machine if {
	count(policy.deny) == 0 with input as fixture.clean
}
