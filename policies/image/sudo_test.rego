package postscan.image.sudo_test

import data.postscan.image.fixture_test as fixture
import data.postscan.image.sudo as policy

sudo_tool := {"name": "sudo", "kind": "sudo", "path": "usr/bin/sudo", "reachable": true, "layer": 0}

doas_file := {
	"path": "opt/bin/doas",
	"mode": "4755",
	"uid": 0,
	"gid": 0,
	"setuid": true,
	"setgid": false,
	"capabilities": [],
	"layer": 0,
}

rule(changes) := object.union(
	{
		"path": "etc/sudoers.d/app",
		"line": 1,
		"subject": "app",
		"no_password": true,
		"runtime": true,
		"layer": 0,
	},
	changes,
)

with_rule(changes) := fixture.image({"tools": [sudo_tool], "sudo_rules": [rule(changes)]})

test_fails_for_a_rule_without_password if {
	denied := policy.deny with input as with_rule({})
	denied == {{
		"message": "etc/sudoers.d/app lets app become another user without a password",
		"path": "sudo_rules[0]",
		"value": {"path": "etc/sudoers.d/app", "subject": "app"},
		"key": "etc/sudoers.d/app app",
	}}
}

test_fails_for_a_rule_of_a_group_or_of_everybody if {
	every subject in ["%wheel", "ALL"] {
		denied := policy.deny with input as with_rule({"path": "etc/sudoers", "subject": subject})
		{finding.key | some finding in denied} == {concat(" ", ["etc/sudoers", subject])}
	}
}

test_fails_where_the_program_is_only_known_by_its_set_uid_bit if {
	image := fixture.image({"privileged_files": [doas_file], "sudo_rules": [rule({"path": "etc/doas.conf"})]})
	count(policy.deny) == 1 with input as image
}

test_key_holds_no_line if {
	one := policy.deny with input as with_rule({"line": 1})
	other := policy.deny with input as with_rule({"line": 30})
	{finding.key | some finding in one} == {finding.key | some finding in other}
}

test_passes_where_the_rule_asks_for_a_password if {
	denied := policy.deny with input as with_rule({"no_password": false})
	count(denied) == 0
}

test_passes_where_the_rule_is_for_somebody_else if {
	denied := policy.deny with input as with_rule({"subject": "%admin", "runtime": false})
	count(denied) == 0
}

test_passes_where_sudo_is_not_installed if {
	count(policy.deny) == 0 with input as fixture.image({"sudo_rules": [rule({})]})
}

test_passes_where_other_programs_are_installed if {
	image := fixture.image({
		"sudo_rules": [rule({})],
		"tools": [object.union(sudo_tool, {"name": "gcc", "kind": "compiler", "path": "usr/bin/gcc"})],
		"privileged_files": [object.union(doas_file, {"path": "usr/bin/su"})],
	})
	count(policy.deny) == 0 with input as image
}

test_passes_where_sudo_is_installed_without_rules if {
	denied := policy.deny with input as fixture.image({"tools": [sudo_tool]})
	count(denied) == 0
}

test_fails_where_the_build_calls_sudo if {
	denied := policy.deny with input as fixture.built([["COPY", "a b"], ["RUN", "cd /src && sudo -E make install"]])
	denied == {{
		"message": "a step of the build calls sudo",
		"path": "history[1]",
		"value": "sudo -E make install",
		"key": "build calls sudo",
	}}
}

test_fails_for_sudo_in_every_position if {
	every command in [
		"sudo make",
		"make; sudo make install",
		"make || sudo make",
		"if ! sudo true; then echo; fi",
		"echo a | sudo tee /etc/x",
		"DEBIAN_FRONTEND=noninteractive sudo apt-get update",
		"/usr/bin/sudo true",
		"sudo -s",
		"make\nsudo make install",
	] {
		denied := policy.deny with input as fixture.run(command)
		{finding.key | some finding in denied} == {"build calls sudo"}
	}
}

test_fails_for_doas if {
	denied := policy.deny with input as fixture.run("doas apk add git")
	{finding.key | some finding in denied} == {"build calls doas"}
}

test_passes_where_sudo_is_only_named if {
	every command in [
		"apt-get install -y --no-install-recommends sudo && rm -rf /var/lib/apt/lists/*",
		"apt-get purge -y sudo",
		"rm -f /usr/bin/sudo /etc/sudoers",
		"echo 'app ALL=(ALL) ALL' > /etc/sudoers.d/app",
		"visudo -c",
		"adduser app sudo",
	] {
		denied := policy.deny with input as fixture.run(command)
		count(denied) == 0
	}
}

test_passes_for_other_instructions_that_name_sudo if {
	denied := policy.deny with input as fixture.built([["CMD", "sudo run"], ["ENV", "A=sudo"], ["COPY", "sudo /bin"]])
	count(denied) == 0
}

test_unknown_without_history if {
	unknown := policy.unknown with input as fixture.image({"history": [fixture.blank_step]})
	count(unknown) == 1
}

test_passes_for_a_clean_image if {
	denied := policy.deny with input as fixture.clean
	unknown := policy.unknown with input as fixture.clean
	count(denied | unknown) == 0
}
