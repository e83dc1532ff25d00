package postscan.container.host_path_test

import data.postscan.container.fixture_test as fixture
import data.postscan.container.host_path as policy

test_severities if {
	every severity, changes in {
		"critical": {"source": "/etc", "read_only": false}, "high": {"source": "/var/lib/kubelet", "read_only": true},
		"low": {"source": "/etc/localtime", "read_only": false},
	} {
		severity in {d.severity | some d in policy.deny} with input as fixture.mounted(changes)
	}
}

test_bounded_by_the_user if {
	some d in policy.deny with input as object.union(fixture.mounted({"source": "/etc", "read_only": false}), {"rootless": true})
	d.severity == "medium"
}

test_fails_for_devices_rules_and_propagation if {
	every changes in [
		{"devices": [{"host": "/dev/sda", "container": "/dev/sda", "permissions": "rwm"}]}, {"device_rules": ["b *:* rwm"]},
		{"device_rules": ["c 1:1 r"]}, {"device_rules": ["a *:* rwm"]}, {"device_rules": ["c 10:232 rw"]},
		{"mounts": [object.union(fixture.mount, {"propagation": "rshared"})]},
	] {
		"high" in {d.severity | some d in policy.deny} with input as fixture.container(changes)
	}
}

test_passes if {
	every changes in [
		{
			"source": "/srv/data", "read_only": false,
		},
		{
			"source": "/etc/localtime", "read_only": true,
		},
		{"source": "/run/docker.sock"}, {"type": "volume", "source": "/var/lib/docker/volumes/x/_data"},
	] {
		count(policy.deny) == 0 with input as fixture.mounted(changes)
	}
	every changes in [
		{"device_rules": ["c 5:1 rw"]},
		{"devices": [{"host": "/dev/null", "container": "/dev/null", "permissions": "rwm"}]},
	] {
		count(policy.deny) == 0 with input as fixture.container(changes)
	}
}
