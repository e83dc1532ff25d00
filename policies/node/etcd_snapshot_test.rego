package postscan.node.etcd_snapshot_test

import data.postscan.node.etcd_snapshot as policy
import data.postscan.node.fixture_test as fixture

backup := {"path": "/var/backups/etcd.db", "role": "etcd-snapshot", "mode": 384, "owner": "root", "group": "root"}

snapshot(mode) := fixture.node({"files": [object.union(backup, {"mode": mode})]})

test_fails if {
	denied := policy.deny with input as snapshot(420)
	denied == {{
		"message": "a backup of etcd is readable for others than its owner: mode 0644",
		"path": "files[0]",
		"value": "/var/backups/etcd.db",
		"key": "/var/backups/etcd.db",
	}}
	count(policy.deny) == 1 with input as snapshot(416)
}

test_passes if {
	count(policy.deny) == 0 with input as snapshot(384)
	count(policy.deny) == 0 with input as fixture.clean
}
