package postscan.image.attack_tools_test

import data.postscan.image.attack_tools as policy
import data.postscan.image.fixture_test as fixture

tool(name, kind) := {"name": name, "kind": kind, "path": concat("/", ["usr/bin", name]), "reachable": true, "layer": 0}

hidden(name, kind) := object.union(tool(name, kind), {"reachable": false})

image(tools) := fixture.image({"tools": tools})

test_fails_for_a_debugger if {
	denied := policy.deny with input as image([tool("gdb", "debugger")]) with data.params as fixture.params
	denied == {{
		"message": "the runtime user can execute usr/bin/gdb (gdb, a debugger)",
		"path": "tools[0]",
		"value": {"name": "gdb", "kind": "debugger", "path": "usr/bin/gdb"},
		"key": "usr/bin/gdb",
	}}
}

test_fails_for_each_kind_by_itself if {
	every kind in ["compiler", "debugger", "scanner", "container-client"] {
		count(policy.deny) == 1 with input as image([tool("x", kind)]) with data.params as fixture.params
	}
}

test_fails_for_a_package_manager_with_a_shell if {
	denied := policy.deny with input as image([tool("apk", "package-manager"), tool("sh", "shell")])
		with data.params as fixture.params
	{finding.value.name | some finding in denied} == {"apk"}
	some finding in denied
	endswith(finding.message, "(apk, a package manager)")
}

test_passes_for_a_package_manager_without_a_shell if {
	count(policy.deny) == 0 with input as image([tool("apk", "package-manager")])
		with data.params as fixture.params
}

test_passes_for_a_package_manager_with_a_shell_out_of_reach if {
	count(policy.deny) == 0 with input as image([tool("apk", "package-manager"), hidden("sh", "shell")])
		with data.params as fixture.params
}

test_passes_for_tools_out_of_reach if {
	count(policy.deny) == 0 with input as image([hidden("gcc", "compiler"), hidden("kubectl", "container-client"), tool("sh", "shell")])
		with data.params as fixture.params
}

test_passes_for_kinds_that_other_checks_judge if {
	count(policy.deny) == 0 with input as image([tool("bash", "shell"), tool("sshd", "ssh-server"), tool("sudo", "sudo")])
		with data.params as fixture.params
}

test_passes_for_kinds_that_are_not_asked_for if {
	denied := policy.deny with input as fixture.image({"tools": [tool("gcc", "compiler"), tool("gdb", "debugger")]})
		with data.params as object.union(fixture.params, {"attack_tool_kinds": ["debugger"]})
	{finding.value.name | some finding in denied} == {"gdb"}
}

test_passes_without_tools if {
	count(policy.deny) == 0 with input as image([]) with data.params as fixture.params
}
