package postscan.image.unsafe_accounts_test

import data.postscan.image.fixture_test as fixture
import data.postscan.image.unsafe_accounts as policy

account(name, uid, changes) := object.union(
	{
		"name": name,
		"uid": uid,
		"gid": uid,
		"home": "/",
		"shell": "/usr/sbin/nologin",
		"login_shell": false,
		"password": "locked",
	},
	changes,
)

root := account("root", 0, {"shell": "/bin/ash", "login_shell": true})

image(users) := fixture.image({"users": users})

test_fails_for_an_empty_password_with_a_login_shell if {
	denied := policy.deny with input as image([object.union(root, {"password": "empty"})])
	denied == {{
		"message": "the account root has an empty password and the login shell /bin/ash",
		"path": "users[0]",
		"value": {"name": "root", "uid": 0, "shell": "/bin/ash"},
		"key": "empty password root",
	}}
}

test_fails_for_an_empty_password_with_the_default_shell if {
	denied := policy.deny with input as image([root, account("app", 1, {"password": "empty", "shell": "", "login_shell": true})])
	some finding in denied
	contains(finding.message, "the login shell /bin/sh")
	finding.path == "users[1]"
}

test_passes_for_an_empty_password_without_a_login_shell if {
	count(policy.deny) == 0 with input as image([root, account("app", 1, {"password": "empty"})])
}

test_passes_for_locked_set_and_absent_passwords if {
	every password in ["locked", "set", "none"] {
		count(policy.deny) == 0 with input as image([object.union(root, {"password": password})])
	}
}

test_fails_for_two_names_with_uid_zero if {
	denied := policy.deny with input as image([root, account("toor", 0, {})])
	denied == {{
		"message": "2 accounts have uid 0: root, toor",
		"path": "users",
		"value": {"root", "toor"},
		"key": "uid 0",
	}}
}

test_fails_for_a_shared_uid if {
	denied := policy.deny with input as image([root, account("b", 1000, {}), account("a", 1000, {}), account("c", 1001, {})])
	denied == {{
		"message": "the accounts a, b share the uid 1000",
		"path": "users",
		"value": {"a", "b"},
		"key": "uid 1000",
	}}
}

test_fails_for_a_shared_gid if {
	denied := policy.deny with input as fixture.image({"groups": [
		{"name": "root", "gid": 0},
		{"name": "staff", "gid": 50},
		{"name": "games", "gid": 50},
	]})
	denied == {{
		"message": "the groups games, staff share the gid 50",
		"path": "groups",
		"value": {"games", "staff"},
		"key": "gid 50",
	}}
}

test_fails_for_several_groups_of_accounts_each if {
	denied := policy.deny with input as image([root, account("a", 5, {}), account("b", 5, {}), account("c", 6, {}), account("d", 6, {})])
	{finding.key | some finding in denied} == {"uid 5", "uid 6"}
}

test_passes_for_a_line_that_stands_twice if {
	count(policy.deny) == 0 with input as image([root, root])
}

test_passes_for_accounts_that_share_a_group if {
	count(policy.deny) == 0 with input as image([root, account("a", 1, {"gid": 100}), account("b", 2, {"gid": 100})])
}

test_passes_without_accounts if {
	denied := policy.deny with input as fixture.image({"users": [], "groups": []})
	count(denied) == 0
}

test_passes_for_a_clean_image if {
	denied := policy.deny with input as fixture.clean
	count(denied) == 0
}
