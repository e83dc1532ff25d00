package postscan.engine.socket_open_test

import data.postscan.engine.fixture_test as fixture
import data.postscan.engine.socket_open as policy

with_socket(changes) := fixture.engine({"files": [object.union(fixture.socket, changes)]})

test_fails_where_everybody_may_write if {
	some d in policy.deny with input as with_socket({"mode": "0666", "other_write": true})
	d.value == "0666"
}

test_fails_for_another_group if {
	count(policy.deny) == 1 with input as with_socket({"group": "staff"})
}

test_fails_for_members if {
	some d in policy.deny with input as with_socket({"group_members": ["alice"]})
	d.value == ["alice"]
}

test_passes_where_only_root_may if {
	every changes in [
		{}, {"other_write": true, "rootless": true}, {"group": "staff", "group_write": false}, {"role": "config", "other_write": true},
		{"other_write": true, "parent_private": true},
	] {
		count(policy.deny) == 0 with input as with_socket(changes)
	}
}
