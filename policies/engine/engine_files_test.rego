package postscan.engine.engine_files_test

import data.postscan.engine.engine_files as policy
import data.postscan.engine.fixture_test as fixture

with_file(changes) := fixture.engine({"files": [object.union(fixture.config, changes)]})

test_fails_where_others_may_write if {
	every changes in [
		{"other_write": true}, {"owner_root": false, "owner": "build"}, {
			"group_write": true, "group_root": false, "group": "staff",
		},
		{"role": "key", "other_read": true}, {"role": "key", "group_read": true, "group_root": false, "other_read": false},
		{"role": "unit", "other_write": true},
	] {
		"medium" in {d.severity | some d in policy.deny} with input as with_file(changes)
	}
}

test_notes if {
	every changes in [
		{"audit": {"configured": true, "paths": ["/etc/passwd"]}}, {"experimental": true}, {"cgroup_version": "1"},
		{"files": [fixture.config, object.union(fixture.socket, {"group_members": ["alice", "bob"]})]},
	] {
		"info" in {d.severity | some d in policy.deny} with input as fixture.engine(changes)
	}
}

test_passes_where_only_root_may_write if {
	every changes in [
		{}, {"role": "folder", "other_write": true, "sticky": true}, {"role": "key", "other_read": false},
		{"owner_root": false, "rootless": true},
	] {
		count(policy.deny) == 0 with input as with_file(changes)
	}
}

with_certificate(role, not_after) := fixture.engine({"certificates": [
	{"path": "/etc/docker/cert.pem", "role": role, "subject": "CN=host", "not_after": not_after},
]})

params := {"now": "2026-03-01T12:00:00Z"}

test_fails_for_certificates_that_expire if {
	every row in [
		["api", "2026-03-01T11:59:59Z", "medium"], ["swarm", "2026-02-01T00:00:00Z", "medium"], ["registry", "2026-03-20T00:00:00Z", "info"],
	] {
		[row[2]] == [d.severity | some d in policy.deny] with input as with_certificate(row[0], row[1]) with data.params as params
	}
}

test_passes_for_certificates_that_hold if {
	every row in [["api", "2026-04-01T00:00:00Z"], ["swarm", "2026-03-10T00:00:00Z"]] {
		count(policy.deny) == 0 with input as with_certificate(row[0], row[1]) with data.params as params
	}
}
