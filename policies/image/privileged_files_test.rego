package postscan.image.privileged_files_test

import data.postscan.image.fixture_test as fixture
import data.postscan.image.privileged_files as policy

file(changes) := object.union(
	{
		"path": "usr/local/bin/helper",
		"mode": "4755",
		"uid": 0,
		"gid": 0,
		"setuid": true,
		"setgid": false,
		"capabilities": [],
		"layer": 1,
	},
	changes,
)

image(changes) := fixture.image({"privileged_files": [file(changes)]})

test_fails_for_set_uid if {
	denied := policy.deny with input as image({}) with data.params as fixture.params
	denied == {{
		"message": "usr/local/bin/helper gives rights to whoever runs it: set-uid 0",
		"path": "privileged_files[0]",
		"value": {"path": "usr/local/bin/helper", "mode": "4755", "capabilities": []},
		"key": "usr/local/bin/helper",
		"severity": "low",
	}}
}

test_fails_for_set_gid if {
	denied := policy.deny with input as image({"mode": "2755", "gid": 42, "setuid": false, "setgid": true})
		with data.params as fixture.params
	some finding in denied
	endswith(finding.message, ": set-gid 42")
	finding.severity == "low"
}

test_fails_for_a_harmless_capability if {
	denied := policy.deny with input as image({"mode": "0755", "setuid": false, "capabilities": ["cap_net_raw"]})
		with data.params as fixture.params
	some finding in denied
	endswith(finding.message, ": cap_net_raw")
	finding.severity == "low"
}

test_fails_as_medium_for_each_dangerous_capability if {
	every capability in ["cap_sys_admin", "cap_sys_ptrace", "cap_sys_module", "cap_dac_read_search", "cap_setuid", "CAP_SYS_ADMIN"] {
		denied := policy.deny with input as image({"mode": "0755", "setuid": false, "capabilities": ["cap_net_raw", capability]})
			with data.params as fixture.params
		{finding.severity | some finding in denied} == {"medium"}
	}
}

test_fails_as_medium_for_set_uid_with_dangerous_capability if {
	denied := policy.deny with input as image({"setgid": true, "mode": "6755", "capabilities": ["cap_setuid"]})
		with data.params as fixture.params
	some finding in denied
	finding.severity == "medium"
	endswith(finding.message, ": set-uid 0, set-gid 0, cap_setuid")
}

test_passes_for_paths_on_the_allow_list if {
	every path in ["usr/bin/su", "/usr/bin/su", "usr/bin/ping"] {
		count(policy.deny) == 0 with input as image({"path": path, "capabilities": ["cap_net_raw"]})
			with data.params as fixture.params
	}
}

test_fails_for_a_dangerous_capability_on_the_allow_list if {
	denied := policy.deny with input as image({"path": "usr/bin/ping", "mode": "0755", "setuid": false, "capabilities": ["cap_sys_admin"]})
		with data.params as fixture.params
	{finding.severity | some finding in denied} == {"medium"}
}

test_fails_for_the_same_name_elsewhere if {
	count(policy.deny) == 1 with input as image({"path": "opt/usr/bin/su"}) with data.params as fixture.params
	count(policy.deny) == 1 with input as image({"path": "usr/bin/su2"}) with data.params as fixture.params
}

test_fails_for_all_with_an_empty_allow_list if {
	denied := policy.deny with input as fixture.image({"privileged_files": [file({"path": "usr/bin/su"}), file({})]})
		with data.params as object.union(fixture.params, {"allowed_privileged_files": []})
	count(denied) == 2
}

test_passes_without_privileged_files if {
	denied := policy.deny with input as fixture.clean with data.params as fixture.params
	count(denied) == 0
}
