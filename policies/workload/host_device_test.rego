package postscan.workload.host_device_test

import data.postscan.workload.fixture_test as fixture
import data.postscan.workload.host_device as policy

test_fails_for_devices if {
	every path in ["/dev", "/dev/sda", "/dev/kvm"] {
		denied := policy.deny with input as fixture.host_path(path)
		{[d.key, d.value] | some d in denied} == {["app data", path]}
	}
}

test_fails_for_a_device_elsewhere if {
	every type in ["BlockDevice", "CharDevice"] {
		volume := {"type": "hostPath", "host_path": "/srv/disk", "host_path_type": type}
		count(policy.deny) == 1 with input as fixture.with_volume(volume)
	}
}

test_fails_for_a_disk_of_the_node_as_a_block_volume if {
	device := {"container": "app", "device_path": "/dev/x", "path": "spec.template.spec.containers[0].volumeDevices[0]"}
	volume := {"type": "persistentVolumeClaim", "mounts": [], "devices": [device], "volume_mode": "Block"}
	disk := object.union(volume, {"host_path": "/dev/sdb", "through": "persistentVolume"})
	denied := policy.deny with input as fixture.with_volume(disk)
	{d.path | some d in denied} == {device.path}
	count(policy.deny) == 0 with input as fixture.with_volume(volume)
}

test_fails_for_bidirectional_propagation if {
	mount := object.union(fixture.volume.mounts[0], {"propagation": "Bidirectional"})
	denied := policy.deny with input as fixture.with_volume({"mounts": [mount]})
	{d.key | some d in denied} == {"propagation app data"}
	other := object.union(mount, {"propagation": "HostToContainer"})
	count(policy.deny) == 0 with input as fixture.with_volume({"mounts": [other]})
}

test_passes_for_what_is_no_device if {
	every path in ["/dev/shm", "/dev/null", "/srv"] {
		count(policy.deny) == 0 with input as fixture.host_path(path)
	}
}

test_passes_for_a_hardened_workload if count(policy.deny) == 0 with input as fixture.clean
