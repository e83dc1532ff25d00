package postscan.image.runs_as_root_test

import data.postscan.image.fixture_test as fixture
import data.postscan.image.runs_as_root as policy

user(name, uid) := fixture.config({"user": name, "user_uid": uid})

windows(name) := object.union(user(name, -1), {"os": "windows"})

test_fails_without_user if {
	denied := policy.deny with input as user("", 0)
	denied == {{"message": "no USER is set, so the process starts as root", "path": "config.user", "value": ""}}
}

test_fails_for_every_way_to_write_root if {
	every name in ["root", "0", "0:0", "root:root", "0:1000", "root:app", "00", "000:1", "+0"] {
		denied := policy.deny with input as user(name, 0)
		count(denied) == 1
	}
}

test_fails_for_root_even_where_the_number_is_not_known if {
	every name in ["root", "0", "00:0"] {
		denied := policy.deny with input as user(name, -1)
		count(denied) == 1
	}
}

test_fails_with_empty_user_before_a_group if {
	denied := policy.deny with input as user(":1000", 0)
	count(denied) == 1
}

test_fails_for_a_name_that_passwd_maps_to_zero if {
	denied := policy.deny with input as user("toor", 0)
	denied == {{"message": "USER toor is root (uid 0)", "path": "config.user", "value": "toor"}}
}

test_passes_for_other_users if {
	every pair in [["10001", 10001], ["1000:0", 1000], ["10001:app", 10001], ["app", 1000], ["0100", 100], ["nobody", 65534]] {
		image := user(pair[0], pair[1])
		policy.applies with input as image
		denied := policy.deny with input as image
		unknown := policy.unknown with input as image
		count(denied | unknown) == 0
	}
}

test_fails_for_the_administrator_of_a_windows_container if {
	every name in [
		"ContainerAdministrator",
		"containeradministrator",
		`User Manager\ContainerAdministrator`,
		`USER MANAGER\CONTAINERADMINISTRATOR`,
	] {
		denied := policy.deny with input as windows(name)
		count(denied) == 1
	}
}

test_finding_of_a_windows_container if {
	denied := policy.deny with input as windows("ContainerAdministrator")
	denied == {{
		"message": "USER ContainerAdministrator is the administrator of the container",
		"path": "config.user",
		"value": "ContainerAdministrator",
	}}
}

test_linux_and_windows_are_judged_apart if {
	count(policy.deny) == 0 with input as user("ContainerAdministrator", 1000)
	count(policy.unknown) == 0 with input as user("", 0)
	count(policy.deny) == 0 with input as windows("root")
}

test_passes_for_other_users_of_a_windows_container if {
	every name in ["ContainerUser", `User Manager\ContainerUser`, "root", "0", "MyContainerAdministrator", "app"] {
		image := windows(name)
		denied := policy.deny with input as image
		unknown := policy.unknown with input as image
		count(denied | unknown) == 0
	}
}

test_unknown_on_windows_without_user if {
	image := windows("")
	count(policy.deny) == 0 with input as image
	count(policy.unknown) == 1 with input as image
}

test_not_applicable_to_other_systems if {
	not policy.applies with input as fixture.image({"os": "freebsd"})
}
